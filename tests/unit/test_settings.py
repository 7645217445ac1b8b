"""Settings: each layer overrides the one below, and every refusal names where the bad value came from."""

import re
from dataclasses import FrozenInstanceError
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.aliases import ALIASES, Alias
from shotclock.amounts import Size, duration, size, words
from shotclock.errors import UsageError
from shotclock.layers import remarks
from shotclock.settings import (
    RELATIONS,
    Settings,
    contradictions,
    definitions,
    described,
    examine,
    load,
    sources,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (path := tmp_path / "settings.toml").touch()
    return path


def read(file: Path, *, environment: dict[str, str] | None = None, **overrides: object) -> Settings:
    return load(overrides, {"SHOTCLOCK_SETTINGS": str(file), **(environment or {})})


def test_without_any_layer_the_defaults_hold(file: Path) -> None:
    assert read(file) == Settings()


def test_a_file_overrides_the_default(file: Path) -> None:
    file.write_text('lease = "90s"\npage = 50\nhome = "elsewhere"\n')
    settings = read(file)
    assert (settings.lease, settings.page, settings.home) == (timedelta(seconds=90), 50, Path("elsewhere"))
    assert settings.sweep == Settings().sweep


def test_the_environment_overrides_the_file(file: Path) -> None:
    file.write_text('lease = "90s"\npage = 50\n')
    settings = read(file, environment={"SHOTCLOCK_LEASE": "2m"})
    assert (settings.lease, settings.page) == (timedelta(minutes=2), 50)


def test_the_call_overrides_everything_but_only_where_it_says_something(file: Path) -> None:
    file.write_text("page = 50\nnamed = 9\n")
    settings = read(file, environment={"SHOTCLOCK_PAGE": "60"}, page=70, named=None)
    assert (settings.page, settings.named) == (70, 9)


def test_the_file_in_the_working_folder_is_read_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shotclock.toml").write_text("page = 50\n")
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).page == 50


def test_settings_cannot_be_changed_after_they_were_read(file: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        read(file).page = 1  # type: ignore[misc]  # the assignment is what is refused


def test_an_unknown_name_in_the_environment_is_refused_with_its_source_and_the_nearest(file: Path) -> None:
    with pytest.raises(
        UsageError, match="SHOTCLOCK_HEARTBAET: there is no setting heartbaet; the nearest is heartbeat"
    ):
        read(file, environment={"SHOTCLOCK_HEARTBAET": "1s"})


def test_an_unknown_name_in_the_file_is_refused_with_the_file_and_the_nearest(file: Path) -> None:
    file.write_text('leese = "1m"\n')
    with pytest.raises(UsageError, match=r"settings\.toml: there is no setting leese; the nearest is lease"):
        read(file)


def test_an_unknown_name_like_no_other_is_refused_without_a_guess(file: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no setting zzzzzzzz$"):
        read(file, environment={"SHOTCLOCK_ZZZZZZZZ": "1"})


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("lease", "soon", "'soon' is not a duration: write numbers with ms, s, m, h or d"),
        ("lease", "60", "'60' is not a duration"),
        ("page", "many", "many"),
        ("page", "1.5", "1.5"),
    ],
)
def test_a_bad_value_is_refused_with_its_source_its_setting_and_itself(
    file: Path, name: str, value: str, why: str
) -> None:
    with pytest.raises(UsageError, match=f"SHOTCLOCK_{name.upper()}: setting {name}: .*{why}"):
        read(file, environment={f"SHOTCLOCK_{name.upper()}": value})


def test_a_file_that_is_not_toml_is_refused_by_name(file: Path) -> None:
    file.write_text("page = = 3\n")
    with pytest.raises(UsageError, match=r"settings\.toml: not valid TOML"):
        read(file)


CONTRADICTIONS = {
    "heartbeat (15s, default) must be shorter than lease (15s, SHOTCLOCK_LEASE): a lease must outlast": {
        "LEASE": "15s"
    },
    "heartbeat (20s, SHOTCLOCK_HEARTBEAT) and store_busy (45s, SHOTCLOCK_STORE_BUSY) together must not be longer than "
    "lease (1m, default)": {"HEARTBEAT": "20s", "STORE_BUSY": "45s"},
    "alerts_send (30s, SHOTCLOCK_ALERTS_SEND) must be shorter than outbox_hold (30s, default)": {"ALERTS_SEND": "30s"},
    "stop (2m, SHOTCLOCK_STOP) must not be longer than lease (1m, default)": {"STOP": "2m"},
    "lease (10m, SHOTCLOCK_LEASE) must not be longer than handover (5m, default)": {"LEASE": "10m"},
    "lease (1m, default) must not be longer than gone (30s, SHOTCLOCK_GONE)": {"GONE": "30s"},
    "retry_first (10m, SHOTCLOCK_RETRY_FIRST) must not be longer than retry_most (5m, default)": {"RETRY_FIRST": "10m"},
    "retention (5d, SHOTCLOCK_RETENTION) and replay (3d, default) together must not be longer than idempotent (7d, "
    "default)": {"RETENTION": "5d"},
    "store_connect (30s, SHOTCLOCK_STORE_CONNECT) must be shorter than store_statement (30s, default)": {
        "STORE": "postgresql://db",
        "STORE_CONNECT": "30s",
    },
    "store_busy (40s, SHOTCLOCK_STORE_BUSY) must be shorter than store_statement (30s, default)": {
        "STORE": "postgres://db",
        "STORE_BUSY": "40s",
    },
    "store_statement (2m, SHOTCLOCK_STORE_STATEMENT) must be shorter than lease (1m, default)": {
        "STORE": "postgresql://db",
        "STORE_STATEMENT": "2m",
    },
}


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_values_that_contradict_each_other_are_refused_with_both_and_where_each_came_from(
    file: Path, words: str
) -> None:
    with pytest.raises(UsageError, match=f"^setting {re.escape(words)}"):
        read(file, environment={f"SHOTCLOCK_{name}": value for name, value in CONTRADICTIONS[words].items()})


def test_every_relation_is_refused_in_a_test_and_holds_between_the_defaults() -> None:
    firsts = {(relation.low, relation.high) for relation in RELATIONS}
    named = {tuple(re.findall(r"(\w+) \(", words)) for words in CONTRADICTIONS}
    assert {(*low, *high) for low, high in firsts} == named
    assert not list(contradictions(vars(Settings(store="postgresql://db")), {}))


def test_what_is_about_a_server_is_not_asked_of_a_file(file: Path) -> None:
    assert read(file, environment={"SHOTCLOCK_STORE_BUSY": "40s"}).store_busy == timedelta(seconds=40)


def test_several_problems_are_counted_and_all_of_them_can_be_read(file: Path) -> None:
    file.write_text('leese = "1m"\nlease = "soon"\n')
    with pytest.raises(UsageError, match=r"and 2 more: shotclock config check names all"):
        read(file, environment={"SHOTCLOCK_STOP": "2m"})
    found = examine(environment={"SHOTCLOCK_SETTINGS": str(file), "SHOTCLOCK_STOP": "2m"})
    assert [problem.split(": ", 1)[-1].split()[0] for problem in found.problems] == ["there", "setting", "leases"]


def test_each_value_says_where_it_came_from(file: Path) -> None:
    file.write_text('lease = "90s"\npage = 5\n')
    settings = read(file, environment={"SHOTCLOCK_STOP": "2s", "DEDUP_TTL_DAYS": "9"}, page=7)
    told = {name: str(settings.origin(name)) for name in ("lease", "stop", "page", "idempotent", "sweep")}
    assert told == {
        "lease": f"{file}: lease",
        "stop": "SHOTCLOCK_STOP",
        "page": "the call",
        "idempotent": "DEDUP_TTL_DAYS",
        "sweep": "default",
    }
    assert sources(settings) == {name: text for name, text in told.items() if text != "default"}


def test_settings_that_were_made_by_a_call_say_so() -> None:
    settings = Settings(page=5)
    assert (str(settings.origin("page")), str(settings.origin("lease"))) == ("the call", "default")
    with pytest.raises(UsageError, match=r"lease \(10s, the call\)"):
        Settings(lease=timedelta(seconds=10))


def test_a_file_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^SHOTCLOCK_SETTINGS: there is no file .*gone\.toml$"):
        read(tmp_path / "gone.toml")


# --- aliases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "value"), [("DEDUP_TTL_DAYS", "9"), ("SHOTCLOCK_DEDUP_TTL_DAYS", "9"), ("DEDUP_TTL_DAYS", "9d")]
)
def test_an_alias_gives_its_setting_a_value_in_its_own_unit(file: Path, layer: str, value: str) -> None:
    settings = read(file, environment={layer: value})
    assert (settings.idempotent, str(settings.origin("idempotent"))) == (timedelta(days=9), layer)


def test_an_alias_in_the_file_counts_and_is_overridden_by_the_environment(file: Path) -> None:
    file.write_text("dedup_ttl_days = 9\n")
    assert read(file).idempotent == timedelta(days=9)
    assert read(file, environment={"SHOTCLOCK_IDEMPOTENT": "8d"}).idempotent == timedelta(days=8)


def test_an_alias_and_its_setting_may_agree_but_not_differ_in_one_layer(file: Path) -> None:
    both = {"DEDUP_TTL_DAYS": "9", "SHOTCLOCK_IDEMPOTENT": "9d"}
    assert read(file, environment=both).idempotent == timedelta(days=9)
    with pytest.raises(UsageError, match=r"^DEDUP_TTL_DAYS and SHOTCLOCK_IDEMPOTENT say different things of setting"):
        read(file, environment=both | {"DEDUP_TTL_DAYS": "8"})


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if not alias.setting], ids=lambda alias: alias.name)
def test_an_alias_that_no_setting_takes_is_answered_with_where_it_lives(file: Path, alias: Alias) -> None:
    (remark,) = remarks({alias.name: "true"})
    assert (remark.name, remark.text, remark.differs) == (alias.name, alias.instead, alias.agrees is not True)
    assert read(file, environment={alias.name: "true"}) == Settings()
    file.write_text(f"{alias.name.lower()} = true\n")
    with pytest.raises(UsageError, match=f"there is no setting {alias.name.lower()}: {re.escape(alias.instead)}"):
        read(file)


@pytest.mark.parametrize(
    ("value", "differs"), [("true", False), ("1", False), ("Yes", False), ("false", True), ("", True), ("maybe", True)]
)
def test_an_alias_that_asks_for_what_is_so_anyway_differs_from_nothing(value: str, *, differs: bool) -> None:
    assert [one.differs for one in remarks({"ENABLE_IDEMPOTENCY_KEYS": value})] == [differs]


# --- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [("256KiB", 262_144), ("1 MiB", 1_048_576), ("2GiB", 2_147_483_648), ("512KB", 524_288), ("100B", 100), ("7", 7)],
)
def test_sizes_read_as_people_write_them(file: Path, text: str, number: int) -> None:
    settings = read(file, environment={"SHOTCLOCK_PAYLOAD_BYTES": text})
    assert (size(text), settings.payload_bytes) == (number, number)


@pytest.mark.parametrize("text", ["", "KiB", "1.5MiB", "-1KiB", "1 kib", "1TB"])
def test_what_is_not_a_size_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="such as 256KiB"):
        size(text)


@given(st.integers(0, 1 << 40))
def test_a_size_is_shown_with_its_unit_and_reads_back(number: int) -> None:
    assert size(str(Size(number))) == number
    assert str(Size(1 << 20)) == "1MiB"


@pytest.mark.parametrize("name", [item.name for item in definitions() if isinstance(item.default, timedelta)])
def test_no_duration_may_be_zero(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        read(file, environment={f"SHOTCLOCK_{name.upper()}": "0s"})


@pytest.mark.parametrize("name", [item.name for item in definitions() if isinstance(item.default, int)])
def test_no_number_may_be_zero(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match=rf"setting {name} \(0B?, SHOTCLOCK_\w+\) must be at least 1"):
        read(file, environment={f"SHOTCLOCK_{name.upper()}": "0"})


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        (" 1h 30m ", timedelta(minutes=90)),
        ("1.5d", timedelta(hours=36)),
    ],
)
def test_durations_read_as_people_write_them(text: str, span: timedelta) -> None:
    assert duration(text) == span


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "1h?", "5M"])
def test_what_is_not_a_duration_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30m or 1h30m"):
        duration(text)


@given(st.integers(1, 999), st.integers(0, 23))
def test_a_duration_written_in_words_reads_back(days: int, hours: int) -> None:
    span = timedelta(days=days, hours=hours)
    assert duration(words(span)) == span


@given(st.integers(0, 999))
def test_a_duration_below_a_second_reads_back_to_the_millisecond(milliseconds: int) -> None:
    span = timedelta(milliseconds=milliseconds)
    assert duration(words(span)) == span


def test_a_duration_in_words_has_its_two_largest_units() -> None:
    assert words(timedelta(days=1, hours=2, minutes=3, seconds=4)) == "1d2h"
    assert words(timedelta(seconds=-90)) == "-1m30s"


def test_every_setting_has_a_type_a_default_and_a_meaning() -> None:
    rows = described()
    assert [name for name, *_ in rows] == [item.name for item in definitions()]
    for _, kind, _, meaning in rows:
        assert kind in {"duration", "number", "size", "text", "path"}
        assert meaning.endswith(".")
