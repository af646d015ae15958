"""Events, refusals, drift and notices as documents."""

from __future__ import annotations

from datetime import datetime, timedelta

from allotment.api.views.homes import home_notices
from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.amounts import counted
from allotment.model.endings import Cause
from allotment.model.events import Event
from allotment.record import Reading, allotments, drift, endings, events, memberships
from allotment.record.drift import DriftEntry
from allotment.rules.permission import Sight

NOTICES_OF = timedelta(days=7)
"""How far back notices tell of stopped servers."""
_ENDS_SOON = timedelta(days=7)


def event_document(event: Event) -> documents.Event:
    """One event."""
    return documents.Event(
        sequence=event.sequence,
        at=event.at,
        actor=event.actor,
        kind=event.kind,
        subject=event.subject,
        person=event.person,
        group=event.group,
        before=event.before,
        after=event.after,
    )


def events_after(
    reading: Reading, sight: Sight, after: int, limit: int
) -> tuple[tuple[Event, ...], int]:
    """Events after a sequence that the caller may see, and the sequence up to which was looked."""
    latest = events.latest_sequence(reading)
    if sight.everything:
        found = events.after(reading, after, limit)
    else:
        found = events.after(reading, after, limit, person=sight.person, groups=sight.leads)
    if len(found) == limit:
        return found, found[-1].sequence
    return found, max(latest, after)


def refusal_documents(
    reading: Reading, sight: Sight, limit: int, before: int | None = None
) -> list[documents.RefusedClaim]:
    """Refused launches that the caller may see, newest first."""
    person = None if sight.everything else sight.person
    found = events.newest(
        reading, "claim.refused", limit, before=before, person=person, groups=sight.leads
    )
    return [_refusal(event) for event in found]


def _refusal(event: Event) -> documents.RefusedClaim:
    said = event.after or {}
    return documents.RefusedClaim(
        sequence=event.sequence,
        at=event.at,
        person=event.person or "",
        server=said.get("server", ""),
        group=event.group,
        profile=said.get("profile", ""),
        would_wait=bool(said.get("would_wait")),
        reasons=tuple(
            documents.ReasonDocument.model_validate(reason) for reason in said.get("reasons", ())
        ),
    )


def drift_documents(reading: Reading) -> list[documents.Drift]:
    """Open entries, oldest first."""
    return [_drift(entry) for entry in drift.open_entries(reading)]


def _drift(entry: DriftEntry) -> documents.Drift:
    return documents.Drift(
        id=entry.id,
        hub=entry.hub,
        person=entry.person,
        server=entry.server,
        devices=entry.devices,
        note=entry.note,
        seen_at=entry.seen_at,
    )


def notices(
    reading: Reading, person: str, ailing: dict[str, tuple[str, ...]], now: datetime
) -> list[documents.Notice]:
    """What a person should know now, newest first."""
    found: list[documents.Notice] = []
    announced = endings.open_endings(reading)
    for one in allotments.history(reading, since=now - NOTICES_OF, person=person):
        server = server_id(one.hub, one.person, one.server)
        name = one.server or "default"
        ended = one.stopping_at or one.released_at
        if ended is not None and one.stop_reason and one.stopped_by not in {person, "hub", ""}:
            who = f"{one.stopped_by} stopped your server {name}"
            if one.stop_cause and one.stop_cause != Cause.STOPPED:
                who = f"Your server {name} was stopped ({Cause(one.stop_cause).words.lower()})"
            message = f"{who}: {one.stop_reason}"
            found.append(documents.Notice(at=ended, kind="stopped", message=message, server=server))
        for ending in announced.get(one.id, ()):
            message = (
                f"Your server {name} is stopped at {ending.stop_at:%H:%M} UTC: {ending.message}"
            )
            found.append(
                documents.Notice(at=ending.said_at, kind="ending", message=message, server=server)
            )
        if one.active:
            for warning in ailing.get(one.id, ()):
                message = f"Your server {name}: {warning} It keeps running."
                found.append(
                    documents.Notice(at=now, kind="device", message=message, server=server)
                )
    for belonging in memberships.all_memberships(reading, person=person):
        if belonging.until is not None and now < belonging.until <= now + _ENDS_SOON:
            days = (belonging.until - now).days
            left = f"in {counted(days, 'day')}" if days else "within a day"
            message = f"Your membership in {belonging.group} ends {left}."
            found.append(documents.Notice(at=now, kind="membership", message=message))
    found += home_notices(reading, person)
    return sorted(found, key=lambda notice: notice.at, reverse=True)
