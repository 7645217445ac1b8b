"""The pipeline's SQL, one file a query, by name."""

from functools import cache
from pathlib import Path


@cache
def query(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return Path(__file__).with_name("sql").joinpath(f"{name}.sql").read_text(encoding="utf-8")
