"""Published files beside the game logs: archives of tables and the schedule, read as they are published."""

import io
import lzma
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from nba.editions import take_note
from nba.queries import query
from nba.raw import check_in, read
from nba.source import folder_of
from shotclock.context import Context
from shotclock.model import digest
from shotclock.outcomes import Permanent
from shotclock.warehouse.duckdb import scratch, write_parquet


def files(ctx: Context, pattern: str) -> list[Path]:
    """Return the files of the day's folder whose names match, sorted by name; none is no error."""
    return sorted(folder_of(ctx).glob(pattern))


def tables(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a tar.xz archive; raises `Permanent` if it is not whole."""
    try:
        plain = lzma.decompress(content)  # all of it: a tar reader would not see a torn end
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for entry in archive:
                file = archive.extractfile(entry)
                if file is not None:
                    yield entry.name, file.read()
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        message = f"{name}: not a whole tar.xz archive ({error}): fetch it again"
        raise Permanent(message) from error


def checked(ctx: Context, path: Path, rule: str, rows: Callable[[bytes, str], Iterable[Sequence[object]]]) -> Path:
    """Return a file as checked Parquet, made once for its content and rule and kept under a name made of both."""
    content = read(path)
    text = query("macros") + query(rule)
    target = ctx.home / "cache" / rule / f"{digest(content, text.encode())}.parquet"
    if not target.exists():
        check_in(rows(content, path.name), query(rule), target, {})
    return target


def noted(ctx: Context, name: str, file: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Return what outputs say of a checked file: where it is, its rejected rows and what changed."""
    changes = take_note(ctx.home / "cache", name, file, keys)
    rejected = file.with_suffix(".rejected.parquet")
    if not rejected.exists():
        with scratch() as connection:
            write_parquet(connection, query("refused"), rejected, {"file": str(file), "source": ctx.member})
    rows, aside = _counted(file, rejected)
    said = {"new": changes.new, "changed": changes.changed, "removed": changes.removed}
    return {**said, "file": ctx.relative(file), "rows": rows, "set_aside": aside, "rejected": ctx.relative(rejected)}


@lru_cache(maxsize=16)
def _counted(file: Path, rejected: Path) -> tuple[int, int]:
    """Count the rows that are used and those that are not; a file is named by its content, so this is said once."""
    with scratch() as connection:
        found = connection.execute(query("accepted"), {"file": str(file), "rejected": str(rejected)}).fetchall()[0]
    return int(found[0]), int(found[1])
