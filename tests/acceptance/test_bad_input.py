"""Whatever is wrong is said in one line that names the place and the next step, and nothing stored is lost."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.acceptance.house import DAY, PATIENCE, Done, House

GOOD = 'phases: {raw: {members: {a: {run: "bad.steps:a"}}}}\n'
STEP = "def a(ctx):\n    return Succeeded()\n"
DB = (".shotclock", "shotclock.db")


def said(done: Done) -> str:
    """Return the one line a command said, beside its exit code; there must be no other and no traceback."""
    lines = done.err.splitlines()
    assert len(lines) == 1, done
    assert lines[0].startswith("error: ")
    assert "Traceback" not in done.out + done.err
    return f"{done.code} {lines[0].removeprefix('error: ')}"


FILES = {
    "unknown key": ('phases: {raw: {memebers: {a: {run: "bad.steps:a"}}}}', "pipeline.yaml:2: "),
    "cycle": (
        'phases: {raw: {needs: [b], members: {a: "bad.steps:a"}}, b: {needs: [raw], members: {a: "bad.steps:a"}}}',
        "circle",
    ),
    "unknown phase": ('phases: {raw: {needs: [rav], members: {a: {run: "bad.steps:a"}}}}', "rav"),
    "duplicate member": ('phases: {raw: {members: {a: "bad.steps:a", a: "bad.steps:a"}}}', "pipeline.yaml:2"),
    "impossible clock": (
        'phases: {raw: {members: {a: {run: "bad.steps:a"}}, gate: {deadline: 3d}}}',
        "does not fit in max_age",
    ),
    "impossible tolerance": (
        'phases: {raw: {members: {a: {run: "bad.steps:a"}}, gate: {tolerate: 120%}}}',
        "pipeline.yaml:2",
    ),
    "not yaml": ("phases: {raw: [", "pipeline.yaml:"),
    "function that is not there": (GOOD.replace("steps:a", "steps:b"), "has no b"),
    "module that is not there": (GOOD.replace("steps", "stepz"), "there is no module bad.stepz"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_wrong_pipeline_file_is_wrong_use_and_starts_nothing(house: House, kind: str) -> None:
    file, hint = FILES[kind]
    house.pipeline("bad", f"{file}\n", STEP)
    for words in (("run", "bad", DAY), ("validate", "bad")):
        line = said(house(*words))
        assert line.startswith("2 ")
        assert hint in line
    assert "bad/" not in house("status").out


def test_steps_that_do_not_import_name_the_place(house: House) -> None:
    house.pipeline("bad", GOOD, "import nosuchlibrary\n")
    line = said(house("run", "bad", DAY))
    assert line.startswith("2 ")
    assert "nosuchlibrary" in line
    house.pipeline("bad", GOOD, "def a(ctx:\n")
    assert "SyntaxError" in said(house("run", "bad", DAY))


BODIES = {
    "raises": ("raise ValueError('column points is missing')", "column points is missing"),
    "returns nothing": ("pass", "None"),
    "returns something else": ("return 42", "int"),
    "hangs": ("__import__('threading').Event().wait()", "timed out"),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("mode", ["sequential", "process"])
def test_a_member_that_misbehaves_fails_its_phase_which_says_how(house: House, kind: str, mode: str) -> None:
    body, hint = BODIES[kind]
    file = GOOD.replace("}}}}", f"}}}}, execution: {{mode: {mode}, attempts: 1, timeout: 1s}}}}}}")
    house.pipeline("bad", file, f"def a(ctx):\n    {body}\n")
    done = house("run", "bad", DAY)
    assert done.code == 1
    assert "Traceback" not in done.out + done.err
    (line,) = house("missing", f"bad/{DAY}").lines
    assert hint in line
    assert "hopeless" in house("explain", f"bad/{DAY}", "raw").out


@pytest.mark.parametrize("key", ["2025-02-30", "15.01.2025", "today", "2025-1-5", "", "../x"])
def test_a_wrong_date_is_wrong_use(house: House, key: str) -> None:
    house.pipeline("bad", GOOD, STEP)
    line = said(house("run", "bad", key))
    assert line.startswith("2 ")
    assert "YYYY-MM-DD" in line
    assert not house.file(".shotclock").exists()


def test_a_wrong_command_line_is_one_line(house: House) -> None:
    house.pipeline("bad", GOOD, STEP)
    for words in (
        ("run",),
        ("run", "bad", DAY, "--nosuch"),
        ("run", "bad", DAY, "--param", "x"),
        ("run", "bad", DAY, "--param", "x=1"),
        ("run", "bad", DAY, "--mode", "x"),
        ("run", "bad", DAY, "--data", "nowhere"),
        ("run", "nowhere", DAY),
        ("report", f"bad/{DAY}", "raw", "a", "done"),
        ("missing", "//"),
        ("status", "--limit", "0"),
        ("halt", "--reason", "x"),
    ):
        assert said(house(*words)).startswith("2 "), words


def test_a_wrong_setting_names_its_source(house: House) -> None:
    house.pipeline("bad", GOOD, STEP)
    assert "SHOTCLOCK_LEASE" in said(house("run", "bad", DAY, more={"SHOTCLOCK_LEASE": "soon"}))
    assert "SHOTCLOCK_LAESE" in said(house("run", "bad", DAY, more={"SHOTCLOCK_LAESE": "60s"}))


def test_a_home_that_cannot_be_made_is_named(house: House) -> None:
    house.pipeline("bad", GOOD, STEP)
    house.file("taken").write_text("a file")
    line = said(house("run", "bad", DAY, "--home", "taken"))
    assert line.startswith("1 ")
    assert str(house.file("taken")) in line


def as_any_user() -> list[str]:
    """Return what starts a command without the right of root to write anywhere."""
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


FILLS = """
import os
def fill(ctx):
    if "FILL" in os.environ:
        with open(ctx.home / "filler", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                ctx.log.info("the disk is full")
    return Succeeded()
"""
ON_A_SMALL_DISK = """
mkdir home && mount -t tmpfs -o size=2m tmpfs home || exit 99
FILL=1 "$1" -m shotclock run full 2025-01-15 --home home
echo "ended $?" >&2
rm home/filler
"$1" -m shotclock run full 2025-01-15 --home home
"""


def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(house: House) -> None:
    members = "phases: {a: {members: {fill: {run: 'full.steps:fill'}}}}"
    house.pipeline("full", f"key: {{type: date}}\n{members}\n", FILLS)
    done = subprocess.run(  # noqa: S603 - our own script
        ["unshare", "--mount", "--map-root-user", "sh", "-c", ON_A_SMALL_DISK, "sh", sys.executable],  # noqa: S607 - wherever it is
        cwd=house.folder,
        env=house.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    first, _, second = done.stderr.partition("ended ")
    assert second.startswith("1\n"), done.stderr
    assert "full" in first
    assert "Traceback" not in first
    assert (done.returncode, "complete" in done.stdout) == (0, True), done.stderr


def test_a_read_only_home_is_named_and_what_is_stored_stays(house: House) -> None:
    house.pipeline("bad", GOOD, STEP)
    house("run", "bad", DAY)
    before = house.rows()
    folder = house.file(".shotclock")
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert "cannot be written" in said(house("run", "bad", "2025-01-16", before=as_any_user()))
    finally:
        for path in (folder, *folder.iterdir()):
            path.chmod(path.stat().st_mode | 0o700)
    assert house.rows() == before


def test_a_store_of_a_newer_release_is_left_alone(house: House) -> None:
    house.pipeline("bad", GOOD, STEP)
    house("run", "bad", DAY)
    with closing(sqlite3.connect(house.file(*DB))) as connection:
        connection.execute("PRAGMA user_version = 99")
    for words in (("status",), ("run", "bad", DAY), ("report", f"bad/{DAY}", "raw", "a", "failed")):
        line = said(house(*words))
        assert line.startswith("1 ")
        assert "newer release" in line
        assert "upgrade" in line


def test_a_file_that_is_no_store_is_left_alone(house: House) -> None:
    house.pipeline("bad", GOOD, STEP)
    house.file(".shotclock").mkdir()
    house.file(*DB).write_bytes(b"not a store" * 1000)
    line = said(house("run", "bad", DAY))
    assert line.startswith("1 ")
    assert "shotclock.db" in line
    assert house.file(*DB).read_bytes() == b"not a store" * 1000


def test_wrong_use_is_a_document_where_json_was_asked_for(house: House) -> None:
    done = house("run", "nowhere", DAY, "--json")
    assert done.code == 2
    assert done.document["exit"] == 2
    assert "nowhere" in done.document["error"][0]


def test_what_nobody_expected_is_one_line_and_a_file_with_the_traceback(house: House) -> None:
    code = (
        "import sys; import shotclock.cli.showing as showing; from shotclock.cli.main import main\n"
        "def broken(*given): raise RuntimeError('no\\nidea')\n"
        "showing._list = broken\n"
        "main(sys.argv[1:])"
    )
    house("init", "scores")
    house("run", "scores", DAY)
    environment = house.environment({"TMPDIR": str(house.folder)})
    for debug in ((), ("--debug",)):
        command = [sys.executable, "-c", code, "status", *debug]
        done = subprocess.run(  # noqa: S603 - our own interpreter
            command, cwd=house.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert ("Traceback" in done.stderr) == bool(debug)
        assert "error: unexpected RuntimeError: no idea" in done.stderr
    (kept,) = house.folder.glob("shotclock-*.txt")
    assert "broken" in kept.read_text()
