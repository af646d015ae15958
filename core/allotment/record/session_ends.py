"""Sessions that are to end because somebody's password was set anew.

Each hub ends those that it has, and notes it, so that a hub that is away does its part when it is back.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import ended_sessions, people, session_ends


def say(writing: Writing, person: str) -> None:
    """Have every session of a person end that began before now.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    named(writing, people, "person", person)
    writing.run(session_ends.delete().where(session_ends.c.person == person))
    writing.run(session_ends.insert().values(person=person, at=writing.now))


def due(reading: Reading, person: str, hub: str) -> datetime | None:
    """The word that a hub has not carried out yet; None: there is none."""
    row = reading.first(
        sa.select(session_ends.c.at, ended_sessions.c.at.label("done"))
        .outerjoin(
            ended_sessions,
            sa.and_(ended_sessions.c.person == session_ends.c.person, ended_sessions.c.hub == hub),
        )
        .where(session_ends.c.person == person)
    )
    if row is None or (row.done is not None and row.done >= row.at):
        return None
    at: datetime = row.at
    return at


def done(writing: Writing, person: str, hub: str, at: datetime) -> None:
    """Note that a hub has ended the sessions that were there when it read the word of ``at``."""
    match = (ended_sessions.c.person == person, ended_sessions.c.hub == hub)
    writing.run(ended_sessions.delete().where(*match))
    if writing.first(sa.select(people.c.name).where(people.c.name == person)) is not None:
        writing.run(ended_sessions.insert().values(person=person, hub=hub, at=at))
    writing.event("person.sessions_ended", person, person=person, after={"hub": hub})
