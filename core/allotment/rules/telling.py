"""What people are written about, and in which words. Pure: an event in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Any

from allotment.model.endings import Cause
from allotment.model.events import Event
from allotment.model.homes import HomeEnd

TOLD = (
    "ending.said",
    "ticket.started",
    "ticket.refused",
    "ticket.expired",
    "ticket.cancelled",
    "budget.warned",
    "home.warned",
    "home.due",
)
"""Kinds of events that people are written about."""


class Audience(StrEnum):
    """Who is written to."""

    PERSON = "person"
    PERSON_AND_OPERATORS = "person-and-operators"
    LEADS = "leads"
    OPERATORS = "operators"


@dataclass(frozen=True, slots=True)
class Telling:
    """A notice before it is known who reads it. ``subject`` is one line, ``body`` some sentences."""

    audience: Audience
    whose: str
    """The person, or the group whose leads are meant; of operators nothing."""
    about: str
    subject: str
    body: str


def telling(event: Event, zone: tzinfo) -> Telling | None:
    """What an event has people written; None: nothing, for those whom it concerns know it.

    Times are in ``zone``, the platform's.
    """
    said = event.after or {}
    if event.kind == "ending.said" and event.person:
        return _ending(event, said, zone)
    if event.kind == "budget.warned":
        return _budget(event, said)
    if event.kind == "home.warned" and event.person:
        return _home(event, said, zone)
    if event.kind == "home.due" and event.person:
        return _home_due(event, said)
    if event.kind in TOLD and event.person:
        return _wait(event, said)
    return None


def _server(said: Mapping[str, Any]) -> str:
    return str(said.get("server") or "default")


def _ending(event: Event, said: Mapping[str, Any], zone: tzinfo) -> Telling:
    stop_at = datetime.fromisoformat(said["stop_at"]).astimezone(zone)
    same_day = stop_at.date() == event.at.astimezone(zone).date()
    when = f"{stop_at:%H:%M}" if same_day else f"{stop_at:%H:%M on %d %B}"
    cause, server = Cause(said["cause"]), _server(said)
    put_off = " You can put it off on the page of your servers." if cause.extendable else ""
    return Telling(
        Audience.PERSON,
        event.person or "",
        f"ending {event.subject} {event.sequence}",
        f"Your server {server} stops at {when}: {cause.words.lower()}",
        f"Your server {server} will be stopped at {stop_at:%H:%M %Z on %d %B %Y}.\n\n"
        f"{said['message']}{put_off}",
    )


_WAITS = {
    "ticket.started": "has started",
    "ticket.refused": "was not started when its turn came",
    "ticket.expired": "was not started",
    "ticket.cancelled": "was taken out of the queue",
}


def _wait(event: Event, said: Mapping[str, Any]) -> Telling | None:
    if event.kind == "ticket.cancelled" and event.actor in {event.person, "hub"}:
        return None
    server, what = _server(said), _WAITS[event.kind]
    by = f" by {event.actor}" if event.kind == "ticket.cancelled" else ""
    reason = f"\n\n{said['reason']}" if said.get("reason") else ""
    return Telling(
        Audience.PERSON,
        event.person or "",
        f"{event.kind} {event.subject}",
        f"Your server {server} {what}",
        f"Your server {server}, which waited in the queue, {what}{by}.{reason}",
    )


def _home(event: Event, said: Mapping[str, Any], zone: tzinfo) -> Telling:
    ends_at = datetime.fromisoformat(said["ends_at"]).astimezone(zone)
    what = HomeEnd(said["then"]).words
    return Telling(
        Audience.PERSON,
        event.person or "",
        f"home {event.subject} {event.sequence}",
        f"Your home is {what} on {ends_at:%d %B %Y}",
        f"You have had no server for a while. Your home is {what} at "
        f"{ends_at:%H:%M %Z on %d %B %Y}.\n\n"
        "Launch a server before, and it is kept; or ask an operator to keep it longer.",
    )


def _home_due(event: Event, said: Mapping[str, Any]) -> Telling:
    left, heir = said["person"], said["heir"]
    return Telling(
        Audience.PERSON_AND_OPERATORS,
        event.person or "",
        f"home {event.subject} {event.sequence}",
        f"The home of {left} is due to {heir}",
        f"{left} has left, and {heir} is to get the home {event.subject} on {said['hub']}, which the "
        "platform cannot move there.\n\n"
        "Whoever runs the storage moves what is in it, and removes it then. It is kept until that is done.",
    )


def _budget(event: Event, said: Mapping[str, Any]) -> Telling:
    scope, _, subject = event.subject.partition("/")
    audience = {"person": Audience.PERSON, "group": Audience.LEADS}.get(scope, Audience.OPERATORS)
    whose = "Your budget" if audience is Audience.PERSON else f"The budget of {scope} {subject}"
    level = int(said["level"])
    what = "is used up" if level >= 100 else f"is used to {level} %"  # noqa: PLR2004 - all of it
    return Telling(
        audience,
        "" if audience is Audience.OPERATORS else subject,
        f"budget {event.subject} {event.sequence}",
        f"{whose} {what}",
        str(said["message"]),
    )
