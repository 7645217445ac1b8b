"""Names: a run's text form is its identity, members are compared as people read them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.model import (
    DEFAULT_MODE,
    MEMBER_NAME_BYTES,
    RunId,
    digest,
    lookalike,
    member_name,
    names_generation,
    run_key,
    slug,
)

slugs = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True)
keys = st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True)
runs = st.builds(RunId, pipeline=slugs, key=keys, mode=slugs, generation=st.integers(1, 999_999))


@given(runs)
def test_a_run_reads_back_from_its_text_form(run: RunId) -> None:
    assert RunId.parse(str(run)) == run


@given(runs, runs)
def test_two_runs_never_share_a_text_form(one: RunId, other: RunId) -> None:
    assert (str(one) == str(other)) == (one == other)


@given(runs)
def test_the_text_form_names_what_is_not_usual(run: RunId) -> None:
    assert names_generation(str(run)) == (run.generation > 1)
    assert str(run).count("/") == (1 if run.mode == DEFAULT_MODE else 2)


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("nba/2025-01-15", RunId(pipeline="nba", key="2025-01-15")),
        ("nba/2025-01-15/same_day", RunId(pipeline="nba", key="2025-01-15", mode="same_day")),
        ("nba/2025-01-15#2", RunId(pipeline="nba", key="2025-01-15", generation=2)),
        ("nba/2025-01-15/default", RunId(pipeline="nba", key="2025-01-15")),
    ],
)
def test_examples_read_as_people_write_them(text: str, run: RunId) -> None:
    assert RunId.parse(text) == run


@pytest.mark.parametrize(
    "text",
    ["", "nba", "nba/", "/2025-01-15", "nba/2025-01-15#0", "nba/2025-01-15#01", "nba/2025-01-15#", "nba/a/b/c",
     "nba/2025-01-15#1000000", "nba/2025-01-15\n", "NBA/2025-01-15", "nba/2025 01 15", "nba/2025-01-15/Same"],
)  # fmt: skip
def test_what_is_not_a_run_is_refused_with_what_was_given(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected PIPELINE/KEY|cannot name a|cannot be a key"):
        RunId.parse(text)


@pytest.mark.parametrize("text", ["", "Raw", "raw phase", "raw/x", "ä", "x" * 101])
def test_a_name_outside_the_alphabet_is_refused_with_the_alphabet(text: str) -> None:
    with pytest.raises(ValueError, match="cannot name a phase: use 1 to 100 of a-z, 0-9, _ and -"):
        slug(text, "phase")


@pytest.mark.parametrize("text", ["", "a/b", "a b", "x" * 101, "2025-01-15#2"])
def test_a_key_that_cannot_stand_in_a_text_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be a key"):
        run_key(text)


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_a_member_has_one_name_however_its_accents_are_encoded(text: str) -> None:
    name = member_name(text)
    assert member_name(unicodedata.normalize("NFD", text)) == name
    assert member_name(name) == name


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_members_that_look_alike_fold_to_one_suggestion(text: str) -> None:
    assert lookalike(member_name(text)) == lookalike(unicodedata.normalize("NFD", text))


def test_look_alikes_stay_two_members() -> None:
    assert lookalike("Luka Dončić") == lookalike("luka doncic")
    assert member_name("Luka Dončić") != member_name("luka doncic")


def test_a_member_name_is_bounded_in_bytes_not_in_letters() -> None:
    assert member_name("x" * MEMBER_NAME_BYTES)
    assert member_name("é" * (MEMBER_NAME_BYTES // 2))
    with pytest.raises(ValueError, match=f"1 to {MEMBER_NAME_BYTES} bytes, it has {MEMBER_NAME_BYTES + 2}"):
        member_name("é" * (MEMBER_NAME_BYTES // 2 + 1))


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\ud800"])
def test_what_nobody_can_read_names_no_member(text: str) -> None:
    with pytest.raises(ValueError, match="cannot name a member"):
        member_name(text)


@given(st.lists(st.binary(max_size=20), max_size=5), st.lists(st.binary(max_size=20), max_size=5))
def test_a_digest_tells_parts_apart_even_where_their_bytes_join_to_the_same(
    one: list[bytes], other: list[bytes]
) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)


def test_a_digest_never_changes_between_releases() -> None:
    assert digest(b"nba", b"2025-01-15") == "91c52fb62473160541a2149c87937d43"
    assert digest(b"ab", b"c") != digest(b"a", b"bc")
