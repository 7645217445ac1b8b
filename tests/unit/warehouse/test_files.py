"""Files appear whole or not at all, and what prevents it is said in one line."""

import errno
from pathlib import Path

import pytest

from shotclock.errors import StoreUnavailableError
from shotclock.files import placing, unwritable, write_whole


def test_a_file_replaces_the_one_before_and_leaves_no_other(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.json"
    write_whole(file, b"first")
    write_whole(file, b"second")
    assert file.read_bytes() == b"second"
    assert list(file.parent.iterdir()) == [file]


def test_an_error_while_writing_keeps_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_whole(file, b"old")
    with pytest.raises(RuntimeError):
        _fail_halfway(file)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_path_through_a_file_is_named(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"")
    with pytest.raises(StoreUnavailableError, match=r"cannot write .*a/b: a part of its path is a file"):
        write_whole(tmp_path / "a" / "b", b"")


def test_a_path_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreUnavailableError, match=r"cannot write .*/a: "):
        write_whole(tmp_path / "a", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.ENOSPC, "the disk is full: free some space"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "may not be written: change its permissions"),
        (errno.EIO, "check the folder"),
    ],
)
def test_what_prevents_writing_is_said_with_the_next_step(code: int, said: str) -> None:
    message = str(unwritable(Path("home/a.json"), OSError(code, "went wrong")))
    assert message.startswith("cannot write home/a.json: ")
    assert said in message
    assert "\n" not in message


def _fail_halfway(file: Path) -> None:
    with placing(file) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
