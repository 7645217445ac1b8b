"""Settings for all tests: property tests draw the same examples in every run, and none is failed for being slow.

What tests measured (`record_property`) is told at the end of a run.
"""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.servers import PostgresServer

settings.register_profile("shotclock", derandomize=True, deadline=None, max_examples=100, database=None)
settings.load_profile("shotclock")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    passed = [report for report in terminalreporter.getreports("passed") if report.user_properties]
    for report in passed:
        told = ", ".join(f"{name}: {value}" for name, value in report.user_properties)
        terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {told}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Give a server shared by the tests of this process; each uses a schema of its own."""
    server = PostgresServer().start()
    yield server
    server.remove()
