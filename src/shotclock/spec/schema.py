"""The keys of a pipeline file: one table for each mapping, used by the reader and published as a JSON schema."""

from typing import Any, Final, Literal

Schema = dict[str, Any]


def _ref(name: str, help_: str, **more: object) -> Schema:
    return {"$ref": f"#/$defs/{name}", "description": help_, **more}


def _one_of(options: tuple[str, ...], default: str, help_: str) -> Schema:
    return {"enum": list(options), "default": default, "description": help_}


def _whole(low: int, high: int, default: int, help_: str) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default, "description": help_}


def _flag(help_: str) -> Schema:
    return {"type": "boolean", "default": False, "description": help_}


def _object(keys: Schema, *required: str, **more: object) -> Schema:
    table: Schema = {"type": "object", "properties": keys, "additionalProperties": False}
    return {**table, **({"required": list(required)} if required else {}), **more}


def _either(help_: str, *kinds: Schema) -> Schema:
    return {"anyOf": list(kinds), "description": help_}


_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_NAME: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9_-]{1,100}$"}
_NAMES: Final[Schema] = {"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1}]}
_SIZE: Final[Schema] = {"type": "string", "pattern": "^ *[0-9]+(\\.[0-9]+)? *(KB|MB|GB) *$"}
_TIME: Final[Schema] = {"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}
_AMOUNT: Final[Schema] = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+ *%?$"}]}
_IMPORT: Final[Schema] = {"type": "string", "pattern": r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$"}
_DURATION: Final[Schema] = {"type": "string", "pattern": r"^ *([0-9]+(\.[0-9]+)? *(ms|s|m|h|d) *)+$"}

OPENS: Final = ("all",)
OF: Final[tuple[Literal["members", "optional"], ...]] = ("members", "optional")
DEADLINE_THEN: Final[tuple[Literal["open", "block", "fail"], ...]] = ("open", "block", "fail")
ANCHORS: Final = ("first_report", "run_start")

NEED: Final[Schema] = {
    "need": _ref("amount", "How many satisfied members open the gate: a count, or a percentage rounded up."),
    "of": _one_of(OF, "members", "Of which members: the critical and required, or the optional beside `all` the rest."),
}

KEY: Final[Schema] = {
    "name": {**_NAME, "default": "key", "description": "What the key of a run is called."},
    "type": _one_of(("date", "text"), "date", "Whether keys are calendar dates or free text."),
    "timezone": {**_TEXT, "default": "UTC", "description": "The zone of schedules, wall-clock deadlines and today."},
}

STARTS: Final[Schema] = {
    "schedule": {**_TEXT, "description": "Five cron fields, in the pipeline's time zone."},
    "day": _whole(-31, 31, 0, "Days added to the local date of the schedule's tick to give the key."),
    "calendar": _ref("import", "A function that says which dates have a run."),
    "on_report": _flag("Whether the first report of a known member starts the run."),
}

PARAM: Final[Schema] = {
    "default": {"description": "The value where a run gives none."},
    "help": {"type": "string", "description": "What the parameter is for."},
}

CONTRACT: Final[Schema] = {
    "min_rows": _whole(0, 10**15, 0, "Fewest rows with which a success is believed."),
}

MEMBER: Final[Schema] = {
    "run": _ref("import", "The function that does the member's work."),
    "command": {
        "anyOf": [_TEXT, {"type": "array", "items": {"type": ["string", "number"]}, "minItems": 1}],
        "description": "The command that does the member's work, as one text or a list of words.",
    },
    "external": _flag("Whether the member reports from outside."),
    "critical": _flag("Whether no gate opens without it."),
    "optional": _flag("Whether it is waited for only during the gate's grace."),
    "aliases": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}], "description": "Other names it reports under."},
    "contract": {**_object(CONTRACT), "description": "What its success must show."},
    "timeout": _ref("duration", "Longest time for one attempt; the phase's where it is not given."),
    "needs": {**_NAMES, "description": "What a worker must have to take it, beside what the phase's execution needs."},
}

NOT_YET: Final = {"call": "HTTP calls", "publish": "messages to a topic"}
"""Kinds of member that a later release has."""

EXECUTION: Final[Schema] = {
    "mode": _one_of(("sequential", "parallel", "process"), "sequential", "One after the other, threads, or processes."),
    "max_workers": _whole(1, 1_000, 1, "Tasks at once in each worker process."),
    "max_in_flight": _whole(0, 1_000_000, 0, "Tasks at once over all workers; 0 is no bound."),
    "timeout": _ref("duration", "Longest time for one task.", default="10m"),
    "attempts": _whole(1, 100, 3, "Attempts before a failure counts."),
    "chunk": _whole(1, 10_000, 1, "Items in a task."),
    "needs": {**_NAMES, "description": "What a worker must have to take the work on members and items, such as gpu."},
    "memory": {**_SIZE, "description": "Most memory of a child process that works on a task; with `mode: process`."},
    "budget": _ref("duration", "Time for the whole phase from its first task; what has not started then is abandoned."),
}

TIER: Final[Schema] = {"after": _ref("duration", "When the lower need comes into force."), **NEED}

TOLERATE: Final[Schema] = {"failed": _ref("amount", "How many members may be unsatisfied.")}

CLOCK: Final[Schema] = {
    "at": {**_TIME, "description": "A wall-clock time in the pipeline's zone."},
    "day": _whole(-31, 31, 0, "Days added to the key's date."),
}

SIGNAL: Final[Schema] = {"signal": {**_NAME, "description": "The name of the signal."}}

DEADLINE: Final[Schema] = {
    "after": _ref("duration", "Time from the anchor; may be left out where the anchor is a time of day."),
    "from": _either(
        "What the deadline counts from: `first_report` where it is not given.",
        {"enum": list(ANCHORS)},
        _TIME,
        _object(CLOCK, "at"),
        _object(SIGNAL, "signal"),
    ),
    "then": _one_of(DEADLINE_THEN, "open", "What the gate does at the deadline."),
    "flag": {**_NAME, "description": "A flag for whole runs: one that does not have it has no deadline here."},
}

STALL: Final[Schema] = {
    "after": _ref("duration", "Time without progress."),
    **NEED,
    "then": _one_of(("open",), "open", "What happens if the need is met."),
}

_OPENS_NEED: Final = _object(NEED, "need")

GATE: Final[Schema] = {
    "opens": _either("What opens the gate: `all`, or a need.", {"enum": list(OPENS)}, _OPENS_NEED),
    **NEED,
    "tiers": {
        "type": "array",
        "items": _object(TIER, "after", "need"),
        "description": "Lower needs that come into force one after the other.",
    },
    "tolerate": _either("How many members may be unsatisfied.", _AMOUNT, _object(TOLERATE, "failed")),
    "grace": _ref("duration", "How long optional members are waited for once the rule holds.", default="0s"),
    "deadline": _either("When waiting ends.", {"$ref": "#/$defs/duration"}, _TIME, _object(DEADLINE)),
    "expected_by": _ref(
        "duration", "By when, from the phase's start, the first report or the signal should have come."
    ),
    "stall": _either("How long without progress.", {"$ref": "#/$defs/duration"}, _object(STALL, "after")),
    "hopeless": _one_of(("fail", "open", "block"), "fail", "What is done when the rule can no longer be met."),
    "empty": _one_of(("open", "refuse"), "open", "What is done with a roll of nobody."),
    "check": _ref("import", "A function that may veto an opening."),
    "late": _one_of(("record", "amend", "rerun"), "record", "What a report after the opening does."),
}

FRESH: Final[Schema] = {
    "fresh": _ref("duration", "How old the data of an input may be."),
    "else": _one_of(("flag", "block"), "flag", "What is done when all inputs are older."),
}

NEEDS: Final[Schema] = {
    "phase": {**_NAME, "description": "The phase that is needed."},
    "run": {"enum": ["previous"], "description": "The run it is taken from."},
}

PHASE: Final[Schema] = {
    "needs": {
        "anyOf": [_NAME, {"type": "array", "items": {"anyOf": [_NAME, _object(NEEDS, "phase", "run")]}}],
        "description": "The phases that must be done before this one starts.",
    },
    "members": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/import"}, _object(MEMBER)]},
        "description": "The named members, by name.",
    },
    "items": _ref("import", "The function that enumerates the items."),
    "run": _ref("import", "The function that works on a chunk of items."),
    "external": _flag("Whether the items report from outside."),
    "contract": {**_object(CONTRACT), "description": "What the success of each item must show."},
    "execution": {**_object(EXECUTION), "description": "How the tasks are worked on."},
    "gate": {**_object(GATE), "description": "When the phase is over."},
    "then": _ref("import", "The function that runs once after the opening."),
    "inputs": {**_object(FRESH, "fresh"), "description": "How old the inputs may be."},
}

_WORD: Final[Schema] = {"type": ["string", "boolean", "number"]}

FLAG: Final[Schema] = {
    "owner": {**_TEXT, "description": "Who answers for the flag."},
    "purpose": {**_TEXT, "description": "What it turns on, in a sentence."},
    "binding": _one_of(("run", "live"), "run", "Whether a run keeps its value, or it is read at each decision."),
    "key": {**_NAME, "default": "run", "description": "What a unit is: run, member, item, or any attribute's name."},
    "variants": {"type": "array", "items": _NAME, "minItems": 2, "description": "Its values, that for off first."},
    "default": {**_WORD, "description": "What holds where nothing was set: on, off, a percentage or a variant."},
    "safe": {**_WORD, "description": "What holds after a rollback and while the flag cannot be read."},
    "requires": {**_NAMES, "description": "Flags that must be on for everybody while this one is on."},
    "excludes": {**_NAMES, "description": "Flags that must be off while this one is on."},
    "expires": {"type": "string", "format": "date", "description": "By when it should be gone from the file."},
    "alias": {**_TEXT, "description": "An environment variable that sets it for a process."},
}

EXPECT: Final[Schema] = {
    "success_within": _ref("duration", "Longest time without a run that ends complete or partial."),
}

TOP: Final[Schema] = {
    "pipeline": {**_NAME, "description": "The pipeline's name."},
    "key": {**_object(KEY), "description": "What tells one run from another."},
    "starts": {**_object(STARTS), "description": "When runs start by themselves."},
    "modes": {
        "type": "object",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "array", "items": _TEXT}},
        "description": "Smaller pipelines: for each mode, the members it keeps of the phases it names.",
    },
    "max_age": _ref("duration", "Longest life of a run; then it fails.", default="48h"),
    "expect": {**_object(EXPECT, "success_within"), "description": "What is told to operators when it does not come."},
    "flags": {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": _object(FLAG, "owner", "purpose"),
        "description": "The flags, by name.",
    },
    "params": {"type": "object", "description": "Values a run may be given: a default, or its default and help."},
    "phases": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": _NAME,
        "additionalProperties": _object(PHASE, oneOf=[{"required": ["members"]}, {"required": ["items"]}]),
        "description": "The phases, by name.",
    },
}


def schema() -> Schema:
    """Return the JSON schema of pipeline files, as editors use it; `load` checks more than a schema can say."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Shotclock pipeline",
        **_object(TOP, "pipeline", "phases"),
        "$defs": {
            "duration": {**_DURATION, "description": "Numbers with ms, s, m, h or d, such as 90s or 1h30m."},
            "amount": {**_AMOUNT, "description": "A count such as 12, or a percentage such as 80%."},
            "import": {**_IMPORT, "description": "package.module:function"},
        },
    }
