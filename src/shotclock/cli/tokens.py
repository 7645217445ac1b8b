"""`tokens`: who may call the service, and what they may do there."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from shotclock.cli.operating import actor
from shotclock.cli.shell import Shell, common, examples, table
from shotclock.errors import UsageError

if TYPE_CHECKING:
    from shotclock.engine.tokens import Issued, Listed, Tokens
    from shotclock.model import Scope, Token
    from shotclock.ports import Store

_ENDLESS = "never"
_life = click.option(
    "--life",
    metavar="SPAN",
    help="How long it counts, such as 30d, or never: until it is revoked (default: token_life).",
)


@click.group(
    epilog=examples(
        "shotclock tokens create odds-loader --scope report",
        "shotclock tokens list",
        "shotclock tokens rotate odds-loader",
        "shotclock tokens revoke odds-loader",
    ),
)
@common
def tokens() -> None:
    """Make, list, rotate and revoke tokens: who shows one may call the service, within its scopes.

    A token is shown once, when it is made or rotated; the store keeps only what its secret hashes to. The first one
    closes a service that was open to this machine.
    """


@tokens.command(
    epilog=examples(
        "shotclock tokens create odds-loader --scope report",
        "shotclock tokens create dashboard --scope read --pipeline nba --life 30d",
        "TOKEN=$(shotclock tokens create oncall --scope read --scope operate)",
    )
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(["report", "read", "operate"]),
    multiple=True,
    required=True,
    help="What it may do; may be given more than once.",
)
@click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    metavar="NAME",
    help="Limit it to this pipeline; may be given more than once.",
)
@_life
@actor
@common
@click.pass_obj
def create(
    shell: Shell,
    name: str,
    scopes: "tuple[Scope, ...]",
    pipelines: tuple[str, ...],
    life: str | None,
    actor: str,
) -> None:
    """Make a token for whoever NAME says; it is the only thing on the output, and is not shown again."""
    settings = shell.settings()
    span = _span("--life", life, settings.token_life)
    with closing(shell.store(settings, make=True)) as store:
        issued = _tokens(store).create(name, scopes, by=actor, life=span, pipelines=pipelines)
    _tell(shell, issued)


@tokens.command("list", epilog=examples("shotclock tokens list", "shotclock tokens list --json"))
@common
@click.pass_obj
def list_(shell: Shell) -> None:
    """Show every token, those that count no more too: what it may, until when, and when it was used last."""
    with closing(shell.store(shell.settings())) as store:
        found = _tokens(store).list()
    shell.document([dict(_shown(one)) for one in found])
    for text in table(_line(one) for one in found):
        shell.say(text)
    if not found:
        shell.say("there are no tokens: shotclock tokens create makes one")


@tokens.command(
    epilog=examples("shotclock tokens rotate odds-loader", "shotclock tokens rotate odds-loader --overlap 0s"),
)
@click.argument("token")
@click.option(
    "--overlap",
    metavar="SPAN",
    help="How long the secret before counts beside it; 0s: no longer (default: token_overlap).",
)
@_life
@actor
@common
@click.pass_obj
def rotate(shell: Shell, token: str, overlap: str | None, life: str | None, actor: str) -> None:
    """Give TOKEN, by its name or id, a new secret; the one before counts a while longer, so that nothing stops."""
    settings = shell.settings()
    span, beside = _span("--life", life, settings.token_life), _length("--overlap", overlap, settings.token_overlap)
    with closing(shell.store(settings)) as store:
        issued = _tokens(store).rotate(token, by=actor, life=span, overlap=beside)
    _tell(shell, issued)
    for before in issued.token.secrets[:-1]:
        shell.note(f"the secret before counts {_until(before.expires)}")


@tokens.command(epilog=examples("shotclock tokens revoke odds-loader", "shotclock tokens revoke 0a1b2c3d --json"))
@click.argument("token")
@actor
@common
@click.pass_obj
def revoke(shell: Shell, token: str, actor: str) -> None:
    """End TOKEN, by its name or id, with all its secrets: every process refuses it within `access_bound`."""
    settings = shell.settings()
    with closing(shell.store(settings)) as store:
        revoked = _tokens(store).revoke(token, by=actor)
    shell.document({"id": revoked.id, "name": revoked.name, "revoked": revoked.revoked})
    shell.say(f"{revoked.name} ({revoked.id}): revoked; refused everywhere within {settings.text('access_bound')}")


def _tokens(store: "Store") -> "Tokens":
    from shotclock.clock import SystemClock  # noqa: PLC0415 - not for --help
    from shotclock.engine.tokens import Tokens  # noqa: PLC0415 - likewise

    return Tokens(store, SystemClock())


def _span(option: str, text: str | None, default: timedelta) -> timedelta | None:
    """Return how long a token is to count; None: until it is revoked."""
    span = None if text == _ENDLESS else _length(option, text, default)
    if span is not None and not span:
        message = f"{option} must be longer than zero, or {_ENDLESS}"
        raise UsageError(message)
    return span


def _length(option: str, text: str | None, default: timedelta) -> timedelta:
    from shotclock.amounts import duration  # noqa: PLC0415 - not for --help

    try:
        return default if text is None else duration(text)
    except (ValueError, OverflowError) as error:
        message = f"{option}: {error}"
        raise UsageError(message) from error


def _tell(shell: Shell, issued: "Issued") -> None:
    """Write the token on the output, and what goes with it beside."""
    token = issued.token
    shell.document({"id": token.id, "name": token.name, "expires": token.expires, "token": issued.text})
    shell.say(issued.text)
    shell.note(
        f"{token.name} ({token.id}): {_may(issued.token)}, counts {_until(token.expires)}; it is not shown again"
    )


def _may(token: "Token") -> str:
    limits = f" of {', '.join(token.pipelines)}" if token.pipelines else ""
    return f"{', '.join(token.scopes)}{limits}"


def _until(at: datetime | None) -> str:
    return "until it is revoked" if at is None else f"until {_at(at)}"


def _at(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z" if at is not None else _ENDLESS


def _shown(one: "Listed") -> Iterator[tuple[str, object]]:
    """Yield what is told of a token: not what its secrets hash to."""
    token = one.token
    for name in ("id", "name", "scopes", "pipelines", "created", "by", "expires", "revoked", "revoked_by"):
        yield name, getattr(token, name)
    for name in ("state", "overlaps", "used"):
        yield name, getattr(one, name)


def _line(one: "Listed") -> tuple[str, ...]:
    token = one.token
    said = f"revoked by {token.revoked_by}" if one.state == "revoked" else f"counts {_until(token.expires)}"
    beside = f"; the secret before {_until(one.overlaps)}" if one.overlaps is not None else ""
    used = f"used {_at(one.used)}" if one.used is not None else "never used"
    return token.id, token.name, one.state, _may(token), said + beside, used
