"""Secrets of sources and targets, and of clients of providers, encrypted. Nothing here can read them, and no event holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import client_secrets, secrets


class Holder(StrEnum):
    """What has secrets."""

    SOURCE = "source"
    TARGET = "target"


def of(reading: Reading, what: Holder, name: str) -> dict[str, bytes]:
    """The secrets of one thing, by field."""
    statement = sa.select(secrets).where(secrets.c.what == str(what), secrets.c.name == name)
    return {row.field: bytes(row.sealed) for row in reading.all(statement)}


def fields(reading: Reading, what: Holder, name: str | None = None) -> dict[str, tuple[str, ...]]:
    """By name of a thing: the fields of its secrets that are set."""
    statement = sa.select(secrets.c.name, secrets.c.field).where(secrets.c.what == str(what))
    if name is not None:
        statement = statement.where(secrets.c.name == name)
    found: dict[str, tuple[str, ...]] = {}
    for row in reading.all(statement.order_by(secrets.c.name, secrets.c.field)):
        found[row.name] = (*found.get(row.name, ()), row.field)
    return found


def put(writing: Writing, what: Holder, name: str, given: Mapping[str, bytes | None]) -> None:
    """Keep secrets of a thing; None takes one away, and those that are not named stay."""
    for field, one in given.items():
        writing.run(
            secrets.delete().where(
                secrets.c.what == str(what), secrets.c.name == name, secrets.c.field == field
            )
        )
        if one is not None:
            row = {"what": str(what), "name": name, "field": field, "sealed": one}
            writing.run(secrets.insert().values(**row))


def remove(writing: Writing, what: Holder, name: str) -> None:
    """Forget every secret of a thing."""
    writing.run(secrets.delete().where(secrets.c.what == str(what), secrets.c.name == name))


def count(reading: Reading) -> int:
    """How many secrets there are."""
    counts = [
        reading.first(sa.select(sa.func.count()).select_from(table))
        for table in (secrets, client_secrets)
    ]
    return sum(int(row[0]) for row in counts if row is not None)


def clear(writing: Writing) -> int:
    """Forget every secret of everything. Returns how many there were."""
    return sum(writing.run(table.delete()).rowcount for table in (secrets, client_secrets))


def reseal(writing: Writing, change: Callable[[bytes], bytes]) -> int:
    """Put every secret through ``change``, all or none. Returns how many there were."""
    rows = writing.all(sa.select(secrets).with_for_update())
    for row in rows:
        writing.run(
            secrets.update()
            .where(
                secrets.c.what == row.what,
                secrets.c.name == row.name,
                secrets.c.field == row.field,
            )
            .values(sealed=change(bytes(row.sealed)))
        )
    return len(rows) + _reseal_clients(writing, change)


def _reseal_clients(writing: Writing, change: Callable[[bytes], bytes]) -> int:
    """The same for secrets that operators gave for clients of a provider."""
    rows = writing.all(sa.select(client_secrets).with_for_update())
    for row in rows:
        match = (
            client_secrets.c.issuer == row.issuer,
            client_secrets.c.client_id == row.client_id,
        )
        sealed = change(bytes(row.sealed))
        writing.run(client_secrets.update().where(*match).values(sealed=sealed))
    return len(rows)
