"""A service in this process: a pipeline whose members report from outside, asked without a network."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shotclock import Engine, Settings, open_store
from shotclock.engine.plans import Catalogue
from shotclock.engine.reach import NOTHING
from shotclock.engine.timetable import Timetables
from shotclock.http.access import Access
from shotclock.http.app import application
from shotclock.http.service import Service
from shotclock.observe.vitals import Vitals
from shotclock.ports import Store
from shotclock.testing.clock import FakeClock
from tests.unit.http.front import START

DAY = "2025-01-15"
RUN = f"sources/{DAY}"
FILE = """pipeline: sources
key: {name: day, type: date, timezone: UTC}
phases:
  raw:
    members:
      odds: {external: true, aliases: [lines]}
      props: {external: true}
    gate: {deadline: 30m}
  next:
    needs: [raw]
    members: {last: {external: true}}
"""


@dataclass(frozen=True)
class Answered:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.text)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.text.splitlines()]


class Asking:
    """A service, and how it is asked."""

    def __init__(self, service: Service, clock: FakeClock) -> None:
        self.service = service
        self.clock = clock
        self.app = application(service)

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Answered:
        """Ask once; `body` is bytes as they are, or a value that is sent as JSON."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def ask() -> Answered:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                said = await client.request(method, path, content=content, headers=named)
                return Answered(said.status_code, dict(said.headers), said.text)

        return asyncio.run(ask())

    def report(self, name: str = "odds", **more: object) -> Answered:
        return self("POST", "/v1/reports", {**said(name), **more})


def said(member: str = "odds") -> dict[str, object]:
    return {"run": RUN, "phase": "raw", "member": member, "outcome": "succeeded", "rows": 3}


@contextmanager
def asking(
    folder: Path, store: Store | None = None, file: str = FILE, *, open_to_all: bool = True, **more: object
) -> Iterator[Asking]:
    """Give a service that knows one pipeline, and ends with its store."""
    home = folder / "sources"
    home.mkdir(exist_ok=True)
    (home / "pipeline.yaml").write_text(file, encoding="utf-8")
    settings = Settings(home=folder / ".shotclock", **more)  # type: ignore[arg-type]  # settings by name
    clock, kept = FakeClock(START), store or open_store(Settings(home=folder / ".shotclock", store="memory://"))
    vitals = Vitals(kept, settings, clock)
    engine = Engine(kept, settings, clock, reach=NOTHING, kind="serve", audience=vitals.audience)
    catalogue = Catalogue([home], settings, {})
    timetables = Timetables(engine.coordinator, catalogue)
    timetables.register()
    access = Access(kept, settings, clock, open_to_all=open_to_all)
    service = Service(engine, catalogue, timetables, access, vitals)
    try:
        yield Asking(service, clock)
    finally:
        service.close()
        access.close()
        engine.close()
        vitals.close()
        kept.close()
