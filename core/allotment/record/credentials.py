"""Passwords (hashed) and one-time links that reset them. No hash ever enters an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import credentials, people, reset_links


@dataclass(frozen=True, slots=True)
class Credential:
    """A person's password as stored. ``hash`` is never shown, logged or exported."""

    person: str
    hash: str
    must_change: bool
    changed_at: datetime

    def __repr__(self) -> str:
        """Name the person only."""
        return f"Credential({self.person!r})"


def get(reading: Reading, person: str) -> Credential | None:
    """A person's credential, if one was set."""
    row = reading.first(sa.select(credentials).where(credentials.c.person == person))
    return (
        None if row is None else Credential(row.person, row.hash, row.must_change, row.changed_at)
    )


def set_password(writing: Writing, person: str, hashed: str, *, must_change: bool = False) -> None:
    """Store the hash of a person's new password. Open reset links end.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    named(writing, people, "person", person)
    writing.run(credentials.delete().where(credentials.c.person == person))
    writing.run(
        credentials.insert().values(
            person=person, hash=hashed, must_change=must_change, changed_at=writing.now
        )
    )
    writing.run(reset_links.delete().where(reset_links.c.person == person))
    writing.event("person.password_changed", person, person=person)


def confirm_for_good(writing: Writing, names: Sequence[str]) -> None:
    """Let no provider's silence take these people's authority: no provider confirms who keeps a password."""
    lapsing = sa.and_(people.c.name.in_(names), people.c.confirmed_until.is_not(None))
    for row in writing.all(sa.select(people.c.name).where(lapsing).order_by(people.c.name)):
        # No configuration of the person's: the revision stays, as with a provider's confirmation.
        writing.run(people.update().where(people.c.name == row.name).values(confirmed_until=None))
        writing.event("person.confirmed_for_good", row.name, person=row.name)


def check_here(reading: Reading, person: str) -> None:
    """Check that somebody is here to sign in.

    Raises:
        NotFound: the platform knows nobody of that name.
        Refusal: they have left.
    """
    if named(reading, people, "person", person).left_at is not None:
        message = f"{person} has left this platform."
        remedy = "An operator on-boards them again first."
        raise Refusal(Reason(Rule.PERSON_ONBOARDED, message, remedy=remedy))


def create_reset(writing: Writing, person: str, token_hash: str, expires: datetime) -> None:
    """Make a one-time link, known by the SHA-256 of its token; an earlier one ends.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    named(writing, people, "person", person)
    writing.run(reset_links.delete().where(reset_links.c.person == person))
    writing.run(
        reset_links.insert().values(token_hash=token_hash, person=person, expires_at=expires)
    )
    writing.event(
        "person.reset_link_made", person, person=person, after={"expires": expires.isoformat()}
    )


def reset_person(reading: Reading, token_hash: str, now: datetime) -> str:
    """Whose password a link resets.

    Raises:
        Refusal: the link was used, has ended, or never was.
    """
    row = reading.first(sa.select(reset_links).where(reset_links.c.token_hash == token_hash))
    if row is None or row.used_at is not None or row.expires_at <= now:
        raise Refusal(
            Reason(
                Rule.PERMISSION,
                "This link has been used or has ended.",
                remedy="Ask an operator for a new one.",
            )
        )
    return str(row.person)


def use_reset(writing: Writing, token_hash: str) -> str:
    """Use a link up, and say whose password it resets.

    Raises:
        Refusal: the link was used, has ended, or never was.
    """
    person = reset_person(writing, token_hash, writing.now)
    writing.run(
        reset_links.update()
        .where(reset_links.c.token_hash == token_hash)
        .values(used_at=writing.now)
    )
    return person
