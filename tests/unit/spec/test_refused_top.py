"""What stands above the phases is refused with its line and the next step."""

from pathlib import Path

import pytest

from tests.unit.spec.written import ONE_PHASE, TOP, said

CASES = {
    "an unknown key": (
        "pipeline: p\nphasess: {}\n",
        "2: unknown key 'phasess'; the nearest is 'phases'",
    ),
    "no pipeline name": (
        ONE_PHASE,
        "1: pipeline is missing: write pipeline: NAME",
    ),
    "no phases": (
        TOP,
        "1: phases is missing: write phases: with at least one phase",
    ),
    "phases without any": (
        TOP + "phases: {}\n",
        "2: phases: must have at least one phase",
    ),
    "a name with capitals": (
        "pipeline: NBA\n" + ONE_PHASE,
        "1: pipeline: 'NBA' cannot name a pipeline: use 1 to 100 of a-z, 0-9, _ and -",
    ),
    "a name that is a list": (
        "pipeline: [p]\n" + ONE_PHASE,
        "1: pipeline: expected a text, got a list",
    ),
    "an empty value": (
        TOP + ONE_PHASE + "max_age:\n",
        "3: max_age: expected a text, got nothing",
    ),
    "a mapping that is a text": (
        TOP + ONE_PHASE + "key: game_date\n",
        "3: key: expected a mapping, got 'game_date'",
    ),
    "an unknown key type": (
        TOP + ONE_PHASE + "key: {type: dat}\n",
        "3: key: type: expected one of date, text, got 'dat'; the nearest is 'date'",
    ),
    "a misspelt time zone": (
        TOP + ONE_PHASE + "key: {timezone: America/New_Yrok}\n",
        (
            "3: key: timezone: 'America/New_Yrok' is not a time zone such as America/New_York;"
            " the nearest is 'America/New_York'"
        ),
    ),
    "a schedule out of range": (
        TOP + ONE_PHASE + 'starts: {schedule: "0 25 * * *"}\n',
        "3: starts: schedule: '0 25 * * *' is not a schedule: bad hour",
    ),
    "a schedule with too few fields": (
        TOP + ONE_PHASE + 'starts: {schedule: "0 6 * *"}\n',
        "3: starts: schedule: '0 6 * *' is not a schedule: write minute, hour, day, month, weekday, such as 0 6 * * *",
    ),
    "a schedule that never comes": (
        TOP + ONE_PHASE + 'starts: {schedule: "0 0 LW * */7"}\n',
        "3: starts: schedule: '0 0 LW * */7' never comes",
    ),
    "a schedule on a day no month has": (
        TOP + ONE_PHASE + 'starts: {schedule: "0 0 30 2 *"}\n',
        "3: starts: schedule: '0 0 30 2 *' is not a schedule: bad day-of-month",
    ),
    "a schedule for keys that are no dates": (
        TOP + ONE_PHASE + 'key: {type: text}\nstarts: {schedule: "0 6 * * *"}\n',
        "4: starts: schedule: names its runs by date, but key: type: is text; write type: date or leave it out",
    ),
    "a calendar without a schedule": (
        TOP + ONE_PHASE + "starts: {calendar: 'p.m:days'}\n",
        '3: starts: calendar says nothing without schedule: write schedule: "0 6 * * *"',
    ),
    "a yes that is not true": (
        TOP + ONE_PHASE + "starts: {on_report: yes}\n",
        "3: starts: on_report: expected true or false, got 'yes'",
    ),
    "a day too far": (
        TOP + ONE_PHASE + 'starts: {schedule: "0 6 * * *", day: -40}\n',
        "3: starts: day: expected a whole number from -31 to 31, got '-40'",
    ),
    "an expectation of nothing": (
        TOP + ONE_PHASE + "expect: {}\n",
        "3: expect: success_within is missing: write success_within: 26h",
    ),
    "an expectation within no time": (
        TOP + ONE_PHASE + "expect: {success_within: 0s}\n",
        "3: expect: success_within: must be longer than zero",
    ),
    "a max_age of nothing": (
        TOP + ONE_PHASE + "max_age: 0s\n",
        "3: max_age: must be longer than zero",
    ),
    "a duration without a unit": (
        TOP + ONE_PHASE + "max_age: 48\n",
        "3: max_age: '48' is not a duration: write numbers with ms, s, m, h or d, such as 30m or 1h30m",
    ),
    "a duration longer than a year": (
        TOP + ONE_PHASE + "max_age: 367d\n",
        "3: max_age: '367d' is longer than 366d, the longest duration accepted",
    ),
    "a duration beyond all bounds": (
        TOP + ONE_PHASE + f"max_age: {'9' * 50}d\n",
        f"3: max_age: '{'9' * 50}d' is longer than 366d, the longest duration accepted",
    ),
    "a mode of an unknown phase": (
        TOP + ONE_PHASE + "modes: {fast: {aa: [m]}}\n",
        "3: mode fast: there is no phase 'aa'; the nearest is 'a'",
    ),
    "a mode of an unknown member": (
        TOP + ONE_PHASE + "modes:\n  fast:\n    a:\n      - nn\n",
        "6: mode fast: a: there is no member 'nn'; known are m",
    ),
    "a mode of items": (
        TOP + "phases: {a: {items: 'p:i', run: 'p:r'}}\nmodes: {fast: {a: [m]}}\n",
        "3: mode fast: a: has items; a mode chooses only among named members",
    ),
    "a mode that lists no members": (
        TOP + ONE_PHASE + "modes: {fast: {a: m}}\n",
        "3: mode fast: a: expected the list of members it keeps, such as [schedule, props]",
    ),
    "a mode with a bad name": (
        TOP + ONE_PHASE + "modes: {Fast: {}}\n",
        "3: 'Fast' cannot name a mode: use 1 to 100 of a-z, 0-9, _ and -",
    ),
    "a param with a bad name": (
        TOP + ONE_PHASE + "params: {a b: 1}\n",
        "3: params: a b: 'a b' cannot name a param: use 1 to 100 of a-z, 0-9, _ and -",
    ),
    "an unknown key of a param": (
        TOP + ONE_PHASE + "params: {limit: {defualt: 1}}\n",
        "3: params: limit: unknown key 'defualt'; the nearest is 'default'",
    ),
    "a param that says a key twice": (
        TOP + ONE_PHASE + "params: {limit: {default: {a: 1, a: 2}}}\n",
        "3: params: limit: default: has the key 'a' twice",
    ),
}


@pytest.mark.parametrize(("text", "line"), CASES.values(), ids=CASES)
def test_is_refused_with_its_line(text: str, line: str, tmp_path: Path) -> None:
    assert said(tmp_path, text) == [f"pipeline.yaml:{line}"]


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "pipeline: P\nphases:\n  a: {memebers: {}}\nmax_age: 1\nkeyy: {}\n"
    lines = [problem.split(":")[1] for problem in said(tmp_path, text)]
    assert lines == ["1", "3", "4", "5"]


def test_a_folder_of_time_zones_is_no_time_zone(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, TOP + ONE_PHASE + "key: {timezone: America}\n")
    assert problem.startswith("pipeline.yaml:3: key: timezone: 'America' is not a time zone")
