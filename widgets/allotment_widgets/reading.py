"""Which call of the client reads what, and what has to be read again after an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allotment.client import AllotmentClient
from allotment.model.documents import Document, Event
from allotment_widgets.backend import Backend
from allotment_widgets.picture import Changed, Picture, Topic

ALWAYS = frozenset({Topic.ABOUT, Topic.ME, Topic.OVERVIEW})
"""What the rail and the rights of every panel need."""
REFUSALS = 100
"""Refused launches that are read: those of the last day are counted among them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """``call`` blocks, in a thread of its own; ``take`` puts its answer into the picture."""

    call: Callable[[AllotmentClient, int | None], Document]
    take: Callable[[Picture, Any], Changed]


def _sets(topic: Topic, name: str, field: str = "") -> Callable[[Picture, Any], Changed]:
    """Put a whole answer, or one field of it, where the picture has its place."""

    def take(picture: Picture, answer: Any) -> Changed:
        setattr(picture, name, getattr(answer, field) if field else answer)
        picture.known.add(topic)
        return Changed.all_of([topic])

    return take


_READERS: dict[Topic, Reader] = {
    Topic.ABOUT: Reader(lambda client, _: client.about(), _sets(Topic.ABOUT, "about")),
    Topic.ME: Reader(lambda client, _: client.me(), _sets(Topic.ME, "me")),
    Topic.OVERVIEW: Reader(lambda client, _: client.overview(), Picture.take_overview),
    Topic.SERVERS: Reader(
        lambda client, after: client.servers.all(changed_after=after), Picture.take_servers
    ),
    Topic.DEVICES: Reader(
        lambda client, after: client.devices.all(changed_after=after), Picture.take_devices
    ),
    Topic.NODES: Reader(lambda client, _: client.nodes.all(), _sets(Topic.NODES, "nodes", "items")),
    Topic.USERS: Reader(
        lambda client, after: client.users.all(changed_after=after), Picture.take_users
    ),
    Topic.ROLES: Reader(lambda client, _: client.roles.all(), _sets(Topic.ROLES, "roles", "items")),
    Topic.PROFILES: Reader(
        lambda client, _: client.profiles.all(), _sets(Topic.PROFILES, "profiles", "items")
    ),
    Topic.TYPES: Reader(lambda client, _: client.instance_types.all(), _sets(Topic.TYPES, "types")),
    Topic.SOFTWARE: Reader(
        lambda client, _: client.software.all(), _sets(Topic.SOFTWARE, "software", "items")
    ),
    Topic.REFUSALS: Reader(
        lambda client, _: client.refusals(limit=REFUSALS),
        _sets(Topic.REFUSALS, "refusals", "items"),
    ),
    Topic.TICKETS: Reader(lambda client, _: client.tickets.all(), _sets(Topic.TICKETS, "tickets")),
    Topic.MOMENTS: Reader(lambda client, _: client.use(), _sets(Topic.MOMENTS, "moments", "items")),
    Topic.SOURCE_FORMS: Reader(
        lambda client, _: client.sources.forms(),
        _sets(Topic.SOURCE_FORMS, "source_forms", "items"),
    ),
    Topic.SOURCES: Reader(
        lambda client, _: client.sources.all(), _sets(Topic.SOURCES, "sources", "items")
    ),
    Topic.DATASETS: Reader(
        lambda client, _: client.datasets.all(), _sets(Topic.DATASETS, "datasets", "items")
    ),
    Topic.TARGETS: Reader(
        lambda client, _: client.targets.all(), _sets(Topic.TARGETS, "targets", "items")
    ),
    Topic.MODELS: Reader(
        lambda client, _: client.models.all(), _sets(Topic.MODELS, "models", "items")
    ),
    Topic.PARTS: Reader(lambda client, _: client.parts(), _sets(Topic.PARTS, "parts")),
    Topic.NEWS: Reader(lambda client, _: client.news(), _sets(Topic.NEWS, "news", "items")),
    Topic.ACCOUNTS: Reader(
        lambda client, _: client.service_accounts.all(), _sets(Topic.ACCOUNTS, "accounts", "items")
    ),
    Topic.SIGN_IN: Reader(
        lambda client, _: client.sign_on.state(), _sets(Topic.SIGN_IN, "sign_in")
    ),
    Topic.HOMES: Reader(lambda client, _: client.homes.all(), _sets(Topic.HOMES, "homes")),
}


async def read(
    topic: Topic, client: AllotmentClient, backend: Backend, picture: Picture
) -> Changed:
    """Read one topic, or what changed of it since it was read last. What has no reader is only told as changed.

    Raises:
        Refusal, ControlPlaneAway, RecordUnavailable: as the client.
    """
    reader = _READERS.get(topic)
    if reader is None:
        return Changed.all_of([topic])
    answer = await backend.call(reader.call, client, picture.sequences.get(topic))
    return reader.take(picture, answer)


_HELD = frozenset(
    {
        *(Topic.SERVERS, Topic.DEVICES, Topic.NODES),
        *(Topic.USERS, Topic.PROFILES, Topic.OVERVIEW),
    }
)
_TOUCHED: dict[str, frozenset[Topic]] = {
    "allotment": _HELD | {Topic.TICKETS, Topic.TYPES, Topic.SOFTWARE},
    "ticket": frozenset({Topic.TICKETS}),
    "server": frozenset({Topic.SERVERS, Topic.USERS, Topic.HOMES, Topic.OVERVIEW}),
    "claim": frozenset({Topic.REFUSALS, Topic.OVERVIEW}),
    "device": frozenset({Topic.DEVICES, Topic.NODES, Topic.SERVERS, Topic.OVERVIEW, Topic.ABOUT}),
    "node": frozenset({Topic.NODES}),
    "pool": frozenset({Topic.DEVICES, Topic.OVERVIEW}),
    "group": frozenset({Topic.USERS, Topic.OVERVIEW}),
    "department": frozenset({Topic.OVERVIEW}),
    "reservation": frozenset({Topic.OVERVIEW}),
    "membership": frozenset({Topic.USERS, Topic.OVERVIEW}),
    # What a role permits is what the service accounts of its people may do at most.
    "person": frozenset({Topic.USERS, Topic.ROLES, Topic.ACCOUNTS, Topic.OVERVIEW}),
    "role": frozenset({Topic.ROLES, Topic.USERS, Topic.ACCOUNTS, Topic.ME}),
    "home": frozenset({Topic.HOMES}),
    "sign_in": frozenset({Topic.SIGN_IN}),
    "service_account": frozenset({Topic.ACCOUNTS}),
    "directory_group": frozenset(),
    "limit": frozenset({Topic.USERS}),
    "profile": frozenset({Topic.PROFILES, Topic.TYPES, Topic.SOFTWARE, Topic.OVERVIEW}),
    "software": frozenset({Topic.SOFTWARE, Topic.OVERVIEW}),
    "instance-type": frozenset({Topic.TYPES, Topic.PROFILES, Topic.OVERVIEW}),
    "quota": frozenset({Topic.TYPES, Topic.OVERVIEW}),
    "drift": frozenset({Topic.OVERVIEW, Topic.PARTS}),
    # What is read through a source can be used no longer when the source cannot.
    "source": frozenset({Topic.SOURCES, Topic.DATASETS}),
    "dataset": frozenset({Topic.DATASETS}),
    "version": frozenset({Topic.DATASETS, Topic.VERSIONS}),
    "target": frozenset({Topic.TARGETS}),
    "model": frozenset({Topic.MODELS}),
    "platform": frozenset({Topic.ABOUT, Topic.OVERVIEW, Topic.PARTS}),
}


def touched_by(event: Event, picture: Picture) -> frozenset[Topic]:
    """What has to be read again. An event of a kind that this version does not know touches all."""
    about, _, _ = event.kind.partition(".")
    topics = _TOUCHED.get(about, frozenset(Topic) - {Topic.CLOCK})
    if picture.me is not None and event.person == picture.me.person:
        topics |= {Topic.ME}
    return topics
