"""Settings: each layer overrides the one below, and every refusal names where the bad value came from."""

from dataclasses import FrozenInstanceError, fields
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotclock.errors import UsageError
from shotclock.settings import Settings, described, duration, load, words


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


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


def test_a_lease_shorter_than_its_heartbeat_is_refused_with_both_values(file: Path) -> None:
    with pytest.raises(UsageError, match=r"heartbeat \(15s\) is longer than lease \(10s\): a lease must outlast"):
        read(file, environment={"SHOTCLOCK_LEASE": "10s"})


def test_a_first_wait_longer_than_the_longest_is_refused(file: Path) -> None:
    with pytest.raises(UsageError, match=r"retry_first \(10m\) is longer than retry_most \(5m\)"):
        read(file, environment={"SHOTCLOCK_RETRY_FIRST": "10m"})


@pytest.mark.parametrize("name", [item.name for item in fields(Settings) if isinstance(item.default, timedelta)])
def test_no_duration_may_be_zero(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        read(file, environment={f"SHOTCLOCK_{name.upper()}": "0s"})


@pytest.mark.parametrize("name", [item.name for item in fields(Settings) if isinstance(item.default, int)])
def test_no_number_may_be_zero(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"setting {name} must be at least 1, it is 0"):
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
    assert [name for name, *_ in rows] == [item.name for item in fields(Settings)]
    for _, kind, _, meaning in rows:
        assert kind in {"duration", "number", "text", "path"}
        assert meaning.endswith(".")
