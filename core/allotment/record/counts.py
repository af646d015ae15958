"""Counts for lists: how much people and profiles hold, without reading every allotment."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.record.engine import Reading
from allotment.record.schema import allotments, memberships, people, servers

_ACTIVE = allotments.c.state != "released"


def held_by_person(reading: Reading, person: str | None = None) -> dict[str, tuple[int, int]]:
    """By person: servers that count, and devices that they hold."""
    statement = (
        sa.select(
            allotments.c.person,
            sa.func.count().label("servers"),
            sa.func.sum(allotments.c.device_count).label("devices"),
        )
        .where(_ACTIVE)
        .group_by(allotments.c.person)
    )
    if person is not None:
        statement = statement.where(allotments.c.person == person)
    return {row.person: (row.servers, int(row.devices)) for row in reading.all(statement)}


def instances_of(reading: Reading, person: str) -> int:
    """Instances of a cloud that a person's servers take now."""
    mine = (allotments.c.person == person, _ACTIVE, allotments.c.instance_type.is_not(None))
    row = reading.first(sa.select(sa.func.count().label("number")).where(*mine))
    return row.number if row else 0


def instances_by_person(reading: Reading) -> dict[str, int]:
    """By person: instances of a cloud that their servers take now."""
    statement = (
        sa.select(allotments.c.person, sa.func.count().label("number"))
        .where(_ACTIVE, allotments.c.instance_type.is_not(None))
        .group_by(allotments.c.person)
    )
    return {row.person: row.number for row in reading.all(statement)}


def existing_by_person(reading: Reading, person: str | None = None) -> dict[str, int]:
    """By person: servers that exist, stopped ones too."""
    statement = sa.select(servers.c.person, sa.func.count().label("number")).group_by(
        servers.c.person
    )
    if person is not None:
        statement = statement.where(servers.c.person == person)
    return {row.person: row.number for row in reading.all(statement)}


def servers_by_profile(reading: Reading) -> dict[str, int]:
    """By profile: servers that hold it now."""
    statement = (
        sa.select(allotments.c.profile, sa.func.count().label("number"))
        .where(_ACTIVE)
        .group_by(allotments.c.profile)
    )
    return {row.profile: row.number for row in reading.all(statement)}


def servers_by_state(reading: Reading) -> dict[str, int]:
    """By state: servers that exist; those whose latest allotment is released count as stopped."""
    statement = (
        sa.select(allotments.c.state, sa.func.count().label("number"))
        .join(servers, servers.c.allotment == allotments.c.id)
        .group_by(allotments.c.state)
    )
    return {
        "stopped" if row.state == "released" else row.state: row.number
        for row in reading.all(statement)
    }


def people_by_group(reading: Reading) -> dict[str, int]:
    """By group: people in it, each once."""
    number = sa.func.count(memberships.c.person.distinct()).label("number")
    statement = sa.select(memberships.c.group_name, number).group_by(memberships.c.group_name)
    return {row.group_name: row.number for row in reading.all(statement)}


def people_by_role(reading: Reading) -> dict[str, int]:
    """By role: people who have it."""
    statement = sa.select(people.c.role, sa.func.count().label("number")).group_by(people.c.role)
    return {row.role: row.number for row in reading.all(statement)}
