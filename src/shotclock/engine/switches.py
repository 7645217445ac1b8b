"""What is stronger than the store on this machine: the kill switch, a file and a setting, and environment variables.

The file is ``flags.off`` in the home folder: names of flags, one a line, or ``*`` for all; an empty file means all too.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from shotclock.model import Flag, Overrides
from shotclock.settings import Settings

ALL: Final = "*"


def kill_switch(settings: Settings) -> Path:
    """Return the file that turns flags off for every process with this home folder."""
    return settings.home / "flags.off"


def read(settings: Settings, flags: Iterable[Flag], environment: Mapping[str, str] | None = None) -> Overrides:
    """Read the kill switch, and the variables that flags name as their alias."""
    return Overrides(off=off(settings), given=given(flags, environment))


def off(settings: Settings) -> frozenset[str]:
    """Return the flags that the kill switch turns off: the file and the setting."""
    return _words(settings.flags_off.replace(",", "\n")) | killed(settings)


def given(flags: Iterable[Flag], environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that flags name as their alias, where they are set."""
    variables = os.environ if environment is None else environment
    return {flag.alias: variables[flag.alias] for flag in flags if flag.alias is not None and flag.alias in variables}


def killed(settings: Settings) -> frozenset[str]:
    """Return the flags that the file turns off; one that is there and cannot be read turns all of them off."""
    try:
        text = kill_switch(settings).read_text(encoding="utf-8")
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError):
        return frozenset({ALL})
    return _words(text) or frozenset({ALL})


def kill(settings: Settings, names: Iterable[str]) -> frozenset[str]:
    """Add flags to the file, on disk before this returns; return all that it turns off."""
    after = killed(settings) | frozenset(names)
    _write(kill_switch(settings), after)
    return after


def revive(settings: Settings, names: Iterable[str]) -> frozenset[str]:
    """Take flags off the file, all of them with ``*``; return those it still turns off."""
    wanted = frozenset(names)
    after = frozenset() if ALL in wanted else killed(settings) - wanted
    if after:
        _write(kill_switch(settings), after)
    else:
        with suppress(FileNotFoundError):
            kill_switch(settings).unlink()
    return after


def _write(path: Path, names: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write("".join(f"{name}\n" for name in sorted(names)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.splitlines() if word.strip())
