"""The league's files, laid out as a folder of published ones, made once and kept under a name that tells how."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from nba.simulated.espn import box_text as espn_text
from nba.simulated.lines import prop_files
from nba.simulated.play import first_edition, played
from nba.simulated.schedule import schedule
from nba.simulated.stats import box_text, positions_text
from shotclock.files import write_whole
from shotclock.model import digest

_QUICK = 2
"""How hard to compress; the files are read more often than they are sent."""
_DONE = "complete"


def league(cache: Path) -> Path:
    """Return the folder of the league in the layout of stats.nba.com, written there if it is not yet."""
    return _kept(cache, "simulated", _stats_files)


def espn(cache: Path) -> Path:
    """Return the folder of the league in the ESPN layout, written there if it is not yet."""
    return _kept(cache, "simulated-espn", _espn_files)


def early(cache: Path) -> Path:
    """Return the folder of the first edition, in both layouts: it ends sooner, and was corrected later."""
    return _kept(cache, "simulated-first", _first_files)


def season() -> str:
    """Return the season as CSV text in the layout of stats.nba.com, sorted by day."""
    return box_text(played())


Files = tuple[tuple[str, bytes], ...]
"""Names within the folder, and contents."""


def _kept(cache: Path, name: str, made: Callable[[], Files]) -> Path:
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    folder = cache / f"{name}-{digest(*sources)[:12]}"
    if not (folder / _DONE).exists():
        for path, content in made():
            write_whole(folder / path, content)
        write_whole(folder / _DONE, b"")
    return folder


@lru_cache(maxsize=1)
def _stats_files() -> Files:
    season = played()
    positions = [("player_positions_2024-25.csv", positions_text(season))]
    return (
        ("player_box_2024-25.csv.gz", _packed(box_text(season))),
        ("player_positions_2024-25.tar.xz", _archive(positions)),
        ("schedule_leaguev2_2024-25.json.gz", _packed(json.dumps(schedule(season), ensure_ascii=False))),
        ("props_pts_reb_ast_2024-11-01_to_2025-03-02_daily.tar.xz", _archive(prop_files(season))),
    )


@lru_cache(maxsize=1)
def _espn_files() -> Files:
    return (("player_box_2025.csv.gz", _packed(espn_text(played()))),)


@lru_cache(maxsize=1)
def _first_files() -> Files:
    season = first_edition(played())
    stats, other = _packed(box_text(season)), _packed(espn_text(season))
    return ("player_box_2024-25.csv.gz", stats), ("player_box_2025.csv.gz", other)


def _packed(text: str) -> bytes:
    return gzip.compress(text.encode(), _QUICK, mtime=0)


def _archive(texts: Iterable[tuple[str, str]]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:xz", preset=0) as archive:
        for name, text in texts:
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()
