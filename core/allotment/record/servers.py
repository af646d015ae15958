"""Servers that exist, stopped ones too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.allotments import Allotment, State
from allotment.record import allotments as allotment_rows
from allotment.record import homes
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, servers


@dataclass(frozen=True, slots=True)
class Server:
    """A server with its latest allotment."""

    hub: str
    person: str
    name: str
    display_name: str
    note: str
    profile: str
    created_at: datetime
    allotment: Allotment

    @property
    def state(self) -> str:
        """``starting``, ``running``, ``stopping``, ``offered`` or ``stopped``."""
        return "stopped" if self.allotment.state is State.RELEASED else str(self.allotment.state)


def all_servers(
    reading: Reading,
    *,
    person: str | None = None,
    people: Collection[str] | None = None,
    groups: tuple[str, ...] | None = None,
    running_only: bool = False,
) -> tuple[Server, ...]:
    """Servers that exist, by person and name; of one or some people, of some groups, or only active ones where asked."""
    statement = (
        sa.select(
            *[column.label(f"server_{column.name}") for column in servers.c],
            *allotment_rows.COLUMNS,
        )
        .join(allotments, allotments.c.id == servers.c.allotment)
        .order_by(servers.c.person, servers.c.name, servers.c.hub)
    )
    if person is not None:
        statement = statement.where(servers.c.person == person)
    if people is not None:
        statement = statement.where(servers.c.person.in_(people))
    if groups is not None:
        statement = statement.where(allotments.c.group_name.in_(groups))
    if running_only:
        statement = statement.where(allotments.c.state != "released")
    return tuple(_from_row(row) for row in reading.all(statement))


def _from_row(row: sa.Row[Any]) -> Server:
    return Server(
        hub=row.server_hub,
        person=row.server_person,
        name=row.server_name,
        display_name=row.server_display_name,
        note=row.server_note,
        profile=row.server_profile,
        created_at=row.server_created_at,
        allotment=allotment_rows.from_row(row),
    )


def holding_devices(reading: Reading) -> dict[str, tuple[Allotment, str]]:
    """Active allotments that hold devices, by id, each with the name that its server is shown by."""
    statement = (
        sa.select(*allotment_rows.COLUMNS, servers.c.display_name)
        .outerjoin(servers, servers.c.allotment == allotments.c.id)
        .where(allotments.c.state != "released", allotments.c.device_count > 0)
    )
    return {
        row.id: (allotment_rows.from_row(row), row.display_name or "")
        for row in reading.all(statement)
    }


def forget(
    writing: Writing, hub: str, person: str, name: str, *, stopped_only: bool = False
) -> bool:
    """Forget a server that its owner deleted. Its history stays. Returns whether it was there.

    ``stopped_only`` leaves one that has been launched again meanwhile.
    """
    match = [servers.c.person == person, servers.c.hub == hub, servers.c.name == name]
    if stopped_only:
        ended = sa.select(allotments.c.id).where(allotments.c.state == "released")
        match.append(servers.c.allotment.in_(ended))
    if not writing.run(servers.delete().where(*match)).rowcount:
        return False
    writing.event(
        "server.deleted", f"{person}/{name}", person=person, before={"hub": hub, "server": name}
    )
    return True


def rename(writing: Writing, hub: str, person: str, old: str, new: str) -> bool:
    """Give a stopped server another name, and its home with it. Its history stays under the old one. Returns whether it was there."""
    match = (servers.c.person == person, servers.c.hub == hub, servers.c.name == old)
    if not writing.run(servers.update().where(*match).values(name=new)).rowcount:
        return False
    homes.renamed(writing, hub, person, old, new)
    writing.event(
        "server.renamed",
        f"{person}/{new}",
        person=person,
        before={"hub": hub, "server": old},
        after={"hub": hub, "server": new},
    )
    return True
