"""The repository as text: which files it holds, for the tests that read all of them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
IGNORED = {".git", ".venv", ".shotclock", "dist", "uv.lock"}
CACHES = ("__pycache__", ".egg-info", "_cache", ".hypothesis", ".coverage")


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Yield the files a reader of the repository sees, in order; what tools leave behind is left out."""
    for path in sorted(folder.iterdir()):
        if (folder == ROOT and path.name in IGNORED) or any(cache in path.name for cache in CACHES):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def sources(*folders: str) -> list[Path]:
    """Return the Python files below these folders."""
    return [path for folder in folders for path in files(ROOT / folder) if path.suffix == ".py"]


def named(path: Path) -> str:
    """Write a path as the repository's reader knows it."""
    return path.relative_to(ROOT).as_posix()
