"""Gets real seasons from the public files in hoopR's layout: `python -m nba.fetch 2024-25 --to DATA`."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from gzip import GzipFile
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from shutil import copyfileobj
from threading import Event
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

from shotclock.amounts import duration
from shotclock.errors import StoreUnavailableError
from shotclock.files import placing, unwritable, write_whole

ADDRESS = "https://github.com/sportsdataverse/sportsdataverse-data/releases/download/espn_nba_player_boxscores/player_box_{year}.csv"
"""Where hoopR's publisher keeps a file for each season, named by the year in which the season ends."""

TERMS = """\
These files are published by sportsdataverse (hoopR) under CC BY 4.0: whoever shares them, or what is made of them,
names sportsdataverse as their source. Their numbers come from ESPN, whose own terms of use that licence does not
replace; read both before you use them for more than looking. Nothing of them is part of this project."""

_SEASON = re.compile(r"(?P<start>\d{4})-(?P<end>\d{2})|(?P<year>\d{4})")
_PIECE = 1 << 16
_ATTEMPTS = 4
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Refusals that may be over when it is tried again."""
_NOT_MODIFIED, _PARTIAL, _UNSATISFIABLE = 304, 206, 416

Said = Callable[[str], None]


class FetchError(Exception):
    """A file could not be fetched; the message names it, why, and the next step."""


class Passing(Exception):  # noqa: N818 - a reason to try again, not the end
    """What went wrong may be over when it is tried again."""


@dataclass(frozen=True)
class Errand:
    """One file to fetch: from where, to where, what its checksum must be if that is known, and how patiently."""

    address: str
    target: Path
    checksum: str = ""
    patience: timedelta = timedelta(0)
    """How long the other side may be silent."""
    first_wait: timedelta = timedelta(0)
    """The wait before the second attempt; it doubles each time."""

    @property
    def part(self) -> Path:
        """What has come so far."""
        return self.target.with_name(f".{self.target.name}.part")

    @property
    def record(self) -> Path:
        """What is known of the file: where it came from, its checksum, size and terms."""
        return self.target.with_name(f"{self.target.name}.json")

    @property
    def begun(self) -> Path:
        """Which edition the part is of."""
        return self.target.with_name(f".{self.target.name}.part.json")


def season_end(season: str) -> int:
    """Return the year in which a season such as `2024-25` or `2025` ends; raises `FetchError` if it is none."""
    found = _SEASON.fullmatch(season)
    if found is None or (found["start"] and (int(found["start"]) + 1) % 100 != int(found["end"])):
        message = f"{season!r} is not a season: write it as 2024-25, or as 2025, the year in which it ends"
        raise FetchError(message)
    return int(found["year"] or int(found["start"]) + 1)


def fetch(errand: Errand, said: Said) -> bool:
    """Fetch a file whole, or leave what is there as it was; returns whether it is new.

    What is there already is checked against its record and asked for again only if the publisher has another
    edition. A part of an earlier call is gone on with. Raises `FetchError`.
    """
    known = _known(errand)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _attempt(errand, known, said)
        except Passing as trouble:
            come = errand.part.stat().st_size if errand.part.exists() else 0
            if attempt == _ATTEMPTS:
                again = f"run the same command again, it goes on at byte {come:,}"
                message = f"{errand.address}: {trouble}, {attempt} times: {again}"
                raise FetchError(message) from trouble
            said(f"{errand.target.name}: {trouble}; going on at byte {come:,}")
            Event().wait(errand.first_wait.total_seconds() * 2 ** (attempt - 1))
    raise AssertionError


def _known(errand: Errand) -> dict[str, Any]:
    """Return the record of the file that is there, if it is still what was fetched."""
    record = _read(errand.record)
    if not record or not errand.target.exists() or record.get("address") != errand.address:
        return {}
    return record if _checksum(errand.target) == record.get("kept") else {}


def _attempt(errand: Errand, known: dict[str, Any], said: Said) -> bool:
    try:
        with _ask(errand, known) as answer:
            total = _receive(errand, answer, said)
            edition = answer.headers.get("ETag", "")
    except HTTPError as refusal:
        return _refused(errand, refusal, said)
    except (URLError, TimeoutError, ConnectionError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise Passing(str(reason) or type(error).__name__) from error
    _place(errand, edition, total)
    said(f"{errand.target.name}: {total:,} bytes, whole")
    return True


def _ask(errand: Errand, known: dict[str, Any]) -> HTTPResponse:
    headers = {"User-Agent": "shotclock-nba-fetch", "Accept-Encoding": "identity"}
    begun = _read(errand.begun)
    come = errand.part.stat().st_size if errand.part.exists() else 0
    if come and begun.get("etag") and begun.get("address") == errand.address:
        headers |= {"Range": f"bytes={come}-", "If-Range": begun["etag"]}
    elif known.get("etag"):
        headers["If-None-Match"] = known["etag"]
    request = Request(errand.address, headers=headers)  # noqa: S310 - the scheme was checked when the address was given
    answer: HTTPResponse = urlopen(request, timeout=errand.patience.total_seconds())  # noqa: S310 - likewise
    return answer


def _receive(errand: Errand, answer: HTTPResponse, said: Said) -> int:
    """Add what comes to the part, or begin it anew where the publisher sends the whole; returns the whole's size."""
    going_on = answer.status == _PARTIAL
    come = errand.part.stat().st_size if going_on else 0
    due = answer.headers.get("Content-Length")
    total = come + int(due) if due else None
    try:
        write_whole(errand.begun, _json({"address": errand.address, "etag": answer.headers.get("ETag", "")}))
        with errand.part.open("ab" if going_on else "wb") as file:
            while piece := answer.read1(_PIECE):
                file.write(piece)
                come += len(piece)
                said(
                    f"\r{errand.target.name}: {come:,} of {total:,} bytes"
                    if total
                    else f"\r{errand.target.name}: {come:,} bytes"
                )
    except (TimeoutError, ConnectionError, HTTPException):
        raise
    except OSError as error:
        raise unwritable(errand.part, error) from error
    if total is not None and come != total:
        message = f"the connection ended at {come:,} of {total:,} bytes"
        raise Passing(message)
    return come


def _refused(errand: Errand, refusal: HTTPError, said: Said) -> bool:
    refusal.close()
    if refusal.code == _NOT_MODIFIED:
        said(f"{errand.target.name}: already the published edition")
        return False
    if refusal.code == _UNSATISFIABLE:
        _forget(errand)
    if refusal.code in _PASSING or refusal.code == _UNSATISFIABLE:
        message = f"the publisher answered {refusal.code}"
        raise Passing(message)
    message = (
        f"{errand.address}: the publisher answered {refusal.code} ({refusal.reason}): is the season published? "
        "Name another one, or another address with --from"
    )
    raise FetchError(message)


def _place(errand: Errand, edition: str, total: int) -> None:
    found = _checksum(errand.part)
    if errand.checksum and found != errand.checksum.lower():
        _forget(errand)
        message = (
            f"{errand.address}: its SHA-256 is {found}, due is {errand.checksum.lower()}: nothing was kept; "
            "check the number, or fetch without --sha256 if you trust the new edition"
        )
        raise FetchError(message)
    _check_layout(errand)
    with placing(errand.target) as temporary:
        _pack(errand.part, temporary)
    kept = _checksum(errand.target)
    record = {"address": errand.address, "etag": edition, "sha256": found, "size": total, "kept": kept, "terms": TERMS}
    write_whole(errand.record, _json(record))
    _forget(errand)


def _pack(plain: Path, target: Path) -> None:
    """Keep the file as the pipeline reads it: its bytes as published, with gzip around them."""
    with plain.open("rb") as content, target.open("wb") as file, GzipFile("", "wb", mtime=0, fileobj=file) as packed:
        copyfileobj(content, packed)


def _check_layout(errand: Errand) -> None:
    with errand.part.open("rb") as file:
        head = file.readline(_PIECE)
    if b"game_id" in head and b"athlete_id" in head:
        return
    _forget(errand)
    message = f"{errand.address}: what came is not a player log in hoopR's layout: check the address given with --from"
    raise FetchError(message)


def _forget(errand: Errand) -> None:
    errand.part.unlink(missing_ok=True)
    errand.begun.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (
        OSError,
        ValueError,
    ):  # no record, or half of one, tells nothing: the file is fetched as if it were not there
        return {}
    return found if isinstance(found, dict) else {}


def _checksum(file: Path) -> str:
    with file.open("rb") as content:
        digest = sha256()
        while piece := content.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401 - click's signature
        try:
            return value if isinstance(value, timedelta) else duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command(help="Fetch the player logs of SEASONS, such as 2024-25, in the ESPN layout that hoopR publishes.")
@click.argument("seasons", nargs=-1, required=True)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to put them in; made if it is not there.",
)
@click.option(
    "--from",
    "address",
    default=ADDRESS,
    show_default=True,
    help="Address of a season's file; {year} stands for the year it ends in.",
)
@click.option("--sha256", "checksum", default="", help="What the file's checksum must be; with one season only.")
@click.option(
    "--patience", type=_Duration(), default="30s", show_default=True, help="How long the publisher may be silent."
)
@click.option(
    "--wait",
    "first_wait",
    type=_Duration(),
    default="2s",
    show_default=True,
    help="Wait before the second of four attempts; doubles.",
)
def main(
    seasons: tuple[str, ...], folder: Path, address: str, checksum: str, patience: timedelta, first_wait: timedelta
) -> None:
    """Fetch the seasons one after the other; the first that cannot be had ends it with one line and exit code 1."""
    if "{year}" not in address or not address.startswith(("https://", "http://")):
        message = f"{address!r} is not an address of seasons: it begins with https:// and has {{year}} in it"
        raise click.UsageError(message)
    if checksum and len(seasons) > 1:
        message = "--sha256 is the checksum of one file: fetch one season at a time with it"
        raise click.UsageError(message)
    click.echo(TERMS, err=True)
    try:
        for year in [season_end(season) for season in seasons]:
            where = address.replace("{year}", str(year))
            target = folder / f"player_box_{year}.csv.gz"
            _make(folder)
            fetch(Errand(where, target, checksum, patience, first_wait), _screen)
            click.echo(target)
    except (FetchError, StoreUnavailableError) as error:
        click.echo(f"nba.fetch: {error}", err=True)
        sys.exit(1)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def _screen(words: str) -> None:
    """Show progress on a terminal, in one line that is written over; elsewhere only what is worth a line."""
    if not words.startswith("\r"):
        click.echo(words, err=True)
    elif sys.stderr.isatty():
        click.echo(words, err=True, nl=False)


if __name__ == "__main__":
    main()
