"""The program on the page about idempotent handlers charges once, wherever and however often it is killed."""

import json
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from shotclock import Settings, open_store
from shotclock.ports import Transaction
from tests.docs.repository import ROOT

PAGE = (ROOT / "docs" / "idempotent.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PATIENCE = 60
ORDERS = {f"order-{number}": 100 + number for number in range(10)}
DELIVERIES = 1_000
KILLED_AFTER = 80
"""Deliveries that a process sees to, about, before it is killed."""


def program(home: Path, *blocks: str) -> "subprocess.Popen[str]":
    """Start the page's program."""
    (home / "program.py").write_text("\n".join(blocks), encoding="utf-8")
    words = [sys.executable, "-W", "error", str(home / "program.py"), str(home)]
    path = {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=path)  # noqa: S603 - ours


def seen_to(home: Path, deliveries: list[str], most: int) -> list[str]:
    """Deliver to a process that is killed once it has answered so many; return the answers."""
    process = program(home, BLOCKS[0])
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write("".join(f"{one}\n" for one in deliveries))
        process.stdin.flush()
        answers = [process.stdout.readline() for _ in range(min(most, len(deliveries)))]
        process.send_signal(signal.SIGKILL)
        answers += process.stdout.readlines()
    return [answer for answer in answers if answer.endswith("\n")]


def _charged(tx: Transaction) -> list[tuple[str, int]]:
    with tx.lend() as ledger:
        return list(ledger.execute("SELECT id, cents FROM charge ORDER BY id"))


def test_a_thousand_deliveries_with_kills_between_charge_each_order_once(tmp_path: Path) -> None:
    lots = random.Random(1)  # noqa: S311 - the same in every run
    names = [lots.choice(list(ORDERS)) for _ in range(DELIVERIES)]
    deliveries = [f"{name} {ORDERS[name]}" for name in names]
    answers: list[str] = []
    kills = 0
    while len(answers) < DELIVERIES:
        answers += seen_to(tmp_path, deliveries[len(answers) :], lots.randint(1, 2 * KILLED_AFTER))
        kills += 1
    assert kills > 5
    assert [answer.strip() for answer in answers] == [f"{name} {{'charged': {ORDERS[name]}}}" for name in names]
    with closing(open_store(Settings(home=tmp_path))) as store:
        charged = store.write(_charged)
        claims = Counter(table for table, _ in store.dump())["entry"]
    assert charged == sorted(ORDERS.items())
    assert claims == len(ORDERS)
    words = [sys.executable, "-m", "shotclock", "idempotent", "--json", "--home", str(tmp_path)]
    told = subprocess.run(words, capture_output=True, check=True, env={"PYTHONPATH": str(ROOT / "src")})  # noqa: S603 - ours
    figures = json.loads(told.stdout)
    assert (figures["kept"], figures["claimed"], figures["conflicts"]) == (len(ORDERS), len(ORDERS), 0)
    assert figures["repeated"] >= DELIVERIES - len(ORDERS)


def test_the_block_on_the_page_is_carried_out_once(tmp_path: Path) -> None:
    said = [program(tmp_path, *BLOCKS).communicate(timeout=PATIENCE)[0] for _ in range(2)]
    assert said == ["{'sent': True, 'fence': 1}\n"] * 2
