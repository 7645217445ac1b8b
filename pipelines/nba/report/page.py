"""The report as one HTML page that needs nothing else: no network, no font, no file beside it."""

from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from nba.report.facts import Facts
from nba.report.sections import SECTIONS, headline_figures
from nba.report.svg import tag
from nba.report.tables import Cell, Column, table

_TITLES = (
    ("today", "Today"), ("season", "Error"), ("calibration", "Calibration"), ("misses", "Misses"),
    ("groups", "Minutes"), ("lines", "Line"), ("sources", "Sources"), ("gates", "Gates"),
)  # fmt: skip


def page(facts: Facts) -> str:
    """Return the report; the same facts give the same text."""
    day = f"{facts.day:%A} {facts.day.day} {facts.day:%B %Y}"
    links = tag("nav", *(tag("a", title, href=f"#{name}") for name, title in _TITLES), aria_label="Sections")
    badge = (
        tag("p", tag("strong", "SIMULATED"), " ", escape(facts.terms), class_="simulated") if facts.simulated else ""
    )
    figures = tag(
        "dl", *(tag("div", tag("dt", escape(what)), tag("dd", figure)) for figure, what in headline_figures(facts))
    )
    head = tag("header", badge, tag("h1", f"Predictions for {day}"), _partial(facts), figures, links)
    body = tag("main", *(section(facts) for section in SECTIONS))
    return _document(
        f"{'SIMULATED: ' if facts.simulated else ''}Predictions for {day}",
        head,
        body,
        _foot(),
        tag("script", _file("table.js")),
    )


def about_page(about: Mapping[str, Any]) -> str:
    """Return the page of what differs from run to run: generation, attempt, and when each gate opened."""
    columns = [Column("phase"), Column("opened by"), Column("at (UTC)"), Column("late by", numeric=True)]
    rows = [
        [
            Cell(name),
            Cell(str(gate.get("reason", ""))),
            Cell(str(gate.get("at", ""))[:19].replace("T", " ")),
            Cell(_late(gate)),
        ]
        for name, gate in about["gates"].items()
    ]
    words = f"Run {about['run']}, generation {about['generation']}, attempt {about['attempt']}."
    back = tag("p", tag("a", "The report", href="report.html"))
    head = tag("header", tag("h1", "How the report came about"), tag("p", escape(words)), back)
    section = tag("section", tag("h2", "Gates", id="gates"), table("When each gate opened", columns, rows))
    return _document("How the report came about", head, tag("main", section))


def _late(gate: Mapping[str, Any]) -> str:
    late = gate.get("late_by")
    return "no deadline" if late is None else f"{late:.1f} s"


def _partial(facts: Facts) -> str:
    if not facts.partial:
        return ""
    named = "; ".join(f"{phase}: {', '.join(names)}" for phase, names in facts.missing.items())
    return tag(
        "p",
        tag("strong", "Partial."),
        " ",
        escape(f"Missing: {named}." if named else "Something was missing."),
        class_="partial",
    )


def _foot() -> str:
    words = "The same predictions as data: "
    links = (tag("a", name, href=name) for name in ("predictions.json", "predictions.parquet"))
    about = tag("a", "about.html", href="about.html")
    return tag("footer", tag("p", words, ", ".join(links), ". How this page came about: ", about, "."))


def _document(title: str, *inside: str) -> str:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
    )
    style = tag("style", _file("style.css"))
    whole = tag("html", tag("head", head, tag("title", escape(title)), style), tag("body", *inside), lang="en")
    return f"<!doctype html>\n{whole}\n"


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
