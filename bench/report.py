"""What was measured, as a page: tables with target, measured value and verdict, and plots as SVG."""

from collections.abc import Sequence
from math import log10
from pathlib import Path
from typing import Final

from msgspec import Struct

COLORS: Final = ("#2f6f9f", "#c8643c", "#5d8a3a", "#8a5a9e", "#7a7a7a")


class Row(Struct, frozen=True, kw_only=True):
    """One line of the speed table."""

    measure: str
    target: str
    measured: str
    met: bool | None
    """None where it could not be measured, or has no target."""


class Bar(Struct, frozen=True, kw_only=True):
    """One bar of a plot."""

    label: str
    value: float
    series: int = 0


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rows = [" | ".join(cell.replace("|", "/").replace("\n", " ") for cell in line) for line in lines]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {row} |" for row in rows)])


def speed(rows: Sequence[Row]) -> str:
    """Return the speed table."""
    words = {True: "yes", False: "**no**", None: "–"}
    return table(
        ("measure", "target", "measured", "met"), [(r.measure, r.target, r.measured, words[r.met]) for r in rows]
    )


def bars(target: Path, title: str, given: Sequence[Bar]) -> None:
    """Write a plot of horizontal bars on a logarithmic scale, each with its value."""
    height = 44 + 26 * len(given)
    most = log10(max(bar.value for bar in given)) or 1
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="760" height="{height}" fill="#ffffff"/><text x="10" y="24" font-size="15">{title}</text>',
    ]
    for place, bar in enumerate(given):
        y, width = 38 + 26 * place, max(2, 380 * log10(max(bar.value, 1.0)) / most)
        color = COLORS[bar.series % len(COLORS)]
        lines.append(f'<text x="10" y="{y + 15}">{bar.label}</text>')
        lines.append(f'<rect x="250" y="{y}" width="{width:.0f}" height="20" fill="{color}"/>')
        lines.append(f'<text x="{258 + width:.0f}" y="{y + 15}">{bar.value:,.0f}</text>')
    target.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")
