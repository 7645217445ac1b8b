"""The flags of a file: read as they are written, and refused with their line and the nearest name."""

from datetime import date
from pathlib import Path

import pytest

from shotclock.model import ON, Flag, Split
from tests.unit.spec.written import ONE_PHASE, TOP, plan_of, said


def written(*lines: str) -> str:
    """Return a file whose flags stand from line 3 on."""
    return f"{TOP}flags:\n" + "".join(f"  {line}\n" for line in lines) + ONE_PHASE


OWNED = "owner: ann, purpose: It helps."


def test_a_flag_is_off_and_for_whole_runs_where_nothing_is_said(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, written(f"f: {{{OWNED}}}"))
    assert plan.flags == {"f": Flag(name="f", owner="ann", purpose="It helps.")}
    assert plan.frozen == {}


def test_everything_that_can_be_said_is_kept(tmp_path: Path) -> None:
    lines = (
        f"f: {{{OWNED}, binding: live, key: item, default: 2.5%, safe: on, expires: 2026-01-31, alias: ENABLE_F}}",
        f"g: {{{OWNED}, variants: [small, large], default: large, requires: f, excludes: [h]}}",
        f"h: {{{OWNED}, key: team, default: true}}",
    )
    flags = plan_of(tmp_path, written(*lines)).flags
    assert flags["f"] == Flag(
        name="f",
        owner="ann",
        purpose="It helps.",
        binding="live",
        key="item",
        default=Split(share=250),
        safe=ON,
        expires=date(2026, 1, 31),
        alias="ENABLE_F",
    )
    assert flags["g"].default == Split(value="large", share=10_000, rest="small")
    assert flags["g"].safe == Split(value="small", rest="small")
    assert (flags["g"].requires, flags["g"].excludes) == (("f",), ("h",))
    assert (flags["h"].default, flags["h"].key) == (ON, "team")


CASES = {
    "nobody who owns it": (["f: {purpose: It helps.}"], "3: flag f: owner is missing: write owner: who answers for it"),
    "no purpose": (
        ["f: {owner: ann}"],
        "3: flag f: purpose is missing: write purpose: what it turns on, in a sentence",
    ),
    "an unknown key": (
        [f"f: {{{OWNED}, bindign: run}}"],
        "3: flag f: unknown key 'bindign'; the nearest is 'binding'",
    ),
    "a name with capitals": ([f"Fast: {{{OWNED}}}"], "3: 'Fast' cannot name a flag: use 1 to 100 of a-z, 0-9, _ and -"),
    "an unknown binding": (
        [f"f: {{{OWNED}, binding: lives}}"],
        "3: flag f: binding: expected one of run, live, got 'lives'; the nearest is 'live'",
    ),
    "a default that is no value": (
        [f"f: {{{OWNED}, default: maybe}}"],
        "3: flag f: default: 'maybe' is not a value of f: expected on, off or a percentage such as 10%",
    ),
    "a variant that is not declared": (
        [f"f: {{{OWNED}, variants: [a, b], default: c}}"],
        "3: flag f: default: 'c' is not a value of f: expected one of a, b",
    ),
    "one variant": (
        [f"f: {{{OWNED}, variants: [a]}}"],
        "3: flag f: variants: expected two or more, the one that stands for off first",
    ),
    "a variant named twice": ([f"f: {{{OWNED}, variants: [a, b, a]}}"], "3: flag f: variants: one is named twice"),
    "a safe value that differs from unit to unit": (
        [f"f: {{{OWNED}, safe: 10%}}"],
        "3: flag f: safe: 10% is no safe value: it must be the same for everybody",
    ),
    "a flag that is not there": (
        [f"f: {{{OWNED}, requires: fasst}}", f"fast: {{{OWNED}}}"],
        "3: flag f: requires: there is no flag 'fasst'; the nearest is 'fast'",
    ),
    "a flag that requires itself": (
        [f"f: {{{OWNED}, requires: f}}"],
        "3: flag f: requires: a flag cannot name itself",
    ),
    "a flag that is required and excluded": (
        [f"f: {{{OWNED}, requires: g, excludes: g}}", f"g: {{{OWNED}}}"],
        "3: flag f: excludes: 'g' is required as well",
    ),
    "no date": (
        [f"f: {{{OWNED}, expires: soon}}"],
        "3: flag f: expires: expected a date such as 2026-01-31, got 'soon'",
    ),
    "no variable": (
        [f"f: {{{OWNED}, alias: ENABLE-F}}"],
        "3: flag f: alias: 'ENABLE-F' cannot name an environment variable",
    ),
    "an alias of two": (
        [f"f: {{{OWNED}, alias: X}}", f"g: {{{OWNED}, alias: X}}"],
        "4: flag g: alias: X sets f already",
    ),
}


@pytest.mark.parametrize(("lines", "expected"), CASES.values(), ids=CASES)
def test_what_cannot_be_a_flag_is_refused_with_its_line(tmp_path: Path, lines: list[str], expected: str) -> None:
    assert said(tmp_path, written(*lines)) == [f"pipeline.yaml:{expected}"]
