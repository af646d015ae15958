"""The platform as a whole: about, health, work, overview, use over time, metrics."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from allotment.api.answering import ExpectedRevision, answer
from allotment.api.fields import Body, NameField
from allotment.api.measures import CONTENT_TYPE, Followed
from allotment.api.plane import Asker, ControlPlane, Plane, require
from allotment.api.views.alerts import alerts
from allotment.api.views.capacity import capacity_document, moments, pool_documents
from allotment.api.views.cordons import cordon_documents
from allotment.api.views.departments import department_documents
from allotment.api.views.happenings import refusal_documents
from allotment.api.views.people import group_documents
from allotment.api.views.reservations import reservation_documents
from allotment.model import currency, documents
from allotment.model.devices import DeviceOrigin
from allotment.model.groups import Mode
from allotment.model.refusals import AllotmentError
from allotment.record import Reading, allotments, counts, devices, events, people, platform, reports
from allotment.rules.permission import Action, sight
from allotment.work.presence import steps_on_duty

router = APIRouter(tags=["platform"])

IDLE_BELOW = 5.0
"""A held device whose mean utilisation over a minute is below this percentage is idle."""
_REFUSALS = 10


class PlatformEdit(Body):
    """What is to be chosen for the whole platform; what is left out stays."""

    mode: Mode | None = None
    default_group: NameField | None = Field(
        default=None, description="The group that is proposed for new people; null: none"
    )


@router.get("/about", response_model=documents.About, summary="Which platform this is")
def read_about(plane: Plane) -> Response:
    """Version, licence, mode, default group, and what the platform's protection covers."""
    with plane.record.reading() as reading:
        about = _about(plane, reading)
    return answer(about, revision=about.revision)


@router.patch("/about", response_model=documents.About, summary="Choose mode and default group")
def edit_platform(
    plane: Plane, caller: Asker, expected: ExpectedRevision, body: PlatformEdit
) -> Response:
    """Choose how groups and people go together, and which group is proposed for new people.

    Strict mode is refused while a group has several pools or a person is in several groups.
    """
    require(caller, Action.CHANGE_PLATFORM)
    with plane.record.writing(caller.person, plane.now()) as writing:
        platform.expect(writing, expected)
        if body.mode is not None:
            platform.set_mode(writing, body.mode)
        if "default_group" in body.model_fields_set:
            platform.set_default_group(writing, body.default_group)
        about = _about(plane, writing)
    return answer(about, revision=about.revision)


def _about(plane: ControlPlane, reading: Reading) -> documents.About:
    known = devices.all_devices(reading)
    return documents.About(
        version=version("allotment"),
        licence="BSD-3-Clause",
        hub=plane.environment.hub,
        record="postgresql" if plane.record.dialect == "postgresql" else "sqlite",
        mode=platform.mode(reading).value,
        default_group=platform.default_group(reading),
        currency=currency.in_force().code,
        currency_sign=currency.in_force().sign,
        time_zone=str(platform.time_zone(reading)),
        simulated_devices=any(
            one.origin is DeviceOrigin.SIMULATED and one.present for one in known
        ),
        trust=plane.trust,
        started_at=plane.started_at,
        revision=platform.revision(reading),
    )


@router.get("/health", response_model=documents.Health, summary="Whether it answers")
def read_health() -> Response:
    """The control plane answers. Anybody may ask."""
    return answer(documents.Health(status="ok"))


@router.get(
    "/ready",
    response_model=documents.Readiness,
    summary="Whether it can decide and act",
    responses={503: {"model": documents.Readiness, "description": "It cannot, and why"}},
)
def read_readiness(plane: Plane) -> Response:
    """Whether record and hub answer and the periodic work goes on; 503 where not. Anybody may ask."""
    record, hub = _record_answers(plane), plane.hub.alive()
    failing = any(one.failures for one in plane.loop.progress())
    ready = documents.Readiness(
        status="ready" if record and hub else "not-ready",
        record="ok" if record else "away",
        hub="ok" if hub else "away",
        work="failing" if failing else "ok",
    )
    return answer(ready, 200 if record and hub else 503)


def _record_answers(plane: ControlPlane) -> bool:
    try:
        with plane.record.reading() as reading:
            events.latest_sequence(reading)
    except AllotmentError:
        return False
    return True


@router.get("/work", response_model=documents.StepListing, summary="How the periodic work goes")
def read_work(plane: Plane, caller: Asker) -> Response:
    """Each piece of this hub's periodic work, with why it failed last, whichever control plane does it."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        steps = steps_on_duty(reading, plane.loop, plane.environment.hub)
    return answer(documents.StepListing(items=steps))


@router.get("/overview", response_model=documents.Overview, summary="Everything at one glance")
def read_overview(plane: Plane, caller: Asker) -> Response:
    """Capacity, use, groups, alerts and the latest refusals, of one moment of the record."""
    require(caller, Action.SEE_PLATFORM)
    now, seen = plane.now(), sight(caller)
    with plane.record.reading() as reading:
        overview = documents.Overview(
            sequence=events.latest_sequence(reading),
            at=now,
            capacity=capacity_document(devices.all_devices(reading)),
            servers=counts.servers_by_state(reading),
            people=len(people.all_people(reading)),
            pools=tuple(pool_documents(reading, seen)),
            groups=tuple(group_documents(reading, seen)),
            departments=tuple(department_documents(reading)),
            reservations=tuple(reservation_documents(reading, seen, now)),
            cordons=tuple(cordon_documents(reading, now)),
            alerts=tuple(
                alerts(
                    reading,
                    steps_on_duty(reading, plane.loop, plane.environment.hub),
                    plane.use.observed(now),
                    plane.software.behind(),
                    now,
                )
            ),
            refusals=tuple(refusal_documents(reading, seen, _REFUSALS)),
        )
    return answer(overview)


@router.get("/use", response_model=documents.MomentListing, summary="Devices held over time")
def read_use(
    plane: Plane,
    caller: Asker,
    hours: Annotated[float, Query(gt=0, le=24 * 31, allow_inf_nan=False)] = 24,
    points: Annotated[int, Query(ge=2, le=2000)] = 288,
) -> Response:
    """Devices held, and held and idle where that was measured, at points in time up to now."""
    require(caller, Action.SEE_PLATFORM)
    now = plane.now()
    step = timedelta(hours=hours) / (points - 1)
    times = [now - step * (points - 1 - number) for number in range(points)]
    with plane.record.reading() as reading:
        history = allotments.history(reading, since=times[0])
        total = sum(one.present for one in devices.all_devices(reading))
        idle = _idle(reading, times, step)
        sequence = events.latest_sequence(reading)
    items = moments(history, idle, times, total)
    return answer(documents.MomentListing(items=tuple(items), sequence=sequence))


def _idle(reading: Reading, times: list[datetime], step: timedelta) -> dict[datetime, int]:
    """How many devices were idle in the span that ends at each time, where any was measured."""
    sums: dict[datetime, dict[str, tuple[float, int]]] = defaultdict(dict)
    for minute in reports.read_device_minutes(reading, times[0] - step):
        number = max(0, -((times[0] - minute.minute) // step))
        if number < len(times):
            of_span = sums[times[number]]
            total, samples = of_span.get(minute.device, (0.0, 0))
            of_span[minute.device] = (
                total + minute.utilisation_sum,
                samples + minute.samples,
            )
    return {
        moment: sum(total / samples < IDLE_BELOW for total, samples in of_span.values() if samples)
        for moment, of_span in sums.items()
    }


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def read_metrics(plane: Plane, caller: Asker) -> Response:
    """Devices, servers, shares, the queue, requests and periodic work, as Prometheus reads them."""
    require(caller, Action.SEE_PLATFORM)
    queue = plane.queueing.followed if plane.loop.on_duty else None
    followed = {"stream": plane.feed.followed, "queue": queue}
    known = Followed({name: seen for name, seen in followed.items() if seen is not None})
    text = plane.measures.text(plane.record, plane.loop, plane.now(), known)
    return Response(text, media_type=CONTENT_TYPE)
