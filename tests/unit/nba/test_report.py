"""The report: everything that is known, an honest word for what is not, and the same bytes for the same facts."""

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from nba.report import Facts, page
from nba.report.facts import Expected
from nba.report.plots import SMOOTHED, settled, smoothed
from nba.report.svg import Scale, ticks
from nba.scores import DayError
from nba.systems import STATS
from tests.unit.nba.sample_report import whole

HEADINGS = [
    "Today's predictions", "Error over the season", "Calibration", "Biggest misses", "By minutes played",
    "Beside the market's line", "Sources", "Gates",
]  # fmt: skip


class Read(HTMLParser):
    """What a page consists of: elements that are closed in order, their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in {"meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)

    @property
    def words(self) -> str:
        """The text as it is read."""
        return " ".join(" ".join(self.text).split())


def empty() -> Facts:
    """Return the report of the first day of all: predicted, and nothing graded."""
    nothing: dict[str, list[object]] = {
        name: [] for name in ("summary", "daily", "calibration", "misses", "groups", "beside_line", "sources")
    }
    return replace(whole(), graded_day=None, partial=False, missing={}, **nothing)


def headings(text: str) -> list[str]:
    return [found.replace("&#x27;", "'") for found in re.findall(r"<h2[^>]*>(.*?)</h2>", text)]


@pytest.mark.parametrize("facts", [whole(), empty(), replace(empty(), players=[])], ids=["whole", "first", "off"])
def test_every_section_is_there_whatever_is_known(facts: Facts) -> None:
    text = page(facts)
    assert headings(text) == HEADINGS
    assert Read(text).open == []


def test_the_same_facts_give_the_same_bytes() -> None:
    assert page(whole()) == page(whole())


def test_the_page_needs_no_network() -> None:
    text = page(whole())
    addresses = [value for name, value in Read(text).attributes if name in {"src", "href"} and value]
    assert all(
        value.startswith("#") or value in {"predictions.json", "predictions.parquet", "about.html"}
        for value in addresses
    )
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_names_are_shown_and_not_obeyed() -> None:
    text = page(whole())
    assert "<b>" not in text
    assert "Dashel &lt;b&gt;" in text


def test_what_is_simulated_is_labelled_and_what_is_real_is_not() -> None:
    assert "<strong>SIMULATED</strong>" in page(whole())
    assert "<title>SIMULATED: " in page(whole())
    assert "SIMULATED" not in page(replace(whole(), simulated=False, source="files", terms="terms of their own"))


def test_partial_is_said_with_the_names_that_are_missing() -> None:
    assert "Partial. Missing: raw: props." in Read(page(whole())).words
    assert "Partial." not in Read(page(empty())).words


def test_no_profit_is_claimed_and_the_line_is_compared() -> None:
    words = Read(page(whole())).words
    assert "This report makes no claim of profit." in words
    assert "the line (5.18) is better than the best system, ensemble (5.28)" in words
    assert "This report makes no claim of profit." in Read(page(empty())).words


def test_the_first_day_says_that_nothing_has_been_graded_yet() -> None:
    words = Read(page(empty())).words
    assert words.count("Nothing has been graded before 15 January 2025") == 4
    assert "No graded prediction has had a line beside it yet." in words


def test_a_day_off_says_so_and_still_shows_the_season() -> None:
    words = Read(page(replace(whole(), players=[]))).words
    assert "No games are played on this day." in words
    assert "games today" not in words
    assert "Each point is the mean of the 15 graded days" in words


def test_predictions_without_intervals_or_lines_say_so() -> None:
    plain = [
        replace(one, expected={stat: Expected(one.expected[stat].value) for stat in STATS}) for one in whole().players
    ]
    words = Read(page(replace(whole(), players=plain))).words
    assert "no intervals yet: they are learnt from graded days" in words
    assert "no lines are there for this day" in words


def test_every_drawing_tells_what_it_shows() -> None:
    drawings = re.findall(r"<svg[^>]*role=\"img\".*?</svg>", page(whole()), re.DOTALL)
    assert len(drawings) == 9
    for drawing in drawings:
        labelled = re.search(r'aria-labelledby="(\S+) (\S+)"', drawing)
        assert labelled is not None
        assert all(f'id="{name}"' in drawing for name in labelled.groups())
        assert re.search(r"<desc[^>]*>.+</desc>", drawing)
        assert 'class="axis"' in drawing


def test_an_error_is_smoothed_over_graded_days_by_how_many_were_graded() -> None:
    rows = [DayError(date(2025, 1, day), "points", "mean", 10 * day, float(day)) for day in range(1, SMOOTHED + 3)]
    last = rows[2:]
    assert smoothed(rows)[0] == (date(2025, 1, 1), 1.0)
    assert smoothed(rows)[-1][1] == pytest.approx(sum(row.mae * row.n for row in last) / sum(row.n for row in last))


def test_the_first_points_of_a_long_season_are_left_out() -> None:
    points = [(date(2024, 11, 1) + timedelta(days=day), 5.0) for day in range(2 * SMOOTHED)]
    assert settled(points) == points[SMOOTHED - 1 :]
    assert settled(points[:-1]) == points[:-1]


def test_the_trees_come_with_a_word_of_care() -> None:
    assert "who else is on the card" in Read(page(whole())).words
    assert "who else is on the card" not in Read(page(empty())).words


def test_a_log_that_has_ended_is_said_where_no_games_are_known() -> None:
    ended = replace(empty(), players=[], log_ends=date(2025, 1, 14))
    assert "No games are known on this day: the log ends on 14 January 2025" in Read(page(ended)).words


def test_one_graded_day_is_drawn() -> None:
    one = [row for row in whole().daily if row.game_date == date(2024, 10, 23)]
    assert Read(page(replace(whole(), daily=one))).open == []


@pytest.mark.parametrize(
    ("low", "high", "given"), [(0, 40, [0, 10, 20, 30, 40]), (4.3, 5.5, [4.5, 5.0, 5.5]), (-6, 6, [-5, 0, 5])]
)
def test_axes_are_marked_at_round_numbers(low: float, high: float, given: list[float]) -> None:
    assert ticks(low, high, 4) == given


def test_what_lies_beyond_an_axis_is_drawn_at_its_end() -> None:
    scale = Scale(0.0, 10.0, 100.0, 200.0)
    assert (scale.at(-5), scale.at(5), scale.at(50)) == (100.0, 150.0, 200.0)


def test_text_and_marks_can_be_told_from_their_paper_in_both_themes() -> None:
    style = (Path(__file__).parents[3] / "pipelines" / "nba" / "report" / "style.css").read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    )
    for theme in (light, dark):
        for paper in ("paper", "card"):
            assert all(contrast(theme[ink], theme[paper]) >= 4.5 for ink in ("ink", "soft", "accent"))
            assert all(contrast(theme[f"s{number}"], theme[paper]) >= 3.0 for number in range(6))
        assert contrast(theme["warn-ink"], theme["warn-paper"]) >= 4.5


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
