"""A chunk function answers for each item it was given, and items that fail do not hold back the others."""

from decimal import Decimal

import pytest

from shotclock.model import Amount, Gate
from tests.unit.engine.shop import Shop

LENIENT = Gate(tolerate=Amount(percent=Decimal(100)))


@pytest.mark.parametrize("mode", ["parallel", "process"])
def test_items_settle_each_by_its_own_outcome(shop: Shop, mode: str) -> None:
    shop.write("""
        def items(ctx):
            yield "plain"
            yield "pair", {"n": 2}
            yield Item("whole", [3])
            yield "broken"
            yield "forgotten"
        def work(ctx, items):
            outcomes = {
                "plain": Succeeded(rows=1),
                "pair": Empty(),
                "whole": Skipped("no"),
                "broken": Permanent("spoilt"),
            }
            assert [item.payload for item in items if item.id in {"pair", "whole"}] in ([], [{"n": 2}, [3]])
            return {item.id: outcomes[item.id] for item in items if item.id in outcomes}
    """)
    run = shop.run(shop.items("items", "work", chunk=10, mode=mode, gate=LENIENT))
    assert run.state == "complete"
    assert shop.kinds() == ["succeeded", "empty", "skipped", "failed", "failed"]
    assert shop.notes()[3].reason == "spoilt"
    assert shop.notes()[4].reason == "no outcome was returned for it"


def test_only_the_items_that_failed_are_handed_out_again(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a", "b", "c"]
        def work(ctx, items):
            mark(ctx, "+".join(item.id for item in items))
            if ctx.attempt == 1:
                return {"a": Succeeded(), "b": Retry("busy"), "c": ValueError("odd")}
            return {item.id: Succeeded() for item in items}
    """)
    assert shop.run(shop.items("items", "work", chunk=3, attempts=2)).state == "complete"
    assert shop.marks() == ["a+b+c", "b+c"]


def test_a_chunk_that_raises_is_halved_down_to_the_item_that_is_to_blame(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return [f"i{number}" for number in range(8)]
        def work(ctx, items):
            if any(item.id == "i5" for item in items):
                raise ValueError("poison")
            return {item.id: Succeeded() for item in items}
    """)
    assert shop.run(shop.items("items", "work", chunk=8, gate=LENIENT)).state == "complete"
    assert [place for place, kind in enumerate(shop.kinds()) if kind == "failed"] == [5]
    assert shop.kinds().count("succeeded") == 7


def test_an_outcome_for_an_item_that_was_not_given_is_an_error_that_names_it(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a"]
        def work(ctx, items): return {"a": Succeeded(), "stranger": Succeeded()}
    """)
    shop.run(shop.items("items", "work"))
    assert "returned an outcome for 'stranger', which it was not given" in (shop.notes()[0].reason or "")


def test_anything_but_a_mapping_is_refused(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return ["a", "b"]
        def work(ctx, items): return [Succeeded(), Succeeded()]
    """)
    shop.run(shop.items("items", "work", chunk=2))
    assert [note.reason for note in shop.notes().values()] == [
        "returned list; return a mapping from item id to outcome"
    ] * 2


def test_an_enumeration_names_repeated_ids_and_the_first_counts(shop: Shop) -> None:
    shop.write("""
        def items(ctx):
            yield "caf\\u00e9", 1
            yield "cafe\\u0301", 2
            yield "tea", 3
        def work(ctx, items): return {item.id: Succeeded(rows=item.payload) for item in items}
    """)
    assert shop.run(shop.items("items", "work", chunk=2)).state == "complete"
    assert shop.phase_of().repeated == ("café",)
    assert [shop.notes()[ordinal].rows for ordinal in range(2)] == [1, 3]


def test_a_roll_of_many_pages_holds_every_item_once(shop: Shop) -> None:
    shop.write("""
        def items(ctx): return (f"i{number}" for number in range(2_500))
        def work(ctx, items): return {item.id: Succeeded() for item in items}
        def merge(ctx): return {"names": sorted(settled.name for settled in ctx.settled())}
    """)
    run = shop.run(shop.items("items", "work", then="merge", chunk=300))
    assert run.state == "complete"
    assert shop.phase_of().pages == 3
    assert shop.result()["names"] == sorted(f"i{number}" for number in range(2_500))


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ("[1]", "item 0: the id is 1, not text; yield Item(id, payload), (id, payload) or an id"),
        ("['a', ('b', {1})]", "item 1 (b): the payload is {1} (set), which is not JSON"),
        ("['a', ' ']", "item 1: ' ' cannot name a member: it must have 1 to 1500 bytes, it has 1"),
        ("None", "returned NoneType; yield items: Item(id, payload), (id, payload) or an id"),
    ],
)
def test_an_enumeration_that_can_never_succeed_fails_at_once_naming_the_item(shop: Shop, listed: str, why: str) -> None:
    shop.write(f"""
        def items(ctx): return {listed}
        def work(ctx, items): return {{}}
    """)
    run = shop.run(shop.items("items", "work", attempts=5))
    assert run.state == "failed"
    assert shop.phase_of().failure == f"enumeration: {why}; enumeration failed before it gave any item"


def test_an_enumeration_that_fails_half_way_goes_on_where_its_pages_end(shop: Shop) -> None:
    shop.write("""
        def items(ctx):
            for number in range(2_000):
                if number == 1_500 and ctx.attempt == 1:
                    raise OSError("gone")
                yield f"i{number}"
        def work(ctx, items): return {item.id: Succeeded() for item in items}
    """)
    run = shop.run(shop.items("items", "work", chunk=500, attempts=2))
    assert run.state == "complete"
    assert shop.phase_of().counts.required.succeeded == 2_000


def test_an_enumeration_in_another_order_the_second_time_fails(shop: Shop) -> None:
    shop.write("""
        def items(ctx):
            yield from (f"i{number + ctx.attempt}" for number in range(1_000))
            raise OSError("gone")
        def work(ctx, items): return {item.id: Succeeded() for item in items}
    """)
    run = shop.run(shop.items("items", "work", chunk=500, attempts=3))
    assert run.state == "failed"
    assert "it must list them in a fixed order" in (shop.phase_of().failure or "")


def test_a_payload_reaches_a_child_as_it_was_given_however_large_its_numbers(shop: Shop) -> None:
    shop.write("""
        def items(ctx): yield "a", {"n": 2 ** 70, "text": "\\u00e9", "none": None, "list": [1.5, True]}
        def work(ctx, items):
            assert items[0].payload == {"n": 2 ** 70, "text": "\\u00e9", "none": None, "list": [1.5, True]}
            return {"a": Succeeded(outputs={"n": items[0].payload["n"]})}
    """)
    assert shop.run(shop.items("items", "work", mode="process")).state == "complete", shop.notes()
    assert shop.notes()[0].outputs == {"n": 2**70}
