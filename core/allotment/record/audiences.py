"""Who may use sources, datasets and models: rows that queries and admissions can ask."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum

import sqlalchemy as sa

from allotment.model.sources import Audience
from allotment.record.engine import Reading, Writing
from allotment.record.rows import named
from allotment.record.schema import audiences, groups, people


class Shared(StrEnum):
    """What has an audience."""

    SOURCE = "source"
    DATASET = "dataset"
    MODEL = "model"


EVERYONE, GROUP, PERSON = "everyone", "group", "person"


def of(reading: Reading, what: Shared, name: str) -> Audience:
    """The audience of one thing."""
    return _read(reading, what, name).get(name, Audience())


def all_of(reading: Reading, what: Shared) -> dict[str, Audience]:
    """The audiences of all things of a kind, by name; who has none is left out."""
    return _read(reading, what, None)


def _read(reading: Reading, what: Shared, name: str | None) -> dict[str, Audience]:
    statement = sa.select(audiences).where(audiences.c.what == str(what))
    if name is not None:
        statement = statement.where(audiences.c.name == name)
    rows = reading.all(statement.order_by(audiences.c.name, audiences.c.grantee))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[row.name][row.grantee_kind].append(row.grantee)
    return {
        one: Audience(EVERYONE in kinds, tuple(kinds[GROUP]), tuple(kinds[PERSON]))
        for one, kinds in found.items()
    }


def put(writing: Writing, what: Shared, name: str, audience: Audience) -> None:
    """Say who may use a thing, from now on.

    Raises:
        NotFound: there is no such group or person.
    """
    for group in audience.groups:
        named(writing, groups, "group", group)
    for person in audience.people:
        named(writing, people, "person", person)
    remove(writing, what, name)
    rows = [
        *([(EVERYONE, "")] if audience.everyone else ()),
        *((GROUP, group) for group in dict.fromkeys(audience.groups)),
        *((PERSON, person) for person in dict.fromkeys(audience.people)),
    ]
    for kind, grantee in rows:
        writing.run(
            audiences.insert().values(what=str(what), name=name, grantee_kind=kind, grantee=grantee)
        )


def remove(writing: Writing, what: Shared, name: str) -> None:
    """Forget who might use a thing that is no more."""
    writing.run(audiences.delete().where(audiences.c.what == str(what), audiences.c.name == name))


def leave(writing: Writing, kind: str, grantee: str) -> None:
    """Take a person or group that is no more out of every audience: a name that comes back inherits nothing."""
    writing.run(
        audiences.delete().where(audiences.c.grantee_kind == kind, audiences.c.grantee == grantee)
    )


def document(audience: Audience) -> dict[str, object]:
    """An audience as events say it."""
    return {
        "everyone": audience.everyone,
        "groups": list(audience.groups),
        "people": list(audience.people),
    }
