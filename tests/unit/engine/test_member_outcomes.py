"""What a member's function returns or raises is what its settlement says, in every mode."""

from datetime import UTC, datetime

import pytest

from shotclock.model import Member
from tests.unit.engine.shop import Shop

ANSWERS = """
def rows(ctx): return Succeeded(rows=3, outputs={"file": ctx.params["mark"]}, as_of=datetime(2025, 1, 14, tzinfo=UTC))
def nothing(ctx): return Empty(reason="no games")
def skipped(ctx): return Skipped("not today")
def forgets(ctx): pass
def other(ctx): return 42
def raises(ctx):
    raise ValueError("bad\\nline")
def exits(ctx): raise SystemExit(3)
def permanent(ctx): raise Permanent("never again")
def not_json(ctx): return Succeeded(outputs={"at": {1, 2}})
def not_a_number(ctx): return Succeeded(outputs={"x": [float("nan")]})
def large(ctx): return Succeeded(outputs={"x": "y" * 300_000})
def naive(ctx): return Succeeded(as_of=datetime(2025, 1, 14))
def half_rows(ctx): return Succeeded(rows=1.5)
"""

SAID = {
    "rows": ("succeeded", None),
    "nothing": ("empty", "no games"),
    "skipped": ("skipped", "not today"),
    "forgets": ("failed", "returned None; return Succeeded(), Empty() or Skipped(reason)"),
    "other": ("failed", "returned 42 (int); return Succeeded(), Empty() or Skipped(reason)"),
    "raises": ("failed", "ValueError: bad line (PACKAGE/steps.py:18)"),
    "exits": ("failed", "SystemExit: 3 (PACKAGE/steps.py:19)"),
    "permanent": ("failed", "never again"),
    "not_json": ("failed", "outputs['at'] is {1, 2} (set), which is not JSON"),
    "not_a_number": ("failed", "outputs['x'][0] is nan, which JSON has no word for; use None"),
    "large": ("failed", "outputs: 300008 bytes as JSON, at most 262144; write a file and name it"),
    "naive": (
        "failed",
        "datetime.datetime(2025, 1, 14, 0, 0) (datetime) is not an instant: give a datetime with a time zone",
    ),
    "half_rows": ("failed", "rows is 1.5 (float), not a number of rows"),
}


@pytest.mark.parametrize("mode", ["sequential", "parallel", "process"])
def test_every_mode_settles_members_by_what_they_answer(shop: Shop, mode: str) -> None:
    shop.write(ANSWERS)
    shop.run(shop.members(*SAID, mode=mode, max_workers=1 if mode == "sequential" else 2))
    notes = shop.notes()
    said = {
        name: (kind, notes[ordinal].reason if ordinal in notes else None)
        for ordinal, (name, kind) in enumerate(zip(SAID, shop.kinds(), strict=True))
    }
    expected = {name: (kind, why and why.replace("PACKAGE", shop.package)) for name, (kind, why) in SAID.items()}
    assert said == expected
    assert (notes[0].rows, notes[0].outputs) == (3, {"file": "x"})
    assert notes[0].as_of == datetime(2025, 1, 14, tzinfo=UTC)


def test_a_function_that_cannot_be_used_fails_its_member_alone_naming_the_next_step(shop: Shop) -> None:
    shop.write("def fine(ctx): return Succeeded()")
    shop.write("raise RuntimeError('no key')", "broken")
    shop.write("import absent_library", "lacking")
    paths = {
        "fine": shop.path("fine"),
        "missing": shop.path("missing"),
        "nowhere": f"{shop.package}.nowhere:f",
        "broken": f"{shop.package}.broken:f",
        "lacking": f"{shop.package}.lacking:f",
    }
    shop.run(shop.phase(members=tuple(Member(name=name, run=path) for name, path in paths.items())))
    assert shop.kinds() == ["succeeded", "failed", "failed", "failed", "failed"]
    reasons = [note.reason for note in shop.notes().values()]
    package = shop.package
    where = f"importing {package}.broken raised RuntimeError: no key ({package}/broken.py:12)"
    lacks = f"ModuleNotFoundError: No module named 'absent_library' ({package}/lacking.py:12)"
    assert reasons == [
        f"{package}.steps:missing: missing is not there in {package}.steps; correct the name in pipeline.yaml",
        f"{package}.nowhere:f: there is no module {package}.nowhere; create it, or correct the name",
        f"{package}.broken:f: {where}; correct it, then run again",
        f"{package}.lacking:f: {lacks}; install absent_library, or correct the import",
    ]


def test_an_error_is_tried_again_and_its_traceback_is_in_the_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.write("""
        def second_time(ctx):
            if ctx.attempt == 1:
                raise OSError("gone")
            return Succeeded(rows=ctx.attempt)
    """)
    run = shop.run(shop.members("second_time", attempts=2))
    assert run.state == "complete"
    assert shop.notes()[0].rows == 2
    assert "OSError: gone" in caplog.text
    assert "Traceback" in caplog.text


def test_a_request_to_retry_consumes_no_attempt(shop: Shop) -> None:
    shop.write("""
        def patient(ctx):
            mark(ctx, ctx.attempt)
            if len((ctx.home / "marks").read_text().split()) < 4:
                raise Retry("busy", after=timedelta(milliseconds=1))
            return Succeeded()
    """)
    assert shop.run(shop.members("patient", attempts=1)).state == "complete"
    assert shop.marks() == ["1", "1", "1", "1"]


def test_not_yet_is_asked_again_then_and_the_third_settles_empty(shop: Shop) -> None:
    shop.write("""
        def early(ctx):
            mark(ctx, "asked")
            return Empty(reason="tomorrow", not_before=datetime(2020, 1, 1, tzinfo=UTC))
    """)
    assert shop.run(shop.members("early", attempts=1)).state == "complete"
    assert shop.kinds() == ["empty"]
    assert shop.marks() == ["asked"] * 3
