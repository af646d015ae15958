"""People who sign in through a provider: known by issuer and subject, never by a name alone.

A name can change, and can be given to somebody else. So a subject keeps its person whatever it is
called, and a name that was ever a subject's is refused to every other subject.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from allotment.model.mail import check_address
from allotment.model.names import check_person
from allotment.model.people import Person
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.model.sign_on import Admits, GroupMapping, ProviderIdentity
from allotment.record import mapped, people
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import allotments, credentials, identities, links
from allotment.record.schema import people as people_table

LINK_LASTS = timedelta(days=7)
"""How long an operator's word that links a name waits for the sign-in."""
MOST_GROUPS = 500
"""Groups of a provider that are kept of one person."""
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose a subject is, what the provider called them last, and when it confirmed them last."""

    issuer: str
    subject: str
    person: str
    name: str
    groups: tuple[str, ...]
    confirmed_at: datetime
    ended: bool
    """Whether the person was removed: the subject is not whoever has the name next."""


def _from_row(row: sa.Row[Any]) -> Identity:
    return Identity(
        row.issuer,
        row.subject,
        row.person,
        row.name,
        tuple(row.groups),
        row.confirmed_at,
        row.ended,
    )


def all_identities(reading: Reading) -> tuple[Identity, ...]:
    """Every subject that ever was somebody's, by person."""
    statement = sa.select(identities).order_by(identities.c.person, identities.c.issuer)
    return tuple(_from_row(row) for row in reading.all(statement))


def identity_of(reading: Reading, person: str) -> tuple[str, str] | None:
    """Issuer and subject of a person; None for somebody who signs in here only."""
    row = reading.first(
        sa.select(identities)
        .where(identities.c.person == person, identities.c.ended.is_(False))
        .order_by(identities.c.confirmed_at.desc())
    )
    return None if row is None else (row.issuer, row.subject)


def is_whose(reading: Reading, issuer: str, subject: str) -> str | None:
    """The person whose a subject is; None: it was never seen, or the person was removed."""
    row = _row(reading, issuer, subject)
    return None if row is None or row.ended else str(row.person)


def _row(reading: Reading, issuer: str, subject: str) -> sa.Row[Any] | None:
    match = (identities.c.issuer == issuer, identities.c.subject == subject)
    return reading.first(sa.select(identities).where(*match))


def unconfirmed(reading: Reading, before: datetime) -> tuple[tuple[str, str, str], ...]:
    """Person, issuer and subject of whoever is here and was not confirmed since, the longest ago first."""
    statement = (
        sa.select(identities)
        .join(people_table, people_table.c.name == identities.c.person)
        .where(
            identities.c.confirmed_at < before,
            identities.c.ended.is_(False),
            people_table.c.left_at.is_(None),
        )
        .order_by(identities.c.confirmed_at, identities.c.person)
    )
    return tuple((row.person, row.issuer, row.subject) for row in reading.all(statement))


def signed_in(
    writing: Writing,
    identity: ProviderIdentity,
    mapping: GroupMapping,
    *,
    admits: Admits,
    vouched: Collection[str] = (),
    confirmed_until: datetime | None = None,
) -> Person:
    """Take in what the provider says of somebody, at a sign-in or a refresh, and say who that is here.

    ``vouched`` are people whom the settings name: the settings are an operator's word for their
    names. ``confirmed_until`` is how long the provider's word holds; None: until it says otherwise.

    Raises:
        Refusal: a stranger, somebody who has left, or a name that is or was another's.
    """
    subject = is_whose(writing, identity.issuer, identity.subject)
    person = subject or _by_name(writing, identity, frozenset(vouched))
    row = writing.first(sa.select(people_table).where(people_table.c.name == person))
    if row is not None and row.left_at is not None:
        raise Refusal(_has_left(identity.name))
    if row is None or row.onboarded_at is None:
        if not _admitted(identity, mapping, admits):
            raise Refusal(_stranger(identity.name))
        people.onboard(writing, [person])
    _keep(writing, identity, person, new=subject is None)
    _note_confirmation(writing, person, confirmed_until)
    _take_address(writing, person, identity.email)
    mapped.apply(writing, person, mapping)
    return people.get(writing, person)


def denied(writing: Writing, issuer: str, subject: str, why: str) -> None:
    """The provider says that this account is disabled or gone: what it gave ends, and nothing new is admitted."""
    person = is_whose(writing, issuer, subject)
    known = writing.first(sa.select(people_table).where(people_table.c.name == person))
    if person is None or known is None:
        return
    if known.confirmed_until is None or known.confirmed_until > writing.now:
        writing.event("person.denied", person, person=person, after={"why": why[:300]})
        _note_confirmation(writing, person, writing.now)
    # Or the directory's next word of the person would give again what these gave.
    writing.run(identities.update().where(identities.c.person == person).values(groups=[]))
    mapped.take_back(writing, person)


def was_somebodys(reading: Reading, name: str) -> bool:
    """Whether a name is or was a person's here, so that it cannot be given to anybody else without a word."""
    known = reading.first(sa.select(people_table.c.onboarded_at).where(people_table.c.name == name))
    if known is not None:
        return known.onboarded_at is None
    held = reading.first(sa.select(allotments.c.id).where(allotments.c.person == name).limit(1))
    other = reading.first(sa.select(identities.c.person).where(identities.c.person == name))
    return held is not None or other is not None


def bind(
    writing: Writing, person: str, issuer: str, subject: str, *, called: str, brought: bool
) -> None:
    """Say whose a subject is before its first sign-in: the directory's word, which is the provider's own.

    ``brought``: the directory on-boarded the person itself, so nothing of anybody's is handed over.

    Raises:
        Refusal: the subject is another person's, the person is another subject's, or was here before
            the directory came, with something that would be handed over.
    """
    row = _row(writing, issuer, subject)
    if row is not None and row.person == person and not row.ended:
        return
    if row is not None:
        raise Refusal(_taken(person))
    identity = ProviderIdentity(issuer, subject, called)
    _refuse_second(writing, identity, person)
    if not brought and not _free_to_link(writing, person, frozenset()):
        raise Refusal(_taken(person))
    _keep(writing, identity, person, new=True)


def link(writing: Writing, person: str, provider_name: str) -> datetime:
    """An operator's word: whoever the provider calls by this name, at the next sign-in, is this person.

    Returns until when the word waits.

    Raises:
        NotFound: the platform knows nobody of that name.
    """
    named(writing, people_table, "person", person)
    until = writing.now + LINK_LASTS
    name = _folded(provider_name)[:_LONGEST_NAME]
    writing.run(links.delete().where(sa.or_(links.c.name == name, links.c.person == person)))
    writing.run(links.insert().values(name=name, person=person, until=until))
    after = {"name": name, "until": until.isoformat()}
    writing.event("person.link_promised", person, person=person, after=after)
    return until


def unlink(writing: Writing, person: str, *, keeps_password: bool = False) -> bool:
    """Forget whose the person is at providers; the next sign-in needs an operator's word. False: nothing was known.

    ``keeps_password``: they sign in without any provider, so what they may do waits for none.
    """
    live = writing.first(
        sa.select(identities.c.subject).where(
            identities.c.person == person, identities.c.ended.is_(False)
        )
    )
    gone = writing.run(identities.delete().where(identities.c.person == person)).rowcount
    gone += writing.run(links.delete().where(links.c.person == person)).rowcount
    if live is not None:
        # No provider answers for the person now: new servers and power wait for a sign-in.
        _note_confirmation(writing, person, None if keeps_password else writing.now)
        mapped.take_back(writing, person)
    if gone:
        writing.event("person.unlinked", person, person=person)
    return bool(gone)


def _by_name(writing: Writing, identity: ProviderIdentity, vouched: frozenset[str]) -> str:
    """Who a subject is that was never seen: by an operator's word, else by its name if that is free.

    Raises:
        Refusal: the name cannot be a person's here, or is or was another's, or the subject was
            somebody's who was removed.
    """
    name = _folded(identity.name)
    removed = _row(writing, identity.issuer, identity.subject)
    word = writing.first(
        sa.select(links).where(links.c.name == name[:_LONGEST_NAME], links.c.until > writing.now)
    )
    if word is not None:
        _forget_ended(writing, identity, word.person)
        _refuse_second(writing, identity, word.person)
        writing.run(links.delete().where(links.c.name == word.name))
        return str(word.person)
    if removed is not None:
        raise Refusal(_taken(removed.person))
    try:
        check_person(name)
    except ValueError as error:
        message = f"{error}."
        remedy = "Ask an operator: the settings say which claim of the provider is the name."
        raise Refusal(Reason(Rule.REQUEST, message, remedy=remedy)) from None
    _refuse_second(writing, identity, name)
    if not _free_to_link(writing, name, vouched):
        raise Refusal(_taken(name))
    return name


def _forget_ended(writing: Writing, identity: ProviderIdentity, person: str) -> None:
    """An operator's word stands above whose the subject, or the name, was before a removal."""
    whose = sa.or_(identities.c.subject == identity.subject, identities.c.person == person)
    match = (identities.c.issuer == identity.issuer, identities.c.ended.is_(True), whose)
    writing.run(identities.delete().where(*match))


def _folded(name: str) -> str:
    """A name without case. No letter becomes another's: the Kelvin sign stays one, and is no k."""
    name = name.strip()
    lowered = name.lower()
    return name if lowered.isascii() and not name.isascii() else lowered


def _refuse_second(reading: Reading, identity: ProviderIdentity, person: str) -> None:
    """Refuse a person who is another subject's of the same provider already, or was."""
    row = reading.first(
        sa.select(identities.c.subject).where(
            identities.c.issuer == identity.issuer, identities.c.person == person
        )
    )
    if row is not None:
        raise Refusal(_taken(person))


def _free_to_link(reading: Reading, name: str, vouched: frozenset[str]) -> bool:
    """Whether nothing of anybody's would be handed over with the name.

    Somebody with a password of their own signed in here before; who held a server left a home.
    """
    known = reading.first(sa.select(people_table.c.name).where(people_table.c.name == name))
    has_password = reading.first(
        sa.select(credentials.c.person).where(credentials.c.person == name)
    )
    if has_password is not None:
        return False
    if known is not None and name in vouched:
        return True
    held = reading.first(sa.select(allotments.c.id).where(allotments.c.person == name).limit(1))
    other = reading.first(sa.select(identities.c.person).where(identities.c.person == name))
    return held is None and other is None


def _admitted(identity: ProviderIdentity, mapping: GroupMapping, admits: Admits) -> bool:
    if admits is Admits.EVERYBODY:
        return True
    return admits is Admits.GROUPS and mapping.names_any(identity.groups)


def _keep(writing: Writing, identity: ProviderIdentity, person: str, *, new: bool) -> None:
    values = {
        "name": identity.name[:_LONGEST_NAME],
        "groups": sorted(set(identity.groups))[:MOST_GROUPS],
        "confirmed_at": writing.now,
    }
    if not new:
        match = (
            identities.c.issuer == identity.issuer,
            identities.c.subject == identity.subject,
        )
        writing.run(identities.update().where(*match).values(**values))
        return
    row = {"issuer": identity.issuer, "subject": identity.subject, "person": person, "ended": False}
    writing.run(identities.insert().values(**row, **values))
    after = {"issuer": identity.issuer, "name": values["name"]}
    writing.event("person.linked", person, person=person, after=after)


def _note_confirmation(writing: Writing, person: str, until: datetime | None) -> None:
    # No configuration of the person's: the revision stays, or every refresh would make edits stale.
    writing.run(
        people_table.update().where(people_table.c.name == person).values(confirmed_until=until)
    )


def _take_address(writing: Writing, person: str, email: str) -> None:
    """Take the provider's address where the platform has none."""
    if not email or people.get(writing, person).email:
        return
    try:
        people.set_email(writing, person, check_address(email))
    except ValueError:
        return


def _stranger(name: str) -> Reason:
    return Reason(
        Rule.PERSON_ONBOARDED,
        f"{name[:80]} is not on-boarded to this platform, and is in no group of the provider that opens it.",
        remedy="Ask an operator to on-board you, or to be put into a group that opens it.",
    )


def _has_left(name: str) -> Reason:
    return Reason(
        Rule.PERSON_ONBOARDED,
        f"{name[:80]} has left this platform.",
        remedy="Ask an operator to on-board you again.",
    )


def _taken(name: str) -> Reason:
    return Reason(
        Rule.NAME_TAKEN,
        f"The name {name[:80]!r} is or was somebody's here, and is not handed over to another account of the provider.",
        remedy=f"If both are the same person, an operator says so: allotment link {name[:80]} NAME_AT_THE_PROVIDER. "
        "If not, the provider must give the account another name.",
    )
