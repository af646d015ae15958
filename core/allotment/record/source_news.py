"""Sources that were added or changed lately, as those who may use them are told: test them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from allotment.model.sources import Audience
from allotment.record import audiences, memberships
from allotment.record.audiences import Shared
from allotment.record.engine import Reading
from allotment.record.schema import people, sources

TOLD_FOR = timedelta(days=7)
"""How long people are told that a source was added or changed."""
MOST = 20
"""The newest of them that are told."""


@dataclass(frozen=True, slots=True)
class SourceNews:
    """A source that works as it is now since ``at``, for whom its audience admits."""

    name: str
    title: str
    at: datetime
    added: bool
    audience: Audience

    @property
    def id(self) -> str:
        """Names this change: told once, it can be set aside."""
        return f"source:{self.name}:{self.at.isoformat()}"

    @property
    def words(self) -> str:
        """What its users read."""
        done = "added" if self.added else "changed"
        return f"The data source {self.title or self.name} was {done}: test it from your server."


def lately(reading: Reading, now: datetime, name: str | None = None) -> tuple[SourceNews, ...]:
    """What there is to tell, the newest first: sources that can be used and were changed lately."""
    statement = sa.select(
        sources.c.name, sources.c.title, sources.c.created_at, sources.c.changed_at
    ).where(sources.c.enabled, sources.c.usable, sources.c.changed_at > now - TOLD_FOR)
    if name is not None:
        statement = statement.where(sources.c.name == name)
    newest = statement.order_by(sources.c.changed_at.desc(), sources.c.name).limit(MOST)
    return tuple(
        SourceNews(
            row.name,
            row.title,
            row.changed_at,
            row.created_at == row.changed_at,
            audiences.of(reading, Shared.SOURCE, row.name),
        )
        for row in reading.all(newest)
    )


def of_person(reading: Reading, person: str, now: datetime) -> tuple[SourceNews, ...]:
    """What one person is told, the newest first; nothing, if they are not on-boarded."""
    found = lately(reading, now)
    if not found or reading.first(_ONBOARDED.where(people.c.name == person)) is None:
        return ()
    groups = memberships.current_groups(reading, person, now)
    return tuple(one for one in found if one.audience.admits(person, groups))


def readers(reading: Reading, one: SourceNews, now: datetime) -> frozenset[str] | None:
    """Who may use it now; None: everyone who is on-boarded."""
    if one.audience.everyone:
        return None
    in_groups = memberships.members(reading, one.audience.groups, now)
    known = frozenset(row.name for row in reading.all(_ONBOARDED))
    return known & (in_groups | set(one.audience.people))


_ONBOARDED = sa.select(people.c.name).where(people.c.onboarded_at.is_not(None))
