"""A broken invariant: which one, where, and what had happened just before."""


class BrokenError(BaseException):
    """An invariant does not hold; nothing in between may take it for an error it knows."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name}: {what}")
        self.name = name
        self.what = what


def require(held: bool, name: str, what: str) -> None:  # noqa: FBT001 - reads as an assertion
    """Raise `BrokenError` unless the invariant of that name is held."""
    if not held:
        raise BrokenError(name, what)
