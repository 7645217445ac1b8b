"""Who gets which value of a flag: buckets, what holds, legal combinations, and what is frozen."""

from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise

import pytest

from shotclock.core import flags
from shotclock.model import BUCKETS, OFF, ON, Evaluation, Flag, FlagState, Overrides, Plan, Rule, Split, split_of

NOW = datetime(2025, 1, 15, 12, tzinfo=UTC)
VECTORS = (
    ("new_model", "player-1", 6609),
    ("new_model", "player-2", 8972),
    ("new_model", "nba/2025-01-15", 606),
    ("other", "player-1", 2365),
    ("new_model", "", 5350),
    ("new_model", "Jokić", 2446),
    ("cache", "LAL", 9220),
)
"""As the documentation publishes them; they never change."""
KEYS = 1_000_000
CHI_SQUARE_MOST = 10_442.0
"""What chi-square with 9,999 degrees of freedom exceeds once in a thousand times."""


def flag(name: str = "f", **more: object) -> Flag:
    return Flag(name=name, owner="team", purpose="a test", **more)  # type: ignore[arg-type]  # fields of a flag


def state(name: str = "f", split: Split | None = ON, version: int = 3, **more: object) -> FlagState:
    return FlagState(name=name, version=version, declared=flag(name, **more), split=split, at=NOW)


@pytest.mark.parametrize(("salt", "key", "expected"), VECTORS)
def test_a_bucket_is_the_same_for_ever(salt: str, key: str, expected: int) -> None:
    assert flags.bucket(salt, key) == expected
    assert int.from_bytes(sha256(f"{salt}:{key}".encode()).digest()[:8]) % BUCKETS == expected


def test_forms_of_one_text_are_one_unit() -> None:
    assert flags.bucket("new_model", "Jokic\u0301") == flags.bucket("new_model", "Jokić") == 2446


def test_a_million_units_are_spread_evenly_and_a_larger_share_only_adds_some() -> None:
    buckets = [flags.bucket("new_model", f"item-{number}") for number in range(KEYS)]
    counted = Counter(buckets)
    expected = KEYS / BUCKETS
    assert sum((counted[one] - expected) ** 2 / expected for one in range(BUCKETS)) < CHI_SQUARE_MOST
    shares = {share: {n for n, one in enumerate(buckets) if one < share} for share in (0, 1000, 5000, BUCKETS)}
    for (_, fewer), (share, more) in pairwise(shares.items()):
        assert fewer <= more
        assert len(more) / KEYS == pytest.approx(share / BUCKETS, abs=0.002)


def test_two_flags_spread_the_same_units_independently() -> None:
    number = 20_000
    both = sum(flags.bucket("a", f"u{n}") < 5000 and flags.bucket("b", f"u{n}") < 5000 for n in range(number))
    assert both / number == pytest.approx(0.25, abs=0.02)


def test_an_answer_says_the_value_why_and_by_which_version() -> None:
    some = Rule(split=Split(share=7000), version=4, origin="set")
    said = [flags.evaluate(flag("new_model"), some, key) for key in ("player-1", "player-2")]
    assert said == [
        Evaluation(name="new_model", value=True, reason="split", version=4),
        Evaluation(name="new_model", value=False, reason="split", version=4),
    ]
    assert flags.evaluate(flag(), Rule(split=ON, version=1, origin="set"), "x").reason == "set"
    assert flags.evaluate(flag(), Rule(split=OFF), "x") == Evaluation(
        name="f", value=False, reason="declared", version=0
    )


@pytest.mark.parametrize(
    ("known", "overrides", "expected"),
    [
        (None, Overrides(), Rule(split=Split(share=100))),
        (state(split=None), Overrides(), Rule(split=Split(share=100), version=3)),
        (state(), Overrides(), Rule(split=ON, version=3, origin="set")),
        (state(), Overrides(given={"USE_F": "25%"}), Rule(split=Split(share=2500), version=3, origin="environment")),
        (state(), Overrides(given={"USE_F": "what?"}), Rule(split=OFF, version=3, origin="environment")),
        (
            state(),
            Overrides(off=frozenset({"f"}), given={"USE_F": "on"}),
            Rule(split=OFF, version=3, origin="kill_switch"),
        ),
        (state(), Overrides(off=frozenset("*")), Rule(split=OFF, version=3, origin="kill_switch")),
        (state(), Overrides(off=frozenset({"g"})), Rule(split=ON, version=3, origin="set")),
    ],
)
def test_the_strongest_source_holds(known: FlagState | None, overrides: Overrides, expected: Rule) -> None:
    declared = flag(default=Split(share=100), alias="USE_F")
    states = {} if known is None else {"f": known}
    assert flags.resolve({"f": declared}, states, overrides) == {"f": expected}


def test_a_flag_may_be_safe_when_it_is_on() -> None:
    declared = flag(default=ON, safe=ON)
    assert flags.resolve({"f": declared}, {"f": state(split=OFF)}, Overrides(off=frozenset("*")))["f"].split == ON
    assert flags.safe(declared, 2) == Rule(split=ON, version=2, origin="unreadable")


def test_a_flag_without_what_it_requires_is_safe_and_so_is_whatever_requires_it() -> None:
    declared = {
        "a": flag("a", requires=("b",)),
        "b": flag("b", requires=("c",)),
        "c": flag("c"),
    }
    states = {name: state(name) for name in ("a", "b")} | {"c": state("c", Split(share=9999))}
    found = flags.resolve(declared, states)
    assert [found[name].origin for name in "abc"] == ["combination", "combination", "set"]
    assert {str(found[name].split) for name in "ab"} == {"off"}
    assert {rule.origin for rule in flags.resolve(declared, states | {"c": state("c")}).values()} == {"set"}


def test_flags_that_exclude_each_other_are_not_on_together() -> None:
    one = flag("a", excludes=("b",))
    assert flags.illegal(one, ON, {"b": Split(share=1)}) == "a excludes b, which is 0.01%: turn that one off first"
    assert flags.illegal(one, ON, {"b": OFF}) is None
    assert flags.illegal(one, OFF, {"b": ON}) is None
    assert flags.illegal(one, ON, {}) is None
    assert flags.illegal(flag("a", requires=("b",)), ON, {}) == "a requires b, which is off: turn that one on first"


def test_a_plan_freezes_what_binds_a_run() -> None:
    plan = Plan(pipeline="p", flags={"f": flag(), "g": flag("g", binding="live")})
    assert flags.freeze(plan, {"f": state(), "g": state("g")}) == {"f": Rule(split=ON, version=3, origin="set")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on", ON),
        ("TRUE", ON),
        ("1", ON),
        ("off", OFF),
        ("false", OFF),
        ("0", OFF),
        ("0.5%", Split(share=50)),
        ("100%", ON),
    ],
)
def test_values_are_read_as_they_are_written(text: str, expected: Split) -> None:
    assert split_of(flag(), text) == expected


def test_a_variant_is_given_to_a_share_and_the_first_to_the_rest() -> None:
    sized = flag(variants=("small", "large"))
    some = split_of(sized, "large", 1000)
    assert some == Split(value="large", share=1000, rest="small")
    assert (str(some), str(split_of(sized, "large")), str(split_of(sized, "off"))) == (
        "large 10%, else small",
        "large",
        "small",
    )
    assert split_of(sized, "small").is_off
    assert split_of(sized, "large").is_whole
    assert split_of(flag(), "on", 2000) == Split(share=2000)


@pytest.mark.parametrize("text", ["yes", "10", "-1%", "101%", "0.001%", "nan%", "much%", ""])
def test_what_is_no_value_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a (value|percentage).*expected"):
        split_of(flag(), text)


def test_a_variant_that_is_not_declared_is_refused() -> None:
    with pytest.raises(ValueError, match="'huge' is not a value of f: expected one of small, large"):
        split_of(flag(variants=("small", "large")), "huge")
