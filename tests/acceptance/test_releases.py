"""Two releases at work on one store: an upgrade needs no moment at which everything stands still."""

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.acceptance.house import DAY, ROOT, Done, House, Started
from tests.servers import PostgresServer

BEFORE = "d89728d9b20a"
"""A commit whose store on PostgreSQL has an older schema; it plays the release before this one."""
RUN = f"small/{DAY}"
FILE = """
phases:
  raw: {members: {games: {run: "small.steps:games"}, odds: {external: true}}, gate: {deadline: {after: 30m}}}
  items:
    needs: [raw]
    items: "small.steps:names"
    run: "small.steps:work"
    execution: {mode: parallel, max_workers: 2, chunk: 5}
    then: "small.steps:total"
"""
STEPS = """
def games(ctx):
    return Succeeded(rows=1)

def names(ctx):
    return (Item(f"item {number}") for number in range(100))

def work(ctx, items):
    return {item.id: Succeeded() for item in items}

def total(ctx):
    (ctx.published / "total.txt").write_text(str(len({one.name for one in ctx.settled()})))
    return {}
"""


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the sources of the release before."""
    asked = ["git", "-C", str(ROOT), "archive", BEFORE, "src"]
    done = subprocess.run(asked, capture_output=True, check=False)  # noqa: S603 - words of our own
    if done.returncode:
        message = f"commit {BEFORE} is not here: test in a whole clone (git fetch --unshallow)"
        if os.environ.get("SHOTCLOCK_REQUIRE") == "all":
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "src"


@pytest.fixture(params=["file", "postgres"])
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give where the store is to be: in the home folder, or in a schema that is not there."""
    if request.param == "file":
        yield ""
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    address = server.place()
    yield address
    server.drop(address)


class Release:
    """The command of one release, on the store at hand."""

    def __init__(self, house: House, sources: Path, place: str) -> None:
        more = {"PYTHONPATH": str(sources), **({"SHOTCLOCK_STORE": place} if place else {})}
        self.served = bool(place)
        self.start: Callable[..., Started] = partial(house.start, more=more)
        self.do: Callable[..., Done] = partial(house, more=more)


@pytest.fixture
def releases(house: House, before: Path, place: str) -> dict[str, Release]:
    """Give both releases in a house with a pipeline."""
    house.pipeline("small", FILE, STEPS)
    return {name: Release(house, sources, place) for name, sources in (("old", before), ("new", ROOT / "src"))}


def made_by(maker: Release, upgrader: Release) -> None:
    """Make the store, and upgrade it as far as is needed before processes of a newer release start."""
    if maker.served:
        made = maker.do("store", "init")
        assert made.code == 0, made.err
        assert upgrader.do("store", "upgrade").code == 0


@pytest.mark.parametrize(
    ("maker", "runs", "helps"), [("old", "old", "new"), ("old", "new", "old"), ("new", "old", "new")]
)
def test_processes_of_both_releases_finish_one_run_together(
    house: House, releases: dict[str, Release], maker: str, runs: str, helps: str
) -> None:
    made_by(releases[maker], releases["new"])
    running = releases[runs].start("run", "small", DAY)
    running.says("raw: started")
    helping = releases[helps].start("run", "small", DAY)
    told = releases[helps].do("report", RUN, "raw", "odds", "succeeded", "--json")
    assert told.code == 0, told.err
    for done in (running.finish(), helping.finish()):
        assert done.code == 0, done.err
    said = [release.do("status", RUN, "--json").document for release in releases.values()]
    assert [one["state"] for one in said] == ["complete", "complete"]
    assert house.file(".shotclock", "published", "small", DAY, "total.txt").read_text() == "100"
    assert ": usable, " in releases["new"].do("store", "check").out


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_this_release_refuses_the_schema_of_the_one_before_until_it_is_upgraded(releases: dict[str, Release]) -> None:
    assert releases["old"].do("store", "init").code == 0
    running = releases["old"].start("run", "small", DAY)
    running.says("raw: started")
    refused = releases["new"].do("report", RUN, "raw", "odds", "succeeded")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "run `shotclock store upgrade" in refused.err
    assert "before_entries_by_age" in releases["new"].do("store", "upgrade").out
    assert releases["new"].do("report", RUN, "raw", "odds", "succeeded").code == 0
    assert running.finish().code == 0
