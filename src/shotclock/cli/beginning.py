"""`init`: a small pipeline of the user's own that runs at once."""

import sys
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

import click

from shotclock.cli.shell import Shell, common, examples
from shotclock.errors import StoreUnavailableError, UsageError

PIPELINE: Final = Template("""\
pipeline: $name
key: {name: day, type: date, timezone: UTC}
phases:
  raw:                                  # named members: each must report once
    members:
      games: {run: "$name.steps:games", critical: true, contract: {min_rows: 1}}
      # odds: {external: true}          # reports with: shotclock report $name/DAY raw odds succeeded
    gate: {deadline: 30m}
  scores:                               # a fan-out: one item for each player
    needs: [raw]
    items: "$name.steps:players"
    run: "$name.steps:score"
    execution: {mode: parallel, max_workers: 2, chunk: 2}
    then: "$name.steps:total"
""")

STEPS: Final = Template('''\
"""The steps of the pipeline $name."""

from shotclock import Context, Item, Succeeded


def games(ctx: Context) -> Succeeded:
    return Succeeded(rows=2, outputs={"players": ["Ada", "Grace", "Joan", "Mary"]})


def players(ctx: Context):
    return (Item(name) for name in ctx.output("raw", "games")["players"])


def score(ctx: Context, items):
    return {item.id: Succeeded(rows=1, outputs={"score": len(item.id)}) for item in items}


def total(ctx: Context) -> dict:
    scores = {one.name: one.outputs["score"] for one in ctx.settled()}
    return {"show": f"{ctx.key}: {scores}"}
''')


@click.command(
    epilog=examples("shotclock init scores", "shotclock run scores 2025-01-15"),
)
@click.argument("name", type=click.Path(path_type=Path))
@common
@click.pass_obj
def init(shell: Shell, name: Path) -> None:
    """Write a pipeline into a new folder NAME: a file and its steps, less than 40 lines, that run at once."""
    _check(name)
    files = {name / "pipeline.yaml": PIPELINE, name / "steps.py": STEPS}
    try:
        name.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text.substitute(name=name.name), encoding="utf-8")
    except OSError as error:
        message = f"{name}: cannot be written ({error.strerror}): choose another folder, or change its permissions"
        raise StoreUnavailableError(message) from error
    shell.document({"pipeline": name.name, "files": [str(path) for path in files]})
    shell.say(f"wrote {' and '.join(str(path) for path in files)}")
    shell.say(f"next: shotclock run {name} 2025-01-15")


def _check(name: Path) -> None:
    """Refuse a folder that holds something, and a name that could not be imported as itself."""
    if name.exists() and (not name.is_dir() or any(name.iterdir())):
        message = f"{name} is there already and not empty: choose another name, init overwrites nothing"
    elif not name.name.isidentifier() or not name.name.islower() or not name.name.isascii():
        message = f"{name.name!r} cannot name a pipeline with steps: use a-z, 0-9 and _, beginning with a letter"
    elif name.name in sys.stdlib_module_names or _taken(name):
        message = f"{name.name} is the name of an installed module, which would be imported instead: choose another"
    else:
        return
    raise UsageError(message)


def _taken(name: Path) -> bool:
    """Say whether importing the name finds something that is not the new folder."""
    found = find_spec(name.name)
    return found is not None and found.origin is not None
