"""``python -m bench [--quick]``: every measure beside its target, into ``bench/RESULTS.md`` and plots beside it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench import ramps, report, served
from bench.measuring import child, command_ms, load, medians, peer, versions
from bench.peers.redis import MissingPartError
from bench.report import Bar, Row

HERE = Path(__file__).parent
WORKERS = {500: 16, 50: 32, 1: 128}
ABSOLUTE = {500: 100_000, 50: 30_000, 1: 8_000}
FAULTS = ("duplicate", "lost", "permanent", "hung")
TOLD = {
    "duplicate": "one message delivered twice",
    "lost": "one message lost",
    "permanent": "one item fails for good",
    "hung": "one item hangs",
}


class Bench:
    """One run of all measures; `size` is the million, or less of it when it has to be quick."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self.size = 100_000 if quick else 1_000_000
        self.times = 3
        self.rows: list[Row] = []
        self.remarks: list[str] = []
        self.ours: dict[int, float] = {}
        self.rates: dict[str, dict[int, float]] = {}

    def add(self, measure: str, target: str, measured: str, *, met: bool | None) -> None:
        """Note a line of the table, and show it."""
        self.rows.append(Row(measure=measure, target=target, measured=measured, met=met))
        sys.stdout.write(f"{measure}: {measured}\n")
        sys.stdout.flush()

    def bulk(self) -> None:
        """Compare bulk reports with bare inserts."""
        mine, many, values = [], [], []
        for _ in range(self.times):
            mine.append(child("bulk", items=self.size))
            many.append(child("bare_bulk", items=self.size, many=False))
            values.append(child("bare_bulk", items=self.size, many=True))
        rate, one, two = (medians(found)["rate"] for found in (mine, many, values))
        ratio = rate / max(one, two)
        shown = f"{rate:,.0f}/s; executemany {one:,.0f}/s, multi-row VALUES {two:,.0f}/s: {ratio:.2f} ×"
        self.add(
            f"report of {self.size:,} members, 500 a transaction", "≥ 0.5 × the bare loop", shown, met=ratio >= 0.5
        )

    def random(self) -> None:
        """Compare random order by name at a tenth of the size and at all of it."""
        few, reports = self.size // 10, min(self.size // 10, 20_000)
        small, large, inorder = [], [], []
        for _ in range(self.times):
            small.append(child("by_name", items=few, reports=reports, order="random"))
            large.append(child("by_name", items=self.size, reports=reports, order="random"))
            inorder.append(child("by_name", items=few, reports=reports, order="roll"))
        one, two, three = (medians(found)["rate"] for found in (small, large, inorder))
        shown = f"{two:,.0f}/s on {self.size:,}, {one:,.0f}/s on {few:,}: {two / one:.2f} × (roll order {three:,.0f}/s)"
        name = f"{reports:,} reports by name in random order, 500 a transaction"
        self.add(name, f"rate on {self.size:,} ≥ 0.5 × on {few:,}", shown, met=two / one >= 0.5)

    def whole(self) -> None:
        """Compare whole fan-outs with loops written by hand on the same tables."""
        for chunk, workers in WORKERS.items():
            items = self.size if chunk > 1 else self.size // 10
            mine, pool, loop = [], [], []
            size = {"items": items, "chunk": chunk, "workers": workers}
            for _ in range(self.times):
                mine.append(child("whole", **size))
                pool.append(child("bare_whole", **size, threads=True))
                loop.append(child("bare_whole", **size, threads=False))
            found, pooled, looped = medians(mine), medians(pool)["rate"], medians(loop)["rate"]
            self.ours[chunk] = rate = found["rate"]
            by_hand = f"by hand {pooled:,.0f}/s with as many threads: {rate / pooled:.2f} ×"
            shown = f"{rate:,.0f}/s, {by_hand}; {looped:,.0f}/s with none: {rate / looped:.2f} ×"
            enough = rate / pooled >= 0.4 and rate >= ABSOLUTE[chunk]
            name = f"{items:,} items end to end, one process, chunk {chunk}, {workers} threads"
            self.add(name, f"≥ 0.4 × by hand with threads, ≥ {ABSOLUTE[chunk]:,}/s", shown, met=enough)
            if chunk == max(WORKERS):
                self._flat(found, items)

    def _flat(self, found: dict[str, float], items: int) -> None:
        flat, peak = found["last_to_median"], found["peak_mb"]
        self.add(f"last decile of {items:,} against the median decile", "≤ 1.3 ×", f"{flat:.2f} ×", met=flat <= 1.3)
        self.add(f"peak memory of all our processes at {items:,}", "≤ 250 MB", f"{peak:.0f} MB", met=peak <= 250)

    def callers(self) -> None:
        """Compare single reports of many callers with those of one."""
        one = medians([child("callers", reports=2_000, threads=1) for _ in range(self.times)])["rate"]
        many = medians([child("callers", reports=10_000, threads=200) for _ in range(self.times)])["rate"]
        shown = f"{many:,.0f}/s, one commit each {one:,.0f}/s: {many / one:.1f} ×"
        self.add("single durable reports, 200 callers", "≥ 5 × one commit each", shown, met=many / one >= 5)

    def service(self) -> None:
        """Report over HTTP: one by one beside the same stack doing nothing, as lines, and with a kill amid the load."""
        try:
            one = medians([child("http_single") for _ in range(self.times)])
        except (MissingPartError, RuntimeError) as error:
            self.remarks.append(f"The service was not measured: {str(error).splitlines()[-1]}")
            return
        rate, ratio = one["rate"], one["rate"] / one["bare"]
        waits = f"p50 {one['p50_ms']:.1f}, p99 {one['p99_ms']:.1f} ms"
        shown = f"{rate:,.0f}/s ({waits}); the stack doing nothing {one['bare']:,.0f}/s: {ratio:.2f} ×"
        target = "≥ 0.4 × the same stack doing nothing, at least 4,000/s"
        name = "single durable reports over HTTP, one process, 64 connections"
        self.add(name, target, shown, met=ratio >= 0.4 and rate >= 4_000)
        lines = medians([child("http_lines") for _ in range(self.times)])["rate"]
        self.add(
            "durable reports over HTTP, 10,000 lines a request", "≥ 60,000/s", f"{lines:,.0f}/s", met=lines >= 60_000
        )
        killed = child("http_killed")
        answered, stored = killed["answered"], killed["stored"]
        shown = f"{answered:,.0f} answered, {stored:,.0f} in the store afterwards"
        self.add(
            "reports over HTTP, the service killed amid load", "none answered is missing", shown, met=stored >= answered
        )

    def hand_overs(self) -> None:
        """Time hand-overs within a process and across two."""
        within = medians([child("hand_over", runs=200) for _ in range(self.times)])
        self._waits("last report's commit to the next phase's first task, in process", within, 1.0)
        found = []
        for _ in range(self.times):
            with TemporaryDirectory() as home:
                args = [sys.executable, "-m", "bench.child", "serve", json.dumps({"home": home})]
                with subprocess.Popen(args) as serving:
                    try:
                        found.append(child("hand_over_across", home=home, runs=200))
                    finally:
                        serving.kill()
        self._waits("the same, to another process", medians(found), 2.0)
        well, stuck = (
            medians([child("hand_over_told", runs=200, stuck=stuck) for _ in range(self.times)])
            for stuck in (False, True)
        )
        shown = f"p50 {stuck['p50_ms']:.2f} ms, with one that answers {well['p50_ms']:.2f} ms"
        met = stuck["p50_ms"] <= max(1.5 * well["p50_ms"], 1.0)
        self.add(
            "last report to first task, told to a channel that does not answer",
            "≤ 1.5 × with one that answers",
            shown,
            met=met,
        )

    def _waits(self, measure: str, found: dict[str, float], most: float) -> None:
        p50, p99 = found["p50_ms"], found["p99_ms"]
        shown = f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"
        self.add(measure, f"p50 ≤ {most:.0f} ms, p99 ≤ 10 ms", shown, met=p50 <= most and p99 <= 10)

    def restart(self) -> None:
        """Time how soon tasks are leased again after all workers were killed."""
        found = []
        for _ in range(self.times):
            with TemporaryDirectory() as home:
                args = [sys.executable, "-m", "bench.child", "half", json.dumps({"home": home, "items": self.size})]
                subprocess.run(args, check=False)
                found.append(child("again", home=home))
        took = medians(found)["seconds"]
        name = f"restart with {self.size:,} enumerated, half settled, all killed: first task"
        self.add(name, "≤ 1 s", f"{took:.2f} s", met=took <= 1)

    def served(self) -> None:
        """Measure on PostgreSQL."""
        for line in served.lines(self.size, self.times):
            self.add(line.measure, line.target, line.shown, met=line.met)

    def status(self) -> None:
        """Time the list of runs in a store of many, and what the commands cost."""
        runs = self.size // 10
        took = child("status", runs=runs)["ms"]
        self.add(f"status in a store of {runs:,} runs, in the store", "≤ 100 ms", f"{took:.1f} ms", met=took <= 100)
        command = str(Path(sys.executable).with_name("shotclock"))
        with TemporaryDirectory() as folder:
            home = Path(folder)
            command_ms([command, "status"], home)
            took_click, took_help, took_status = [], [], []
            for _ in range(7):
                took_click.append(command_ms([sys.executable, "-c", "import click"], home))
                took_help.append(command_ms([command, "--help"], home))
                took_status.append(command_ms([command, "status"], home))
        base = median(took_click)
        for name, times in (("--help", took_help), ("status", took_status)):
            ratio = median(times) / base
            shown = f"{median(times):.0f} ms, import click {base:.0f} ms: {ratio:.2f} ×"
            self.add(f"`shotclock {name}`", "≤ 2 × importing click", shown, met=ratio <= 2)

    def peers(self, items: int) -> None:
        """Put what users would pick instead beside ours, as far as it is here and takes minutes, not hours."""
        for name, module, most, given in (
            ("Celery chord", "celery_app", 5_000, {"chunk": 1, "limit": 900}),
            ("Celery chunks of 50", "celery_app", 10_000, {"chunk": 50, "limit": 900}),
            ("Dramatiq group", "dramatiq_app", 10_000, {"limit": 900}),
            ("DBOS queue", "dbos_app", 1_000, {}),
        ):
            if items <= most:
                rate = self._peer(module, items, given)
                self.rates.setdefault(name, {})[items] = rate
                self._beside(name, items, rate)

    def _peer(self, module: str, items: int, given: Mapping[str, object]) -> float:
        found = []
        try:
            for _ in range(self.times if items == 1_000 and module != "dbos_app" else 1):
                with TemporaryDirectory() as folder:
                    where = {"dramatiq_app": {"target": f"{folder}/told"}, "dbos_app": {"folder": folder}}
                    found.append(peer(module, "timed", items=items, **given, **where.get(module, {})))
        except (MissingPartError, RuntimeError) as error:
            self.remarks.append(f"{module} at {items:,}: not measured: {str(error).splitlines()[-1]}")
            return 0.0
        return medians(found)["rate"]

    def _beside(self, name: str, items: int, rate: float) -> None:
        gates = {("Celery chord", 1_000): (40, 500), ("Dramatiq group", 10_000): (8, 100)}.get((name, items))
        for place, chunk in enumerate((1, 500)):
            times = self.ours[chunk] / rate if rate else 0.0
            shown = f"{rate:,.0f}/s; ours {self.ours[chunk]:,.0f}/s: {times:,.0f} ×" if rate else "not measured"
            target = f"≥ {gates[place]} ×" if gates else "–"
            met = times >= gates[place] if gates and rate else None
            self.add(f"beside {name} at {items:,}, ours chunk {chunk}", target, shown, met=met)

    def faults(self) -> str:
        """Put every system under the same faults; return the table."""
        lines = []
        for fault in FAULTS:
            cells = [TOLD[fault], str(child("faulty", fault=fault)["observed"])]
            cells += [self._fault(module, fault) for module in ("celery_app", "dramatiq_app", "dbos_app")]
            lines.append(cells)
            sys.stdout.write(" | ".join(cells) + "\n")
        return report.table(("a fan-in of ten", "ours", "Celery chord", "Dramatiq group", "DBOS queue"), lines)

    def _fault(self, module: str, fault: str) -> str:
        if module == "dbos_app" and fault == "lost":
            return "no messages: its rows are the queue"
        with TemporaryDirectory() as folder:
            where = {"folder": folder} if module == "dbos_app" else {"seen": f"{folder}/seen"}
            try:
                return str(peer(module, "faulty", fault=fault, limit=30, **where)["observed"])
            except (MissingPartError, RuntimeError) as error:
                return f"not measured: {str(error).splitlines()[-1]}"


def main() -> None:
    """Take every measure, writing the page anew after each."""
    bench = Bench(quick="--quick" in sys.argv[1:])
    page = Page(load())
    measures = (
        bench.whole,
        bench.hand_overs,
        bench.callers,
        bench.service,
        bench.restart,
        bench.status,
        bench.bulk,
        bench.random,
    )
    for measure in measures:
        measure()
        _write(bench, page)
    page.reliability = _reliability(quick=bench.quick)
    _write(bench, page)
    page.ramps = ramps.write(500 if bench.quick else ramps.HISTORIES)
    _write(bench, page)
    bench.served()
    _write(bench, page)
    for items in (1_000,) if bench.quick else (1_000, 5_000, 10_000):
        bench.peers(items)
        _plot(bench)
        _write(bench, page)
        if items == 1_000:
            page.faults = bench.faults()
            _write(bench, page)


def _plot(bench: Bench) -> None:
    beside = [
        Bar(label=f"{name}, {items:,}", value=rate, series=place)
        for place, (name, found) in enumerate(bench.rates.items())
        for items, rate in found.items()
        if rate
    ]
    mine = [Bar(label=f"ours, chunk {chunk}", value=rate, series=4) for chunk, rate in bench.ours.items()]
    report.bars(HERE / "peers.svg", "No-op items a second (logarithmic)", [*beside, *mine])


class Page:
    """What stands beside the speed table."""

    def __init__(self, before: float) -> None:
        self.before = before
        self.faults = "not observed"
        self.reliability = "not measured"
        self.ramps = "not measured"


def _reliability(*, quick: bool) -> str:
    """Run the simulated days; return their table."""
    args = [sys.executable, "-m", "bench.reliability", "1000" if quick else "10000"]
    both = json.loads(subprocess.run(args, capture_output=True, text=True, check=True).stdout)
    head = ("coordinator", *next(iter(both.values())))
    return report.table(head, [(name, *(f"{value:g}" for value in found.values())) for name, found in both.items()])


def _write(bench: Bench, page: Page) -> None:
    quick = "Quick sizes (a tenth). " if bench.quick else ""
    remarks = "".join(f"- {remark}\n" for remark in bench.remarks)
    text = f"""# Results

{quick}Written by `make bench`; what each line means: [docs/benchmarks.md](../docs/benchmarks.md).
{versions()}.
Load of the machine before and after: {page.before:.1f}, {load():.1f}. Where this is above the number of cores, other
work ran beside it and varied: then a rate alone says little, and the ratios within a line count.

Durability: ours and the bare loops commit with SQLite's WAL and `synchronous = FULL`; Redis keeps an append-only file,
flushed each second; DBOS uses SQLite as it sets it up. Workers: ours one process with the threads stated; Celery 2
processes; Dramatiq 1 process of 8 threads; DBOS 8 at once in one process. Medians of {bench.times}, taken in turns;
DBOS, and peers above 1,000 items, once. Ours stands
beside peers with its rate at the size of its own line.

## Speed

{report.speed(bench.rows)}

![No-op items a second](peers.svg)

{remarks}
## What faults do

Observed by running each system, with 30 seconds to end.

{page.faults}

## Days with incidents

{page.reliability}

## How often ramps of flags err

The same tables as in [docs/ramps.md](../docs/ramps.md#how-often-it-errs).

{page.ramps}"""
    (HERE / "RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
