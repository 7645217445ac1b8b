"""Phases that finish on time: an exact fan-in coordinator for daily data and prediction pipelines.

What is named here is public. Each name is imported when it is first used, so that importing the package stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shotclock.context import Context
    from shotclock.engine.coordinator import Coordinator
    from shotclock.engine.embedded import Engine
    from shotclock.engine.idempotent import idempotent
    from shotclock.model import Report
    from shotclock.outcomes import Empty, Item, Permanent, Retry, Skipped, Succeeded
    from shotclock.settings import Settings
    from shotclock.spec import load
    from shotclock.stores import open_store

__version__ = "0.1.0"

__all__ = [
    "Context",
    "Coordinator",
    "Empty",
    "Engine",
    "Item",
    "Permanent",
    "Report",
    "Retry",
    "Settings",
    "Skipped",
    "Succeeded",
    "__version__",
    "idempotent",
    "load",
    "open_store",
]

_HOMES = {
    "Context": "shotclock.context",
    "Coordinator": "shotclock.engine.coordinator",
    "Empty": "shotclock.outcomes",
    "Engine": "shotclock.engine.embedded",
    "Item": "shotclock.outcomes",
    "Permanent": "shotclock.outcomes",
    "Report": "shotclock.model",
    "Retry": "shotclock.outcomes",
    "Settings": "shotclock.settings",
    "Skipped": "shotclock.outcomes",
    "Succeeded": "shotclock.outcomes",
    "idempotent": "shotclock.engine.idempotent",
    "load": "shotclock.spec",
    "open_store": "shotclock.stores",
}


if not TYPE_CHECKING:  # a type checker reads the imports above, and finds out about names that are not there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
