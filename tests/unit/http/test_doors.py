"""Every route is asked by everybody: with no token, one that does not count, and one of each scope; the page tells it.

`REWRITE=1` has the table on the page written anew.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from shotclock.engine.tokens import Tokens
from shotclock.http.app import ROUTES
from shotclock.http.routes import Route
from shotclock.model import SCOPES
from tests.docs.repository import ROOT
from tests.unit.http.house import Asking, asking

PAGE = ROOT / "docs" / "access.md"
START, END = "<!-- every route, asked by everybody -->\n", "<!-- the end of the table -->\n"
NOBODY: Final = ("none", "wrong", "expired", "revoked", "other audience")
NAMES = {"pipeline": "nobody", "key": "none", "phase": "none"}
FOREIGN = (
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJhdWQiOiJodHRwczovL290aGVyLmV4YW1wbGUiLCJpc3MiOiJodHRwczovL2FjY291bnRzLmdvb2dsZS5jb20ifQ.c2lnbmF0dXJl"
)
"""A token made for another service, as such are written."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with asking(tmp_path_factory.mktemp("doors"), open_to_all=False) as made:
        made.service.vitals.health.started(())
        yield made


@pytest.fixture(scope="module")
def shown(ask: Asking) -> dict[str, dict[str, str]]:
    """Give what each caller shows."""
    tokens = Tokens(ask.service.store, ask.service.clock)
    long, short = timedelta(days=1), timedelta(milliseconds=1)
    texts: dict[str, str] = {scope: tokens.create(scope, [scope], by="test", life=long).text for scope in SCOPES}
    texts["wrong"] = texts["operate"][:-8] + "0" * 8
    texts["expired"] = tokens.create("expired", SCOPES, by="test", life=short).text
    texts["revoked"] = tokens.create("revoked", SCOPES, by="test", life=long).text
    tokens.revoke("revoked", by="test")
    texts["other audience"] = FOREIGN
    ask.clock.advance(short)
    return {"none": {}, **{name: {"authorization": f"Bearer {text}"} for name, text in texts.items()}}


def outcome(ask: Asking, route: Route, headers: dict[str, str]) -> str:
    """Ask for what nobody has; say whether that was let in, or what it was refused with."""
    body = None if route.method == "GET" else route.harmless or b""
    status = ask(route.method, route.path.format(**NAMES), body, **headers).status
    assert status < 500
    return str(status) if status in {401, 403} else "let in"


def row(ask: Asking, route: Route, shown: dict[str, dict[str, str]]) -> str:
    said = [outcome(ask, route, shown[name]) for name in (*NOBODY, *SCOPES)]
    return f"| `{route.method} {route.path}` | {route.scope or 'anybody'} | {' | '.join(said)} |\n"


def test_the_page_tells_who_is_let_in_where(ask: Asking, shown: dict[str, dict[str, str]]) -> None:
    head = f"| request | scope | {' | '.join((*NOBODY, *SCOPES))} |\n|{'---|' * (len(NOBODY) + len(SCOPES) + 2)}\n"
    table = head + "".join(row(ask, route, shown) for route in ROUTES)
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    told, _, after = rest.partition(END)
    if os.environ.get("REWRITE"):
        PAGE.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")
    else:
        assert told == f"\n{table}\n"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_lets_in_its_scope_alone(ask: Asking, shown: dict[str, dict[str, str]], route: Route) -> None:
    for name in NOBODY:
        assert outcome(ask, route, shown[name]) == ("401" if route.scope else "let in")
    for scope in SCOPES:
        expected = "let in" if route.scope in {scope, None} else "403"
        assert outcome(ask, route, shown[scope]) == expected


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_refusal_tells_nothing_of_what_was_shown(
    ask: Asking, shown: dict[str, dict[str, str]], route: Route, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("wrong", "expired", "other audience"):
        found = ask(route.method, route.path.format(**NAMES), None, **shown[name])
        secret = shown[name]["authorization"][-20:]
        assert secret not in f"{found.text}{found.headers}{caplog.text}"


def test_a_token_that_is_limited_to_a_pipeline_sees_and_does_nothing_about_all_of_them(tmp_path: Path) -> None:
    with asking(tmp_path, open_to_all=False) as ask:
        tokens = Tokens(ask.service.store, ask.service.clock)
        text = tokens.create("limited", SCOPES, by="test", life=None, pipelines=["sources"]).text
        mine = {"authorization": f"Bearer {text}"}
        assert ask("GET", "/v1/runs/sources/2025-01-15", **mine).status == 404
        for method, path, body in (
            ("GET", "/v1/runs/other/2025-01-15", None),
            ("GET", "/v1/quarantine", None),
            ("GET", "/v1/processes", None),
            ("POST", "/v1/sweep", {}),
            ("POST", "/v1/halt", {"scope": "*", "reason": "x"}),
            ("POST", "/v1/runs", {"pipeline": "other", "key": "2025-01-15"}),
        ):
            assert ask(method, path, body, **mine).status == 403, path
