"""A file that cannot be read says why, with its line, and nothing in it can hang or blow up the reader."""

from pathlib import Path

import pytest

from shotclock.errors import SpecError
from shotclock.spec import load
from tests.unit.spec.written import ONE_PHASE, TOP, said, wrote

GOOD = TOP + ONE_PHASE


def refused(path: Path) -> list[str]:
    with pytest.raises(SpecError) as refusal:
        load(path)
    return list(refusal.value.problems)


def test_a_folder_without_the_file_says_what_was_looked_for(tmp_path: Path) -> None:
    looked_for = tmp_path / "pipeline.yaml"
    assert refused(tmp_path) == [
        f"there is no pipeline file {looked_for}; `shotclock init NAME` writes one to start from"
    ]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    (line,) = refused(tmp_path / "nba")
    assert line == f"there is no pipeline file {tmp_path / 'nba'}; `shotclock init NAME` writes one to start from"


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n"])
def test_an_empty_file_is_refused(text: str, tmp_path: Path) -> None:
    line = "pipeline.yaml:1: the file is empty; `shotclock init NAME` writes one to start from"
    assert said(tmp_path, text) == [line]


@pytest.mark.parametrize("text", ["- a\n", "pipeline\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str, tmp_path: Path) -> None:
    assert said(tmp_path, text) == ["pipeline.yaml:1: expected a mapping that begins with pipeline: NAME"]


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(b"pipeline: p\nphases: caf\xe9\n")
    assert refused(file) == ["pipeline.yaml:2: is not UTF-8 text; save it as UTF-8"]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(file).digest == load(wrote(tmp_path, GOOD)).digest


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = wrote(tmp_path, GOOD)
    monkeypatch.setattr(Path, "open", denied)
    assert refused(file) == ["pipeline.yaml:1: cannot be read: Permission denied"]


def test_a_file_above_one_mebibyte_is_refused(tmp_path: Path) -> None:
    file = wrote(tmp_path, GOOD + "#" * 1024 * 1024)
    assert refused(file) == ["pipeline.yaml:1: is larger than 1024 KiB; keep data out of the pipeline file"]


INVALID = {
    "an open bracket": (
        "pipeline: [p\nphases: {}\n",
        "2: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'",
    ),
    "a star without quotes": (
        "pipeline: p\nstarts: {schedule: * 6 * * *}\n",
        (
            "2: not valid YAML: while scanning an alias, did not find expected alphabetic or numeric character;"
            " put a text that begins with * in quotes"
        ),
    ),
    "a control character": (
        "pipeline: p\nphases: \x07\n",
        "2: not valid YAML: control characters are not allowed",
    ),
    "two documents": (
        "pipeline: p\n---\npipeline: q\n",
        "2: not valid YAML: expected a single document in the stream, but found another document",
    ),
    "a tag": (
        "pipeline: p\nphases: !include phases.yaml\n",
        "2: tags such as !include mean nothing here; write the value itself",
    ),
    "an object tag": (
        "pipeline: p\nphases: !!python/object/apply:os.getcwd []\n",
        "2: tags such as tag:yaml.org,2002:python/object/apply:os.getcwd mean nothing here; write the value itself",
    ),
    "an alias within its anchor": (
        "pipeline: p\nphases: &x {a: *x}\n",
        "2: an anchor contains an alias of itself",
    ),
    "a key that is a list": (
        GOOD + "? [a, b]\n: c\n",
        "3: a key must be text, got a list",
    ),
    "a duplicate key": (
        GOOD + "pipeline: q\n",
        "3: duplicate key 'pipeline'; it stands on line 1 already",
    ),
}


@pytest.mark.parametrize(("text", "line"), INVALID.values(), ids=INVALID)
def test_is_refused_with_its_line(text: str, line: str, tmp_path: Path) -> None:
    assert said(tmp_path, text) == [f"pipeline.yaml:{line}"]


def test_aliases_that_multiply_are_refused_before_they_are_written_out(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    (line,) = said(tmp_path, "\n".join(levels))
    assert line == "pipeline.yaml:6: with its aliases written out, this is more than 250000 values or 32 levels"


def test_merges_that_multiply_are_refused_before_they_are_written_out(tmp_path: Path) -> None:
    levels = ["a0: &a0 {k: x}"]
    levels += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 20)]
    (line,) = said(tmp_path, "\n".join(levels))
    assert line.endswith("this is more than 250000 values or 32 levels")


def test_aliases_that_deepen_are_refused(tmp_path: Path) -> None:
    levels = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5_000))]
    (line,) = said(tmp_path, "\n".join(levels))
    assert line == "pipeline.yaml:32: with its aliases written out, this is more than 250000 values or 32 levels"


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_nesting_without_end_is_refused(opening: str, tmp_path: Path) -> None:
    (line,) = said(tmp_path, "pipeline: p\nphases: " + opening * 200_000)
    assert line == "pipeline.yaml:2: nested more than 32 levels deep"


def test_anchors_aliases_and_merges_mean_what_they_would_written_out(tmp_path: Path) -> None:
    short = """\
pipeline: p
phases:
  a:
    members: {x: &job {run: "p.m:x", critical: true}, y: {<<: *job, run: "p.m:y"}, z: *job}
    execution: &calm {attempts: 2, timeout: 3m}
  b:
    needs: a
    members: {m: {<<: [{external: true}, {optional: true}]}}
    execution: *calm
"""
    long = """\
pipeline: p
phases:
  a:
    members:
      x: {run: "p.m:x", critical: true}
      y: {run: "p.m:y", critical: true}
      z: {run: "p.m:x", critical: true}
    execution: {attempts: 2, timeout: 3m}
  b:
    needs: a
    members: {m: {external: true, optional: true}}
    execution: {attempts: 2, timeout: 3m}
"""
    assert load(wrote(tmp_path, short)).phases == load(wrote(tmp_path, long)).phases


def test_the_folder_is_absolute_and_keeps_the_name_of_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "nba").symlink_to(tmp_path / "real")
    wrote(tmp_path / "real", GOOD)
    monkeypatch.chdir(tmp_path / "real")
    assert load(Path()).folder == str(tmp_path / "real")
    assert load(tmp_path / "real" / ".." / "nba").folder == str(tmp_path / "nba")
