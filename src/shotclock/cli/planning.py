"""From what the command line names to a plan: pipeline, mode, parameters, and whether its functions are there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from shotclock.model import Plan
    from shotclock.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def parameters(command: F) -> F:
    """Add ``--param`` and ``--data``, given to the command as one mapping `params`."""
    param = click.option(
        "--param", "params", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="Give the pipeline a parameter."
    )
    data = click.option(
        "--data",
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        expose_value=False,
        callback=_data,
        help="Folder of the input files: the parameter `data`, made absolute.",
    )
    return param(data(command))


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, object]:  # noqa: ARG001 - click's signature
    given: dict[str, object] = dict(ctx.meta.get(__name__, {}))
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or not name:
            message = f"{text!r} is not NAME=VALUE"
            raise click.BadParameter(message)
        given[name] = value
    ctx.meta[__name__] = given
    return given


def _data(ctx: click.Context, param: click.Parameter, value: str | None) -> None:  # noqa: ARG001 - click's signature
    if value is None:
        return
    ctx.meta.setdefault(__name__, {})["data"] = value
    given = ctx.params.get("params")
    if given is not None:
        given["data"] = value


def plan_of(path: Path, mode: str | None, params: dict[str, object]) -> "Plan":
    """Return the plan of a pipeline file; raises `SpecError` with a line for each thing wrong."""
    from shotclock.model import DEFAULT_MODE  # noqa: PLC0415 - not for --help
    from shotclock.spec import load  # noqa: PLC0415 - likewise

    return load(path, mode=mode or DEFAULT_MODE, params=params)


def check_functions(plan: "Plan") -> None:
    """Import every function a plan names; raises `SpecError` with a line for each that cannot be used."""
    from shotclock.spec import check_imports  # noqa: PLC0415 - not for --help

    _refuse(check_imports(plan))


def check_plan(plan: "Plan", settings: "Settings") -> None:
    """Check a plan's functions, and that its times fit the settings; raises `SpecError`, a line for each problem."""
    from shotclock.engine.plans import check_plan as check  # noqa: PLC0415 - not for --help

    check(plan, settings)


def _refuse(problems: Sequence[str]) -> None:
    from shotclock.errors import SpecError  # noqa: PLC0415 - not for --help

    if problems:
        raise SpecError(tuple(problems))


def shown(params: dict[str, object]) -> str:
    """Return parameters as the options that give them."""
    from shlex import quote  # noqa: PLC0415 - only where a command is printed

    return "".join(f" --param {quote(f'{name}={value}')}" for name, value in params.items())
