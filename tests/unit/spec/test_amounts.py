"""Amounts and durations: every one a person may write is read exactly, and reading anything else never breaks."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shotclock.amounts import words
from shotclock.model import Amount
from tests.unit.spec.written import ITEMS, gate_of, gate_text, said

unhurried = settings(deadline=None)
"""A busy machine is no failure: each example writes a file and reads it."""

shares = st.decimals(min_value=0, max_value=100, places=3)
counts = st.integers(0, 10**12)
spans = st.integers(1, 47 * 3600).map(lambda number: timedelta(seconds=number))
scraps = st.text(st.characters(codec="utf-8", exclude_characters="'"), max_size=12)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return one folder for all examples of a test: each overwrites the file."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@unhurried
@given(shares)
def test_a_percentage_is_kept_to_the_last_digit(folder: Path, share: Decimal) -> None:
    assert gate_of(folder, f"tolerate: {share:f}%\n", ITEMS).tolerate == Amount(percent=share)


@unhurried
@given(counts)
def test_a_count_is_kept(folder: Path, count: int) -> None:
    assert gate_of(folder, f"tolerate: {count}\n", ITEMS).tolerate == Amount(count=count)


@unhurried
@given(shares.filter(bool), st.integers(1, 1_000_000))
def test_what_must_be_there_and_what_may_be_missing_never_exceed_the_roll(
    folder: Path, share: Decimal, size: int
) -> None:
    gate = gate_of(folder, f"need: {share:f}%\ntolerate: {share:f}%\n", ITEMS)
    assert gate.need is not None
    assert 1 <= gate.need.amount.rounded_up(size) <= size
    assert 0 <= gate.tolerate.rounded_down(size) <= gate.need.amount.rounded_up(size)


@unhurried
@given(spans)
def test_a_duration_is_kept_to_the_second(folder: Path, span: timedelta) -> None:
    seconds = int(span.total_seconds())
    text = f"{seconds // 3600}h{seconds // 60 % 60}m{seconds % 60}s"
    assert gate_of(folder, f"deadline: {text}\n").deadline == gate_of(folder, f"deadline: {seconds}s\n").deadline
    assert gate_of(folder, f"grace: {text}\n").grace == span


@unhurried
@given(spans)
def test_a_duration_reads_back_from_how_it_is_shown(folder: Path, span: timedelta) -> None:
    shown = gate_of(folder, f"grace: {words(span)}\n").grace
    assert words(shown) == words(span)


@unhurried
@given(st.decimals(min_value="100.001", max_value=10**6, places=3))
def test_a_percentage_above_100_is_refused(folder: Path, share: Decimal) -> None:
    assert said(folder, gate_text(f"tolerate: {share:f}%\n")) == [
        f"pipeline.yaml:6: phase raw: gate: tolerate: {share:f}% is more than 100%"
    ]


@unhurried
@given(key=st.sampled_from(["tolerate", "need", "grace", "deadline", "stall", "check"]), scrap=scraps)
def test_whatever_a_value_is_the_answer_is_a_plan_or_lines_that_name_it(folder: Path, key: str, scrap: str) -> None:
    text = gate_text("").replace("    gate:\n", f"    gate: {{{key}: '{scrap}'}}\n")
    assert all(problem.startswith("pipeline.yaml:") and problem.isprintable() for problem in said(folder, text))
