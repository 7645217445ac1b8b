"""Fetching a season: whole or not at all, gone on with after a break, checked, and refused in one line."""

import gzip
import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nba.fetch import ADDRESS, TERMS, main, season_end
from nba.fetch import FetchError as Refused
from tests.unit.nba.served import Served, serving

CONTENT = b"game_id,season,athlete_id\n" + b"401700001,2025,4000001\n" * 20_000
NAME = "player_box_2025.csv.gz"


@pytest.fixture
def served() -> Iterator[Served]:
    published = Served(CONTENT)
    with serving(published) as address:
        published.address = address
        yield published


def fetched(served: Served, folder: Path, *more: str) -> Result:
    words = ["2024-25", "--to", str(folder), "--from", served.address, "--wait", "0s", "--patience", "5s", *more]
    return CliRunner().invoke(main, words)


def kept(file: Path) -> bytes:
    """Return what was published, from the file it is kept in."""
    return gzip.decompress(file.read_bytes())


def test_a_season_is_fetched_whole_and_recorded(served: Served, tmp_path: Path) -> None:
    done = fetched(served, tmp_path / "data")
    record = json.loads((tmp_path / "data" / f"{NAME}.json").read_bytes())
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'data' / NAME}\n")
    assert kept(tmp_path / "data" / NAME) == CONTENT
    assert (record["sha256"], record["size"]) == (sha256(CONTENT).hexdigest(), len(CONTENT))
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [NAME, f"{NAME}.json"]


def test_the_terms_are_told_before_anything_is_asked_for(served: Served, tmp_path: Path) -> None:
    done = fetched(served, tmp_path)
    assert done.stderr.startswith(TERMS)
    assert "CC BY 4.0" in TERMS
    assert "ESPN" in TERMS
    assert "{year}" in ADDRESS


def test_a_connection_that_ends_early_is_gone_on_with(served: Served, tmp_path: Path) -> None:
    served.cut_after = [100_000, 50_000]
    done = fetched(served, tmp_path)
    assert done.exit_code == 0
    assert kept(tmp_path / NAME) == CONTENT
    assert [asked.get("range") for asked in served.asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert {asked.get("if-range") for asked in served.asked[1:]} == {'"first"'}


def test_what_came_is_kept_for_the_next_call(served: Served, tmp_path: Path) -> None:
    served.cut_after = [50_000, 50_000, 50_000, 50_000]
    first = fetched(served, tmp_path)
    assert first.exit_code == 1
    assert "4 times: run the same command again, it goes on at byte 200,000" in first.stderr
    assert not (tmp_path / NAME).exists()
    assert fetched(served, tmp_path).exit_code == 0
    assert kept(tmp_path / NAME) == CONTENT
    assert served.asked[-1]["range"] == "bytes=200000-"


def test_another_edition_in_between_is_fetched_from_its_start(served: Served, tmp_path: Path) -> None:
    served.cut_after = [50_000] * 4
    fetched(served, tmp_path)
    served.content, served.tag = CONTENT.replace(b"4000001", b"4000002"), '"second"'
    assert fetched(served, tmp_path).exit_code == 0
    assert kept(tmp_path / NAME) == served.content


def test_a_publisher_without_ranges_sends_the_whole_again(served: Served, tmp_path: Path) -> None:
    served.cut_after, served.ranges = [100_000], False
    assert fetched(served, tmp_path).exit_code == 0
    assert kept(tmp_path / NAME) == CONTENT


def test_a_publisher_that_falls_silent_is_given_up_on_in_time(served: Served, tmp_path: Path) -> None:
    served.silent = threading.Event()
    done = fetched(served, tmp_path, "--patience", "50ms")
    assert done.exit_code == 1
    assert "timed out, 4 times: run the same command again" in done.stderr


@pytest.mark.parametrize("answer", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS])
def test_a_passing_refusal_is_tried_again(served: Served, tmp_path: Path, answer: HTTPStatus) -> None:
    served.answers = [answer]
    done = fetched(served, tmp_path)
    assert done.exit_code == 0
    assert f"the publisher answered {answer.value}" in done.stderr


def test_a_season_that_is_not_there_is_one_line_and_not_tried_again(served: Served, tmp_path: Path) -> None:
    served.answers = [HTTPStatus.NOT_FOUND]
    done = fetched(served, tmp_path)
    assert done.exit_code == 1
    assert done.stderr.removeprefix(TERMS).strip().count("\n") == 0
    assert "player_box_2025.csv: the publisher answered 404 (Not Found): is the season published?" in done.stderr
    assert len(served.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_keeps_nothing_new_and_what_was_there(served: Served, tmp_path: Path) -> None:
    fetched(served, tmp_path)
    served.content, served.tag = CONTENT + b"more\n", '"second"'
    done = fetched(served, tmp_path, "--sha256", "ab" * 32)
    assert done.exit_code == 1
    assert f"its SHA-256 is {sha256(served.content).hexdigest()}, due is {'ab' * 32}: nothing was kept" in done.stderr
    assert kept(tmp_path / NAME) == CONTENT
    assert not list(tmp_path.glob(".*"))


def test_a_right_checksum_is_accepted(served: Served, tmp_path: Path) -> None:
    assert fetched(served, tmp_path, "--sha256", sha256(CONTENT).hexdigest().upper()).exit_code == 0


def test_what_is_there_is_not_fetched_again(served: Served, tmp_path: Path) -> None:
    fetched(served, tmp_path)
    written = (tmp_path / NAME).stat().st_mtime_ns
    done = fetched(served, tmp_path)
    assert served.asked[-1]["if-none-match"] == '"first"'
    assert "already the published edition" in done.stderr
    assert (tmp_path / NAME).stat().st_mtime_ns == written


def test_a_file_that_was_altered_is_fetched_anew(served: Served, tmp_path: Path) -> None:
    fetched(served, tmp_path)
    (tmp_path / NAME).write_bytes(gzip.compress(CONTENT[:-7]))
    assert fetched(served, tmp_path).exit_code == 0
    assert kept(tmp_path / NAME) == CONTENT


def test_a_corrected_edition_replaces_the_one_before(served: Served, tmp_path: Path) -> None:
    fetched(served, tmp_path)
    served.content, served.tag = CONTENT.replace(b"4000001", b"4000002"), '"second"'
    assert fetched(served, tmp_path).exit_code == 0
    assert kept(tmp_path / NAME) == served.content
    assert json.loads((tmp_path / f"{NAME}.json").read_bytes())["etag"] == '"second"'


def test_a_page_in_place_of_the_file_is_not_taken_for_it(served: Served, tmp_path: Path) -> None:
    served.content = b"<!doctype html><title>Sign in</title>"
    done = fetched(served, tmp_path)
    assert done.exit_code == 1
    assert "is not a player log in hoopR's layout" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nobody_at_the_address_is_said_so(tmp_path: Path) -> None:
    with serving(Served(CONTENT)) as address:
        gone = address
    done = CliRunner().invoke(main, ["2025", "--to", str(tmp_path), "--from", gone, "--wait", "0s"])
    assert done.exit_code == 1
    assert "Connection refused, 4 times" in done.stderr.replace("[Errno 111] ", "")


def test_a_folder_that_cannot_be_written_is_named(served: Served, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder is due", encoding="utf-8")
    done = fetched(served, tmp_path / "data")
    assert done.exit_code == 1
    assert f"cannot write {tmp_path / 'data'}" in done.stderr


@pytest.mark.parametrize(("season", "year"), [("2024-25", 2025), ("2025", 2025), ("1999-00", 2000)])
def test_a_season_is_named_by_both_years_or_the_last(season: str, year: int) -> None:
    assert season_end(season) == year


@pytest.mark.parametrize("season", ["2024-26", "24-25", "next", "2024/25"])
def test_what_is_no_season_is_refused(season: str) -> None:
    with pytest.raises(Refused, match="is not a season: write it as 2024-25"):
        season_end(season)


@pytest.mark.parametrize(
    "words",
    [["2025", "--from", "ftp://x/{year}"], ["2025", "--from", "https://x/y"], ["2024", "2025", "--sha256", "ab"]],
)
def test_wrong_use_is_told_apart(tmp_path: Path, words: list[str]) -> None:
    assert CliRunner().invoke(main, [*words, "--to", str(tmp_path)]).exit_code == 2
