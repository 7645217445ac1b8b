"""Finds times and limits of waiting that are written as numbers in code, instead of coming from the settings."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

NAME = re.compile(
    r"(?:^|_)(?:timeout|deadline|wait|ttl|interval|lease|delay|backoff|expiry|grace|poll)(?:_|$)", re.IGNORECASE
)
"""What a name says that holds a time or a limit of waiting."""
WORKERS = re.compile(r"(?:^|_)(?:workers|threads|concurrency|parallelism|pool_size)(?:_|$)", re.IGNORECASE)
"""What a name says that holds how many work at once."""
POOLS = frozenset({"ThreadPoolExecutor", "ProcessPoolExecutor", "ThreadPool", "Pool", "Semaphore", "BoundedSemaphore"})
"""What makes work parallel by a number."""
CALLS = frozenset({"communicate", "join", "poll", "result", "sleep", "wait"})
"""Methods whose first positional number is a time."""
IN_TEXT = re.compile(r"\b\w*(?:timeout|ttl)\w*\s*[=(]\s*[1-9]", re.IGNORECASE)
"""A time set within a string, such as an SQL pragma."""


def literal_times(source: str, name: str) -> list[str]:
    """Return, as ``file:line: what``, every time in the source that is a literal."""
    found = {line: what for node in ast.walk(ast.parse(source)) for line, what in _of(node)}
    return [f"{name}:{line}: {what}" for line, what in sorted(found.items())]


def literal_workers(source: str, name: str) -> list[str]:
    """Return, as ``file:line: what``, every number of workers in the source that is a literal."""
    found = {line: what for node in ast.walk(ast.parse(source)) for line, what in _workers(node)}
    return [f"{name}:{line}: {what}" for line, what in sorted(found.items())]


def _workers(node: ast.AST) -> Iterator[tuple[int, str]]:
    for name, value in _bindings(node):
        if value is not None and WORKERS.search(name) and _has_number(value):
            yield value.lineno, f"{name} is given a number"
    if isinstance(node, ast.Call) and _called(node.func) in POOLS and any(map(_number, _arguments(node))):
        yield node.lineno, f"{_called(node.func)} is given a number"


def literal_times_in(path: Path, name: str) -> list[str]:
    """Return every literal time in a file: Python by its syntax, anything else by its text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return literal_times(text, name)
    return [f"{name}:{line}: {row.strip()}" for line, row in enumerate(text.splitlines(), 1) if IN_TEXT.search(row)]


def _of(node: ast.AST) -> Iterator[tuple[int, str]]:
    for name, value in _bindings(node):
        if value is not None and NAME.search(name) and _has_number(value):
            yield value.lineno, f"{name} is given a number"
    if isinstance(node, ast.Call):
        yield from _call(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_TEXT.search(node.value):
        yield node.lineno, "a time within a string"


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield every name a node gives a value to: keyword arguments, assignments, defaults of parameters."""
    match node:
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Assign(targets=targets, value=value):
            yield from ((_called(target), value) for target in targets)
        case ast.AnnAssign(target=target, value=value):
            yield _called(target), value
        case ast.FunctionDef(args=given) | ast.AsyncFunctionDef(args=given) | ast.Lambda(args=given):
            places = [*given.posonlyargs, *given.args]
            yield from ((place.arg, value) for place, value in zip(places[::-1], given.defaults[::-1], strict=False))
            yield from ((place.arg, value) for place, value in zip(given.kwonlyargs, given.kw_defaults, strict=True))


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    called = _called(node.func)
    if called == "timedelta" and not _unit(node) and any(_number(value) for value in _arguments(node)):
        yield node.lineno, "a duration is written as a literal"
    if called in CALLS and isinstance(node.func, ast.Attribute) and node.args and _number(node.args[0]):
        yield node.lineno, f"{called}() is given a number"


def _arguments(node: ast.Call) -> list[ast.expr]:
    return [*node.args, *(given.value for given in node.keywords)]


def _unit(node: ast.Call) -> bool:
    """Say whether a duration is one of a unit, which measures and limits nothing."""
    return len(_arguments(node)) == 1 and all(
        isinstance(value, ast.Constant) and value.value == 1 for value in _arguments(node)
    )


def _has_number(value: ast.expr) -> bool:
    """Say whether a value is a number or a literal duration, or may be; what a function computes is its own affair."""
    match value:
        case ast.Call(func=func):
            return _called(func) == "timedelta" and any(_number(given) for given in _arguments(value))
        case ast.IfExp(body=one, orelse=other):
            return _has_number(one) or _has_number(other)
        case ast.BoolOp(values=values):
            return any(_has_number(one) for one in values)
        case ast.BinOp(left=one, right=other) if not _number(value):
            return any(isinstance(side, ast.Call) and _has_number(side) for side in (one, other))
    return _number(value)


def _number(value: ast.expr) -> bool:
    """Say whether an expression is made of written numbers alone; zero, which waits for nothing, is none."""
    match value:
        case ast.Constant(value=int() | float() as number):
            return not isinstance(number, bool) and number != 0
        case ast.UnaryOp(operand=operand):
            return _number(operand)
        case ast.BinOp(left=left, right=right):
            return _number(left) and _number(right)
    return False


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
