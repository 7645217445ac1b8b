"""The OpenAPI document, made from the table of routes and the types it names."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from shotclock import __version__
from shotclock.http.bodies import NoQuery, Problem
from shotclock.http.problems import TITLES
from shotclock.http.routes import Route

_REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_JSON: Final = "application/json"
_ALWAYS: Final = (400, 408, 413, 414, 429, 500, 503)
"""What any route may answer, whatever it is for."""
_BEHIND_A_TOKEN: Final = (401, 403)


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the document: OpenAPI 3.1, whose schemas are JSON Schema as they stand."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Shotclock",
            "version": __version__,
            "description": "Phases that finish on time: reports, questions and commands.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', route.path).strip('_')}",
        "summary": route.summary,
        "responses": dict(_responses(route)),
    }
    parameters = [*_parameters(route.in_path, "path"), *_parameters(route.query, "query")]
    if parameters:
        made["parameters"] = parameters
    if route.method == "POST":
        made["requestBody"] = _body(route)
    if route.scope is not None:
        made["security"] = [{"token": [route.scope]}]
        made["description"] = f"Needs the scope `{route.scope}`."
    return made


def _body(route: Route) -> dict[str, Any]:
    schema = {} if route.body is None else {"$ref": _REF.format(name=route.body.__name__)}
    lines = {"schema": {"type": "string", "description": "One object a line."}}
    content = {kind: lines if kind.endswith("ndjson") else {"schema": schema} for kind in route.takes}
    return {"required": route.raw, "content": content}


def _responses(route: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, reply in route.replies.items():
        said = (
            {"schema": {"type": "string"}}
            if isinstance(reply, str)
            else {"schema": {"$ref": _REF.format(name=reply.__name__)}}
        )
        kind = reply if isinstance(reply, str) else _JSON
        yield str(status), {"description": _meaning(reply), "content": {kind: said}}
    problems = {*_ALWAYS, *(_BEHIND_A_TOKEN if route.scope else ()), *((404,) if route.in_path or route.body else ())}
    problems |= {409, 415, 422} if route.method == "POST" else {409}
    for status in sorted(problems - route.replies.keys()):
        yield str(status), {"description": TITLES.get(status, "Refused"), "content": _PROBLEM}


def _meaning(reply: object) -> str:
    return reply if isinstance(reply, str) else str(reply.__doc__).partition("\n")[0]


def _parameters(struct: type[Struct] | None, place: str) -> Iterator[dict[str, Any]]:
    """Yield a parameter for each field of a path's or a query's struct."""
    if struct is None or struct is NoQuery:
        return
    _, components = msgspec.json.schema_components([struct], schema_hook=_anything, ref_template=_REF)
    (shape,) = [one for name, one in components.items() if name == struct.__name__]
    for name, schema in shape["properties"].items():
        required = name in shape.get("required", ())
        if place == "query":
            schema = _without_null(schema)  # noqa: PLW2901 - what is left out is null
        yield {"name": name, "in": place, "required": place == "path" or required, "schema": schema}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        only: dict[str, Any] = choices[0]
        return only
    return {name: value for name, value in schema.items() if name != "default" or value is not None}


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    types: list[Any] = [Problem]
    for route in routes:
        types += [route.body] if route.body is not None else []
        types += [reply for reply in route.replies.values() if not isinstance(reply, str)]
    _, components = msgspec.json.schema_components(dict.fromkeys(types), schema_hook=_anything, ref_template=_REF)
    return components


def _anything(kind: type) -> dict[str, Any]:
    """Return the schema of a type that msgspec knows none for."""
    assert kind is object, kind
    return {"description": "Any value."}
