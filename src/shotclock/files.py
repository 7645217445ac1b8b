"""Files that appear whole or not at all."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from shotclock.errors import StoreUnavailableError

_NEXT_STEP = {
    errno.ENOSPC: "the disk is full: free some space, then run it again",
    errno.EDQUOT: "the disk quota is used up: free some space, then run it again",
    errno.EROFS: "the file system is read-only: choose another home folder, then run it again",
    errno.EACCES: "the folder may not be written: change its permissions or choose another home folder",
    errno.EPERM: "the folder may not be written: change its permissions or choose another home folder",
    errno.ENOTDIR: "a part of its path is a file: choose another home folder",
    errno.EEXIST: "a part of its path is a file: choose another home folder",
}


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash, finds the old content or the new one, never a part.

    The content is on disk when this returns. Raises `StoreUnavailableError` that names the file and the next step.
    """
    with placing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def placing(path: Path) -> Iterator[Path]:
    """Give a path to write to; what was written there becomes `path` at the end, durably, or is removed on an error.

    Safe when two processes place the same file at once: each has a path of its own, the last one stays.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _flush(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> StoreUnavailableError:
    """Say in one line which file could not be written, why, and what to do next."""
    why = _NEXT_STEP.get(error.errno or 0, f"{error.strerror or error}: check the folder, then run it again")
    return StoreUnavailableError(f"cannot write {path}: {why}")


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
