"""Routes that take what members say: one report, many as lines, and messages pushed by a broker."""

from collections.abc import Sequence
from itertools import islice

import msgspec

from shotclock.engine.quarantine import Malformed
from shotclock.errors import BusyError, ShotclockError, UsageError
from shotclock.http.access import RefusedError, require
from shotclock.http.bodies import AnswerBody, Problem, Pushed, ReportBody
from shotclock.http.envelopes import Message, UnreadableError, read
from shotclock.http.problems import problem_of
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service
from shotclock.model import Answer, Report

LINES = "application/x-ndjson"
_COUNTED = {"accepted": 200, "duplicate": 200, "fenced": 409}
_NOT_COUNTED = 202
_SOME_NOT = 207
_REPORT = msgspec.json.Decoder(ReportBody)
_ENCODER = msgspec.json.Encoder()


async def report(service: Service, asked: Asked) -> Reply:
    """Take one report, or many as lines; the answer comes when they are durable."""
    if asked.headers.get("content-type", "").partition(";")[0].strip().lower() == LINES:
        return await _lines(service, asked)
    body = _REPORT.decode(asked.raw)
    (answer,) = await service.intake.report([_allowed(body, asked)])
    return Reply(body=AnswerBody.of(answer), status=_COUNTED.get(answer.kind, _NOT_COUNTED))


def _allowed(body: ReportBody, asked: Asked) -> Report:
    """Return a report as it is taken; to settle a member that a worker of ours works on is for operators."""
    pipeline = body.run.partition("/")[0]
    require(asked.caller, "report", pipeline)
    if body.override:
        require(asked.caller, "operate", pipeline)
    return body.report(asked.caller.name)


async def _lines(service: Service, asked: Asked) -> Reply:
    """Take many reports, in order; a line nothing can be made of, or that is refused, spoils no other."""
    said = _read(asked)
    answers = iter(await _record(service, [one for one in said if isinstance(one, Report)]))
    answered = [_told(next(answers)) if isinstance(one, Report) else one for one in said]
    refused = any(isinstance(one, Problem) for one in answered)
    text = _ENCODER.encode_lines(answered)
    return Reply(body=text, status=_SOME_NOT if refused else 200, headers={"content-type": LINES})


def _told(answer: Answer | ShotclockError) -> AnswerBody | Problem:
    if isinstance(answer, Answer):
        return AnswerBody.of(answer)
    return problem_of(answer)


def _read(asked: Asked) -> list[Report | Problem]:
    """Return each line as a report, or as what is wrong with it; where all are well they are read in one go."""
    try:
        bodies = _REPORT.decode_lines(asked.raw)
        for pipeline in {body.run.partition("/")[0] for body in bodies}:
            require(asked.caller, "report", pipeline)
        if not any(body.override for body in bodies):
            return [body.report(asked.caller.name) for body in bodies]
    except (msgspec.MsgspecError, UnicodeDecodeError, RefusedError):
        pass  # which line is to blame is told line by line
    return [_one(line, asked) for line in asked.raw.split(b"\n") if line.strip()]


def _one(line: bytes, asked: Asked) -> Report | Problem:
    try:
        return _allowed(_REPORT.decode(line), asked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RefusedError) as error:
        return problem_of(error)


async def _record(service: Service, reports: Sequence[Report]) -> list[Answer | ShotclockError]:
    """Take reports group by group; where a group holds one that is refused, one by one.

    A store that cannot take them ends it: the whole request is sent again then, and what was stored is a duplicate.
    """
    waiting, answers = iter(reports), list[Answer | ShotclockError]()
    while group := list(islice(waiting, service.settings.backlog)):
        try:
            answers += await service.intake.report(group)
        except UsageError:
            for one in group:
                try:
                    answers += await service.intake.report([one])
                except UsageError as error:
                    answers.append(error)
    return answers


# --- messages pushed by a broker -----------------------------------------------------------------------------------


async def push(service: Service, asked: Asked) -> Reply:
    """Take one pushed message: answered 200 once it is stored, or in quarantine; otherwise it has to come again."""
    try:
        message = read(asked.headers, asked.raw)
    except UnreadableError as error:
        return _kept(service, Message(id=error.id, source=error.source, data=asked.raw), str(error))
    try:
        body = _REPORT.decode(message.data)
        (answer,) = await service.intake.report([_allowed(body, asked)])
    except (msgspec.MsgspecError, UnicodeDecodeError, RefusedError, UsageError) as error:
        if isinstance(error, BusyError):
            raise
        return _kept(service, message, str(error))
    return Reply(body=Pushed(answer=answer.kind, detail=answer.detail))


def _kept(service: Service, message: Message, reason: str) -> Reply:
    """Keep a message that nothing can be made of, once."""
    malformed = Malformed(
        id=message.id, source=message.source, payload=message.data, reason=reason, attributes=message.attributes
    )
    new = service.coordinator.quarantine(malformed)
    return Reply(body=Pushed(answer="quarantined", detail=reason if new else f"again: {reason}"))


ROUTES = (
    Route(
        method="POST",
        path="/v1/reports",
        handler=report,
        scope="report",
        summary="Report for a member: one JSON object, or one a line; sending it again does no harm.",
        body=ReportBody,
        takes=("application/json", LINES),
        raw=True,
        replies={200: AnswerBody, 202: AnswerBody, 207: LINES, 409: AnswerBody},
    ),
    Route(
        method="POST",
        path="/v1/push",
        handler=push,
        scope="report",
        summary="Take a message pushed by Pub/Sub, or a CloudEvent, whose data is a report.",
        takes=("application/json", "application/cloudevents+json"),
        raw=True,
        harmless=None,
        replies={200: Pushed},
    ),
)
