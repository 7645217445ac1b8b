"""Tables as HTML: numbers aligned, headings that say what they head, rows that can be sorted where there are many."""

from collections.abc import Iterable, Sequence
from html import escape

from msgspec import Struct

from nba.report.svg import tag


class Column(Struct, frozen=True):
    """A column: its heading, and whether it holds numbers, which stand on the right."""

    title: str
    numeric: bool = False
    wide_only: bool = False
    """Whether a narrow screen leaves it out."""


class Cell(Struct, frozen=True):
    """A value of a table: what is read, what it is sorted by if that is something else, the finer print under it."""

    text: str
    order: float | str | None = None
    notes: tuple[str, ...] = ()


def table(caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, sortable: bool = False) -> str:
    """Write a table; a sortable one gets buttons in its headings once its script runs."""
    heads = tag("tr", *(_head(column) for column in columns))
    body = "".join(
        tag("tr", *(_cell(*pair, first=not at) for at, pair in enumerate(zip(columns, row, strict=True))))
        for row in rows
    )
    inside = tag("caption", escape(caption)) + tag("thead", heads) + tag("tbody", body)
    written = tag("table", inside, class_="sortable" if sortable else "plain")
    return tag("div", written, class_="scroll", tabindex=0, role="region", aria_label=caption)


def _head(column: Column) -> str:
    return tag("th", escape(column.title), scope="col", class_=_class(column))


def _cell(column: Column, cell: Cell, *, first: bool) -> str:
    shown = escape(cell.text)
    note = "".join(tag("span", escape(words), class_="note") for words in cell.notes)
    attributes = {} if cell.order is None else {"data_order": cell.order}
    if first:
        return tag("th", shown, note, scope="row", class_=_class(column), **attributes)
    return tag("td", shown, note, class_=_class(column), **attributes)


def _class(column: Column) -> str:
    named = [name for name, on in (("number", column.numeric), ("wide", column.wide_only)) if on]
    return " ".join(named) or "text"
