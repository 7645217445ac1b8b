"""What tests of the service's door share: a store with tokens, a clock that is set, headers as callers send them."""

from datetime import UTC, datetime, timedelta

from shotclock.engine.tokens import Issued, Tokens
from shotclock.http.access import Access
from shotclock.model import Scope
from shotclock.ports import Store
from shotclock.settings import Settings
from shotclock.stores.memory import MemoryStore
from shotclock.testing.clock import FakeClock

START = datetime(2025, 1, 15, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)


class Front:
    """A store, and what is done and asked at it."""

    def __init__(self, store: Store | None = None) -> None:
        self.clock = FakeClock(START)
        self.store = store or MemoryStore()
        self.tokens = Tokens(self.store, self.clock)

    def create(self, name: str = "loader", *scopes: Scope, pipelines: tuple[str, ...] = ()) -> Issued:
        """Make a token; the clock goes on a little, so that the next is younger."""
        self.clock.advance(MOMENT)
        return self.tokens.create(name, scopes or ("report",), by="ann", life=HOUR, pipelines=pipelines)

    def access(self, *, open_to_all: bool = False, **more: object) -> Access:
        settings = Settings(**more)  # type: ignore[arg-type]  # settings by name
        return Access(self.store, settings, self.clock, open_to_all=open_to_all)


def showing(text: str) -> dict[str, str]:
    return {"host": "127.0.0.1:8080", "authorization": f"Bearer {text}"}
