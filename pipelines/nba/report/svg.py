"""Drawing: a few shapes as text, scales, and ticks at round numbers. Colours and type come from the page's style."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from msgspec import Struct

WIDTH = 340
"""How wide every plot is drawn; a phone shows it as it is, a screen three of them in a row."""

_STEPS = (1, 2, 5, 10)


class Scale(Struct, frozen=True):
    """A line from values to places: `low` is drawn at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value is drawn; what lies beyond the ends is drawn at the end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return round values from `low` to `high`, at most about so many, in steps of 1, 2 or 5 times a power of ten."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in _STEPS if power * factor >= rough)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(number * step, 6) for number in range(first, last + 1)]


def number(value: float) -> str:
    """Write a place or a size as short as it is exact enough: at most two digits after the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def tag(name: str, *inside: str, **attributes: object) -> str:
    """Write an element; an attribute's underscores stand for hyphens, one that ends in one is a word of Python."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(number(value) if isinstance(value, float) else str(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{''.join(inside)}</{name}>"


def label(x: float, y: float, words: str, class_: str = "label", anchor: str = "start") -> str:
    """Write words at a place."""
    return tag("text", escape(words), x=float(x), y=float(y), class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> str:
    """Draw a straight line."""
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str) -> str:
    """Draw a line through points."""
    steps = " ".join(f"{'L' if place else 'M'}{number(x)} {number(y)}" for place, (x, y) in enumerate(points))
    return tag("path", d=steps, class_=class_)


def mark(kind: int, x: float, y: float, class_: str, size: float = 3.5) -> str:
    """Draw a mark; each kind has a shape of its own, so that colour is not needed to tell them apart."""
    s = size
    shapes = (
        [
            (x - s * 0.7, y - s * 0.7),
            (x + s * 0.7, y - s * 0.7),
            (x + s * 0.7, y + s * 0.7),
            (x - s * 0.7, y + s * 0.7),
        ],
        [(x, y - s), (x + s, y + s * 0.8), (x - s, y + s * 0.8)],
        [(x, y - s * 1.2), (x + s, y), (x, y + s * 1.2), (x - s, y)],
        [(x, y + s), (x + s, y - s * 0.8), (x - s, y - s * 0.8)],
        [(x - s, y - s * 0.4), (x + s, y - s * 0.4), (x + s, y + s * 0.4), (x - s, y + s * 0.4)],
    )
    if kind == 0:
        return tag("circle", cx=float(x), cy=float(y), r=float(s), class_=class_)
    corners = " ".join(f"{number(a)},{number(b)}" for a, b in shapes[(kind - 1) % len(shapes)])
    return tag("polygon", points=corners, class_=class_)


def drawing(name: str, title: str, description: str, height: float, inside: str) -> str:
    """Return a whole drawing, which is told to those who do not see it by its title and description."""
    told = tag("title", escape(title), id=f"{name}-t") + tag("desc", escape(description), id=f"{name}-d")
    return tag(
        "svg",
        told,
        inside,
        role="img",
        viewBox=f"0 0 {WIDTH} {number(height)}",
        aria_labelledby=f"{name}-t {name}-d",
        class_="plot",
    )
