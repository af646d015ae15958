"""Hubs: which one each name stands for, and whether it has said lately that it runs.

Times are the database's: the clocks of machines may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.leases import NOW
from allotment.record.schema import hubs

_TAKE = """
INSERT INTO hubs (name, identity, holder, seen_at, until)
VALUES (:name, :identity, :holder, {now}, {now} + :lasting)
ON CONFLICT (name) DO UPDATE SET identity = excluded.identity, holder = excluded.holder,
    seen_at = excluded.seen_at, until = excluded.until
WHERE hubs.identity = excluded.identity OR hubs.holder = :gone OR hubs.until <= {now}
RETURNING holder
"""
_KEEP = """
UPDATE hubs SET seen_at = {now}, until = {now} + :lasting WHERE name = :name AND holder = :holder
RETURNING holder
"""
_LEAVE = "UPDATE hubs SET until = {now} WHERE name = :name AND holder = :holder AND until > {now}"
_SEEN = (
    "SELECT name, identity, holder, {now} - seen_at AS ago, until, until - {now} AS rest FROM hubs"
)


@dataclass(frozen=True, slots=True)
class SeenHub:
    """A hub as it last said that it runs: ``ago`` that was, and it counts as running for another ``rest``.

    ``until`` is that moment by the database's clock, in microseconds: it moves whenever the hub says so again.
    """

    name: str
    identity: str
    holder: str
    ago: timedelta
    until: int
    rest: timedelta

    @property
    def machine(self) -> str:
        """The machine or pod that it runs in."""
        return self.holder.partition(" ")[0]


def seen(reading: Reading) -> Sequence[SeenHub]:
    """Every hub that has ever served from this record, by name."""
    statement = _SEEN.format(now=NOW[reading.dialect]) + " ORDER BY name"
    return tuple(_hub(row) for row in reading.driver(statement, {}))


def get(reading: Reading, name: str) -> SeenHub | None:
    """The hub that a name stands for; None: no hub has had it."""
    statement = _SEEN.format(now=NOW[reading.dialect]) + " WHERE name = :name"
    row = reading.driver(statement, {"name": name}).first()
    return None if row is None else _hub(row)


def take(
    writing: Writing,
    name: str,
    identity: str,
    holder: str,
    lasting: timedelta,
    *,
    gone: Callable[[str], bool] = lambda _holder: False,
    lives: Callable[[str], bool] = lambda _holder: False,
) -> bool:
    """Let a name stand for this hub; False where it stands for another one that runs.

    The same hub takes it from its former process at once. ``gone`` says of a process whether it is
    known to have ended, ``lives`` whether it is known to run: then it has only said nothing for a while,
    for its machine slept. That a name stands for another hub from now on is an event.
    """
    before = get(writing, name)
    if before is not None and before.identity != identity and lives(before.holder):
        return False
    ended = before is not None and gone(before.holder)
    asked = {
        "name": name,
        "identity": identity,
        "holder": holder,
        "lasting": lasting // timedelta(microseconds=1),
        "gone": before.holder if before is not None and ended else holder,
    }
    if writing.driver(_TAKE.format(now=NOW[writing.dialect]), asked).first() is None:
        return False
    if before is not None and before.identity != identity:
        machines = {"machine": before.machine}, {"machine": holder.partition(" ")[0]}
        writing.event("hub.replaced", name, before=machines[0], after=machines[1])
    return True


def keep(writing: Writing, name: str, holder: str, lasting: timedelta) -> bool:
    """Say that a hub runs still; False where the name is another process's by now."""
    asked = {"name": name, "holder": holder, "lasting": lasting // timedelta(microseconds=1)}
    return writing.driver(_KEEP.format(now=NOW[writing.dialect]), asked).first() is not None


def leave(writing: Writing, name: str, holder: str) -> None:
    """Say that a hub ends. The name stands for it until another one asks."""
    asked = {"name": name, "holder": holder}
    writing.driver(_LEAVE.format(now=NOW[writing.dialect]), asked)


def is_anothers(reading: Reading, name: str, identity: str) -> bool:
    """Whether a name stands for a hub of another identity, running or not."""
    statement = sa.select(hubs.c.identity).where(hubs.c.name == name)
    row = reading.first(statement)
    return row is not None and row.identity != identity


def _hub(row: sa.Row[tuple[object, ...]]) -> SeenHub:
    return SeenHub(
        name=row.name,
        identity=row.identity,
        holder=row.holder,
        ago=timedelta(microseconds=max(0, int(row.ago))),
        until=int(row.until),
        rest=timedelta(microseconds=max(0, int(row.rest))),
    )
