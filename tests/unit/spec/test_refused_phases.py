"""What is wrong with a phase, its members or how it is worked on is refused with its line and the next step."""

from pathlib import Path

import pytest

from tests.unit.spec.written import TOP, phase_text, said

EXTERNAL = "members: {m: {external: true}}\n"
RUNS = "members: {m: 'p.m:f'}\n"
ITEMS = "items: p.m:i\nrun: p.m:r\n"

CASES = {
    "a misspelt key": (
        "memebers: {m: {external: true}}\n",
        "4: phase raw: unknown key 'memebers'; the nearest is 'members'",
    ),
    "neither members nor items": (
        "then: p.m:f\n",
        "3: phase raw: has nobody to wait for: write members: or items:",
    ),
    "members and items": (
        EXTERNAL + "items: p.m:i\n",
        "5: phase raw: items: stands beside members; a phase has either, so split it into two phases",
    ),
    "members without any": (
        "members: {}\n",
        "4: phase raw: members: must have at least one member",
    ),
    "members as a list": (
        "members: [m]\n",
        "4: phase raw: members: expected a mapping, got a list",
    ),
    "run beside members": (
        EXTERNAL + "run: p.m:f\n",
        "5: phase raw: run: belongs to a phase with items; here each member has its own",
    ),
    "items without run": (
        "items: p.m:i\n",
        "3: phase raw: run is missing: write run: package.module:function for the items, or external: true",
    ),
    "items run and external": (
        ITEMS + "external: true\n",
        "6: phase raw: external: stands beside run; items are worked on by one of them",
    ),
    "items from no import path": (
        "items: p.m.i\nrun: p.m:r\n",
        "4: phase raw: items: 'p.m.i' is not an import path: write package.module:function, such as nba.raw:player_box",
    ),
    "then that is no import path": (
        EXTERNAL + "then: consolidate\n",
        (
            "5: phase raw: then: 'consolidate' is not an import path:"
            " write package.module:function, such as nba.raw:player_box"
        ),
    ),
    "a member that does nothing": (
        "members:\n  m: {critical: true}\n",
        "5: phase raw: member m: run is missing: write run: package.module:function, command: or external: true",
    ),
    "a member without a value": (
        "members:\n  m:\n",
        "5: phase raw: member m: expected a text, got nothing; or write {run: …}, {command: …} or {external: true}",
    ),
    "a member with run and command": (
        "members:\n  m: {run: 'p:f', command: ls}\n",
        "5: phase raw: member m: command: stands beside run; a member has one of run, command and external",
    ),
    "a member that calls": (
        "members:\n  m: {call: 'http://example.org'}\n",
        "5: phase raw: member m: call: HTTP calls are not in this release; use run, command or external: true",
    ),
    "a member that publishes": (
        "members:\n  m: {publish: topic}\n",
        (
            "5: phase raw: member m: publish: messages to a topic are not in this release;"
            " use run, command or external: true"
        ),
    ),
    "a misspelt key of a member": (
        "members:\n  m: {rnu: 'p:f'}\n",
        "5: phase raw: member m: unknown key 'rnu'; the nearest is 'run'",
    ),
    "what an external member needs": (
        "members:\n  m: {external: true, needs: gpu}\n",
        "5: phase raw: member m: needs: an external member has none; no worker takes it",
    ),
    "a tag that is no word": (
        "members:\n  m: {run: 'p.m:f', needs: [a b]}\n",
        "5: phase raw: member m: needs: 'a b' cannot name a tag: use 1 to 100 of a-z, 0-9, _ and -",
    ),
    "memory of threads": (
        RUNS + "execution: {mode: parallel, max_workers: 2, memory: 1GB}\n",
        "5: phase raw: execution: memory: is for child processes; write mode: process",
    ),
    "memory without a unit": (
        RUNS + "execution: {mode: process, memory: 512}\n",
        "5: phase raw: execution: memory: expected a size with KB, MB or GB, such as 512MB, got '512'",
    ),
    "a key of a member that is like none": (
        "members:\n  m: {external: true, memory: 1}\n",
        (
            "5: phase raw: member m: unknown key 'memory'; known are"
            " run, command, external, critical, optional, aliases, contract, timeout, needs"
        ),
    ),
    "a member critical and optional": (
        "members:\n  m: {external: true, critical: true, optional: true}\n",
        (
            "5: phase raw: member m: optional: stands beside critical;"
            " a member is one of them, or required when neither is said"
        ),
    ),
    "a timeout of an external member": (
        "members:\n  m: {external: true, timeout: 5m}\n",
        "5: phase raw: member m: timeout: an external member has none; its clock is the gate's deadline",
    ),
    "a command without words": (
        "members:\n  m: {command: []}\n",
        "5: phase raw: member m: command: has no words; write the program and its arguments",
    ),
    "a command with an open quote": (
        'members:\n  m: {command: "ls \'a"}\n',
        '5: phase raw: member m: command: "ls \'a" cannot be split into words: no closing quotation',
    ),
    "a member twice": (
        "members:\n  m: {external: true}\n  m: {external: true}\n",
        "6: phase raw: members: duplicate key 'm'; it stands on line 5 already",
    ),
    "a member twice in other characters": (
        'members:\n  "caf\\u00e9": {external: true}\n  "cafe\\u0301": {external: true}\n',
        "6: phase raw: member café: is there already, written with other characters for the same letters",
    ),
    "an alias that is a member": (
        "members:\n  a: {external: true, aliases: b}\n  b: {external: true}\n",
        "5: phase raw: member a: aliases: 'b' already belongs to member b",
    ),
    "an alias that is empty": (
        "members:\n  a:\n    external: true\n    aliases:\n      - ''\n",
        "8: phase raw: member a: aliases: expected a text, got ''",
    ),
    "an alias of two members": (
        "members:\n  a: {external: true, aliases: [x]}\n  b:\n    external: true\n    aliases:\n      - y\n      - x\n",
        "10: phase raw: member b: aliases: 'x' already belongs to member a",
    ),
    "a member name that is too long": (
        f"members:\n  ? {'x' * 1501}\n  : {{external: true}}\n",
        f"5: phase raw: members: '{'x' * 80}' cannot name a member: it must have 1 to 1500 bytes, it has 1501",
    ),
    "an empty member name": (
        "members: {'': {external: true}}\n",
        "4: phase raw: members: '' cannot name a member: it must have 1 to 1500 bytes, it has 0",
    ),
    "negative min_rows": (
        "members:\n  m: {run: 'p:f', contract: {min_rows: -1}}\n",
        "5: phase raw: member m: contract: min_rows: expected a whole number from 0 to 1000000000000000, got '-1'",
    ),
    "sequential with workers": (
        RUNS + "execution: {max_workers: 4}\n",
        (
            "5: phase raw: execution: max_workers: 4 at once are not sequential, which is the default mode;"
            " write mode: parallel or mode: process"
        ),
    ),
    "sequential with workers, as said": (
        RUNS + "execution: {mode: sequential, max_workers: 4}\n",
        "5: phase raw: execution: max_workers: 4 at once are not sequential; write mode: parallel or mode: process",
    ),
    "parallel without workers": (
        RUNS + "execution: {mode: parallel}\n",
        (
            "5: phase raw: execution: max_workers is missing:"
            " mode parallel must say how many at once, such as max_workers: 4"
        ),
    ),
    "an unknown execution mode": (
        RUNS + "execution: {mode: treads, max_workers: 4}\n",
        "5: phase raw: execution: mode: expected one of sequential, parallel, process, got 'treads'",
    ),
    "no workers": (
        RUNS + "execution: {max_workers: 0}\n",
        "5: phase raw: execution: max_workers: expected a whole number from 1 to 1000, got '0'",
    ),
    "half an attempt": (
        RUNS + "execution: {attempts: 1.5}\n",
        "5: phase raw: execution: attempts: expected a whole number from 1 to 100, got '1.5'",
    ),
    "chunk of members": (
        RUNS + "execution: {chunk: 5}\n",
        "5: phase raw: execution: chunk: is for phases with items; each member is a task of its own",
    ),
    "a timeout beyond max_age": (
        RUNS + "execution: {timeout: 2d}\n",
        "5: phase raw: execution: timeout: 2d does not fit in max_age (2d): the run fails before",
    ),
    "a budget beyond max_age": (
        ITEMS + "execution:\n  budget: 3d\n",
        "7: phase raw: execution: budget: 3d does not fit in max_age (2d): the run fails before",
    ),
    "a member's timeout beyond max_age": (
        "members:\n  m:\n    run: p.m:f\n    timeout: 3d\n",
        "7: phase raw: member m: timeout: 3d does not fit in max_age (2d): the run fails before",
    ),
    "inputs without fresh": (
        EXTERNAL + "inputs: {else: flag}\n",
        "5: phase raw: inputs: fresh is missing: write fresh: 24h",
    ),
    "inputs with an unknown else": (
        EXTERNAL + "inputs: {fresh: 24h, else: fail}\n",
        "5: phase raw: inputs: else: expected one of flag, block, got 'fail'",
    ),
    "a need that is not there": (
        EXTERNAL + "needs: [rww]\n",
        "5: phase raw: needs: there is no phase 'rww'; the nearest is 'raw'",
    ),
    "a previous need that is not there": (
        EXTERNAL + "needs: [{phase: rww, run: previous}]\n",
        "5: phase raw: needs: there is no phase 'rww'; the nearest is 'raw'",
    ),
    "a need of another run than the previous": (
        EXTERNAL + "needs: [{phase: raw, run: next}]\n",
        "5: phase raw: needs: run: expected one of previous, got 'next'",
    ),
    "a need of a phase without its run": (
        EXTERNAL + "needs: [{phase: raw}]\n",
        "5: phase raw: needs: run is missing: write run: previous, or only the phase's name",
    ),
    "a need of a list": (
        EXTERNAL + "needs: [[raw]]\n",
        "5: phase raw: needs: expected a text, got a list",
    ),
    "a need of itself": (
        EXTERNAL + "needs: raw\n",
        "5: phase raw: needs: the phases need each other in a circle: raw needs raw",
    ),
}


@pytest.mark.parametrize(("text", "line"), CASES.values(), ids=CASES)
def test_is_refused_with_its_line(text: str, line: str, tmp_path: Path) -> None:
    assert said(tmp_path, phase_text(text)) == [f"pipeline.yaml:{line}"]


def test_a_phase_with_a_bad_name_is_refused(tmp_path: Path) -> None:
    text = TOP + "phases:\n  Raw data: {members: {m: {external: true}}}\n"
    line = "pipeline.yaml:3: 'Raw data' cannot name a phase: use 1 to 100 of a-z, 0-9, _ and -"
    assert said(tmp_path, text) == [line]


def test_a_phase_needed_twice_is_refused(tmp_path: Path) -> None:
    text = phase_text(EXTERNAL) + "  b:\n    needs:\n      - raw\n      - raw\n    members: {m: {external: true}}\n"
    assert said(tmp_path, text) == ["pipeline.yaml:8: phase b: needs: 'raw' is named twice"]


def test_each_circle_of_phases_is_named_once_and_phases_behind_it_are_not(tmp_path: Path) -> None:
    needs = {"a": "c", "b": "a", "c": "b", "d": "a", "x": "y", "y": "x", "free": ""}
    phases = "".join(
        f"  {name}: {{needs: [{need}], members: {{m: {{external: true}}}}}}\n" for name, need in needs.items()
    )
    circle = "phases need each other in a circle"
    assert said(tmp_path, TOP + "phases:\n" + phases) == [
        f"pipeline.yaml:3: phase a: needs: the {circle}: a needs c, c needs b, b needs a",
        f"pipeline.yaml:7: phase x: needs: the {circle}: x needs y, y needs x",
    ]


def test_a_problem_is_one_line_whatever_the_file_holds(tmp_path: Path) -> None:
    (problem,) = said(tmp_path, phase_text('members: {"a\\nb\\e[31m": {external: maybe, run: "p:f"}}\n'))
    assert problem.isprintable()
