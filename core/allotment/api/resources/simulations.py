"""Replays: history or a trace against a changed policy, before it is applied."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import (
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
)
from allotment.api.fields import Body
from allotment.api.paging import Paged, cut
from allotment.api.periods import TIME_PATTERN, times
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.problems import RequestInvalid
from allotment.model import documents
from allotment.model.simulation import SimulationPolicy
from allotment.record import platform
from allotment.rules.permission import Action
from allotment.simulate.present import present_policy
from allotment.simulate.running import Wanted
from allotment.simulate.trace import Job, TraceInvalid, parse_trace

router = APIRouter(prefix="/simulations", tags=["simulations"])

LATELY = timedelta(days=7)
"""The period that is replayed, where none is named."""
LARGEST_TRACE = 8 * 2**20
Day = Annotated[str, StringConstraints(pattern=TIME_PATTERN, max_length=40)]
SimulationPath = Annotated[str, Path(pattern=r"^[0-9a-z-]{1,40}$", max_length=40)]

Wait = Annotated[float, Query(ge=0, le=10, description="Seconds to wait at most for its end")]


class SimulationRequest(Body):
    """What is to be replayed. Without ``trace`` the platform's own history, of the last 7 days unless said."""

    question: documents.SimulationQuestion = documents.SimulationQuestion.COMPARE
    begin: Day | None = Field(default=None, description="A day, or a time with its zone")
    end: Day | None = Field(default=None, description="A day that is part of it, or a time")
    trace: str | None = Field(
        default=None, max_length=LARGEST_TRACE, description="A trace, as comma-separated values"
    )
    present: SimulationPolicy | None = Field(
        default=None, description="Left out: the platform's present policy"
    )
    changed: SimulationPolicy | None = Field(default=None, description="What it is compared with")


@router.get("", response_model=documents.SimulationListing, summary="List replays")
def list_simulations(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Replays that are kept, the newest first, without what they found."""
    require(caller, Action.SEE_PLATFORM)
    without = {"present": None, "changed": None, "let_in": None}
    without |= {"present_policy": None, "changed_policy": None}
    found = [one.model_copy(update=without) for one in plane.simulations.all()]
    items, following = cut(found, lambda one: (one.id,), page)
    return answer_list(request, documents.SimulationListing(items=items, next=following))


@router.get(
    "/policy", response_model=documents.PresentPolicy, summary="The present policy, to start from"
)
def read_present_policy(plane: Plane, caller: Asker) -> Response:
    """Pools, shares, and what profiles say of idleness, lifetime and price, as a replay takes them."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        return answer(documents.PresentPolicy(policy=present_policy(reading)))


@router.get("/{simulation}", response_model=documents.Simulation, summary="Read a replay")
def read_simulation(
    plane: Plane, caller: Asker, simulation: SimulationPath, wait: Wait = 0
) -> Response:
    """How far it is; what it found, once it is done. With ``wait`` the answer comes when it has ended, at the latest then."""
    require(caller, Action.SEE_PLATFORM)
    return answer(plane.simulations.ended(simulation, wait))


@router.post("", response_model=documents.Simulation, status_code=202, summary="Begin a replay")
def begin_simulation(
    plane: Plane, caller: Asker, repeat: Repeated, body: SimulationRequest
) -> Response:
    """Replay launches under the present policy and a changed one, or look for the change that lets most in.

    It runs beside everything else, one at a time: read it again until its state is done. What it
    found is kept for a while, and gone after a restart.
    """
    require(caller, Action.SIMULATE)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    begun = plane.simulations.start(_wanted(plane, body), caller.person, plane.now())
    return keep_answer(plane, caller, repeat, begun, 202)


@router.delete("/{simulation}", status_code=204, summary="End a replay")
def end_simulation(plane: Plane, caller: Asker, simulation: SimulationPath) -> Response:
    """End one that waits or runs. One that is done is kept as it is."""
    require(caller, Action.SIMULATE)
    plane.simulations.cancel(simulation)
    return Response(status_code=204)


def _wanted(plane: ControlPlane, body: SimulationRequest) -> Wanted:
    now = plane.now()
    with plane.record.reading() as reading:
        zone = platform.time_zone(reading)
        present = body.present or present_policy(reading)
    if present is None:
        message = "No pool has devices: there is no policy to replay."
        raise RequestInvalid(message, "Name a policy as present.")
    policies = (present, *([body.changed] if body.changed else []))
    if body.question is documents.SimulationQuestion.LET_IN:
        policies = (present,)
    if body.trace is not None:
        jobs = _jobs(body.trace)
        first, last = (datetime.fromtimestamp(jobs[at].at, zone) for at in (0, -1))
        return Wanted(body.question, policies, first, last, jobs)
    begin, end = times((body.begin, body.end), now, zone, now - LATELY)
    return Wanted(body.question, policies, begin, min(end, now))


def _jobs(trace: str) -> tuple[Job, ...]:
    try:
        return tuple(parse_trace(trace.splitlines()))
    except TraceInvalid as invalid:
        raise RequestInvalid(str(invalid), "Mend the trace.") from invalid
