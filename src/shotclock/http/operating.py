"""Routes that change what runs: start, do again, open, withdraw, halt, sweep."""

from shotclock.engine.naming import scope_of
from shotclock.engine.plans import Repeat, again
from shotclock.errors import ConflictError
from shotclock.http.access import require
from shotclock.http.bodies import (
    AliasBody,
    AnswerBody,
    Done,
    HaltBody,
    Made,
    MemberBody,
    Nothing,
    PhasePath,
    RerunBody,
    ResumeBody,
    RunPath,
    RunQuery,
    SignalBody,
    StartBody,
    Swept,
    WhyBody,
    WithdrawBody,
)
from shotclock.http.routes import Asked, Reply, Route
from shotclock.http.service import Service
from shotclock.spec import check_key


def start(service: Service, asked: Asked) -> Reply:
    """Start a run, or attach to the one that is there."""
    body: StartBody = asked.body
    require(asked.caller, "operate", body.pipeline)
    plan = service.catalogue.plan(body.pipeline, body.mode, body.params)
    run, new = service.coordinator.start(plan, check_key(plan, body.key))
    return Reply(body=Made(run=run.id, state=run.state, made=new), status=201 if new else 200)


def rerun(service: Service, asked: Asked) -> Reply:
    """Do a run again, in place or as a new generation."""
    body: RerunBody = asked.body
    wish = Repeat(
        run=service.run(asked.path, asked.query),
        explicit=asked.query.generation is not None,
        phase=body.phase,
        members=body.members,
        then=body.then,
        params=body.params,
    )
    done = again(service.coordinator, wish)
    made = Made(run=done.run.id, state=done.run.state, made=done.made, tried=done.tried)
    return Reply(body=made, status=201 if done.made else 200)


def force(service: Service, asked: Asked) -> Reply:
    """Open a phase whatever is missing."""
    run, phase = _place(service, asked)
    service.coordinator.force(run, phase, actor=asked.caller.name, reason=asked.body.reason)
    return Reply(body=Done(done=f"{run} {phase}: forced open"))


def withdraw(service: Service, asked: Asked) -> Reply:
    """Take a member out of a roll."""
    run, phase = _place(service, asked)
    body: WithdrawBody = asked.body
    answer = service.coordinator.withdraw(run, phase, body.member, actor=asked.caller.name, reason=body.reason)
    return Reply(body=AnswerBody.of(answer))


def readmit(service: Service, asked: Asked) -> Reply:
    """Take a withdrawn member back."""
    run, phase = _place(service, asked)
    return Reply(
        body=AnswerBody.of(service.coordinator.readmit(run, phase, asked.body.member, actor=asked.caller.name))
    )


def alias(service: Service, asked: Asked) -> Reply:
    """Make another name of a member known."""
    run, phase = _place(service, asked)
    body: AliasBody = asked.body
    taken = service.coordinator.alias(run, phase, body.name, body.member, actor=asked.caller.name)
    return Reply(body=Done(done=f"{body.name} is {body.member}; {len(taken)} parked reports were taken"))


def signal(service: Service, asked: Asked) -> Reply:
    """Give the signal that a deadline counts from."""
    run, phase = _place(service, asked)
    service.coordinator.signal(run, phase, asked.body.signal)
    return Reply(body=Done(done=f"{run} {phase}: signal {asked.body.signal} is given"))


def halt(service: Service, asked: Asked) -> Reply:
    """Stop dispatch and openings."""
    body: HaltBody = asked.body
    scope = _scope(service, asked, body.scope)
    service.coordinator.halt(scope, actor=asked.caller.name, reason=body.reason)
    return Reply(body=Done(done=f"halted: {scope}"))


def resume(service: Service, asked: Asked) -> Reply:
    """End a halt."""
    scope = _scope(service, asked, asked.body.scope)
    held = {one.scope for one in service.store.read(lambda view: view.halts()) if one.until is None}
    if scope not in held:
        message = f"{scope} is not halted; halted: {', '.join(sorted(held)) or 'nothing'}"
        raise ConflictError(message)
    service.coordinator.resume(scope, actor=asked.caller.name)
    return Reply(body=Done(done=f"resumed: {scope}"))


def sweep(service: Service, asked: Asked) -> Reply:
    """Decide what is due, start what is due, and deliver what is ready: for a scheduler outside."""
    require(asked.caller, "operate", "*")
    started = service.timetables.start_due()
    return Reply(body=Swept(phases=service.engine.sweep(), started=started))


def _place(service: Service, asked: Asked) -> tuple[str, str]:
    """Return the run and the phase that were named; the coordinator says whether they are there."""
    return service.run(asked.path, asked.query).id, asked.path.phase


def _scope(service: Service, asked: Asked, named: str) -> str:
    """Return what a halt is for; a caller who is limited to pipelines stops only those."""
    require(asked.caller, "operate", named.partition("/")[0])
    return service.store.read(lambda view: scope_of(view, named))


_IN_PHASE = "/v1/runs/{pipeline}/{key}/phases/{phase}"

ROUTES = (
    Route(
        method="POST",
        path="/v1/runs",
        handler=start,
        scope="operate",
        summary="Start a run of a pipeline this process was started with, or attach to it.",
        body=StartBody,
        replies={200: Made, 201: Made},
    ),
    Route(
        method="POST",
        path="/v1/runs/{pipeline}/{key}/rerun",
        handler=rerun,
        scope="operate",
        summary="Do again what went wrong, in place or as a new generation.",
        in_path=RunPath,
        query=RunQuery,
        body=RerunBody,
        replies={200: Made, 201: Made},
    ),
    *(
        Route(
            method="POST",
            path=f"{_IN_PHASE}/{word}",
            handler=handler,
            scope="operate",
            summary=summary,
            in_path=PhasePath,
            query=RunQuery,
            body=body,
            replies={200: reply},
        )
        for word, handler, body, reply, summary in (
            ("force", force, WhyBody, Done, "Open a phase whatever is missing."),
            ("withdraw", withdraw, WithdrawBody, AnswerBody, "Take a member out of the roll."),
            ("readmit", readmit, MemberBody, AnswerBody, "Take a withdrawn member back."),
            ("aliases", alias, AliasBody, Done, "Make another name of a member known."),
            ("signals", signal, SignalBody, Done, "Give the signal that the phase's deadline counts from."),
        )
    ),
    Route(
        method="POST",
        path="/v1/halt",
        handler=halt,
        scope="operate",
        summary="Stop dispatch, openings and deliveries; reports are still taken.",
        body=HaltBody,
        replies={200: Done},
    ),
    Route(
        method="POST",
        path="/v1/resume",
        handler=resume,
        scope="operate",
        summary="End a halt.",
        body=ResumeBody,
        replies={200: Done},
    ),
    Route(
        method="POST",
        path="/v1/sweep",
        handler=sweep,
        scope="operate",
        summary="Decide what is due, start what is due, deliver what is ready: for a scheduler outside.",
        body=Nothing,
        replies={200: Swept},
    ),
)
