"""Which control planes there are: each says so now and then, and is forgotten when it has not for long.

The leases say who does a hub's periodic work; here stands who else could, and how that work goes, so that
a control plane that stands by can tell it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import platform

_PREFIX = "plane:"


@dataclass(frozen=True, slots=True)
class Presence:
    """What a control plane last said of itself.

    ``holder`` is what leases call its process. ``steps`` are the documents of its periodic work; there
    are none of one that stood by.
    """

    hub: str
    holder: str
    version: str
    started_at: datetime
    said_at: datetime
    steps: Sequence[dict[str, Any]] = ()

    @property
    def key(self) -> str:
        """What names it in the record."""
        return key_of(self.hub, self.holder)


def key_of(hub: str, holder: str) -> str:
    """What names a control plane in the record."""
    digest = hashlib.sha256(f"{hub}\n{holder}".encode()).hexdigest()
    return f"{_PREFIX}{digest[:32]}"


def say(writing: Writing, said: Presence) -> None:
    """Keep what a control plane says of itself, instead of what it said before. It is no event."""
    value = {
        "hub": said.hub,
        "holder": said.holder,
        "version": said.version,
        "started_at": said.started_at.isoformat(),
        "said_at": said.said_at.isoformat(),
        "steps": list(said.steps),
    }
    changed = platform.update().where(platform.c.key == said.key).values(value=value)
    if writing.run(changed).rowcount == 0:
        writing.run(platform.insert().values(key=said.key, value=value))


def leave(writing: Writing, hub: str, holder: str) -> None:
    """One has ended in good order."""
    writing.run(platform.delete().where(platform.c.key == key_of(hub, holder)))


def all_said(reading: Reading) -> tuple[Presence, ...]:
    """Every control plane that is remembered, by hub and name."""
    statement = sa.select(platform.c.value).where(platform.c.key.like(f"{_PREFIX}%"))
    found = (_from_document(row.value) for row in reading.all(statement))
    return tuple(sorted(found, key=lambda one: (one.hub, one.holder)))


def _from_document(value: dict[str, Any]) -> Presence:
    times = {key: datetime.fromisoformat(value[key]) for key in ("started_at", "said_at")}
    return Presence(**{**value, **times, "steps": tuple(value["steps"])})


def forget_before(writing: Writing, moment: datetime) -> None:
    """Forget those that were not heard of since: they ended without a word."""
    for one in all_said(writing):
        if one.said_at < moment:
            leave(writing, one.hub, one.holder)
