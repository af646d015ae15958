"""Who waits, kept in lines between two decisions: only what the events say has changed is read anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record import events, queue_facts
from allotment.record.engine import Reading
from allotment.record.queue_facts import Expected, PoolModel, Standings
from allotment.rules.queue_line import Line
from allotment.rules.queue_standing import PoolStanding, WaitingClaim

_MOST_EVENTS = 5_000
"""After more events than this, reading everybody who waits is quicker than following."""
_AT_ONCE = 500
_LEAVE_LINES = ("allotment.", "claim.", "drift.", "ending.", "limit.", "server.")
"""Events that change nobody's place. Tickets are followed; any other event has all lines read anew."""
_TICKETS = "ticket."

_SINCE = "SELECT kind, subject FROM events WHERE sequence > :after ORDER BY sequence LIMIT :most"
_SOME = sa.text(
    f"SELECT {queue_facts.WAITING_COLUMNS} FROM tickets "  # noqa: S608 - the columns are named there
    "WHERE id IN :ids AND state = 'waiting' AND aside_at IS NULL"
).bindparams(sa.bindparam("ids", expanding=True))


@dataclass(frozen=True, slots=True)
class Lined:
    """Pools with all that bears on who starts, and who waits for each; read at the event ``sequence``.

    The lines go on changing with the next reading: use them before it, or copy.
    """

    standings: Mapping[PoolModel, PoolStanding]
    lines: Mapping[PoolModel, Line]
    sequence: int


class Lines:
    """The lines of all pools. Not safe for threads: one keeps it and reads again and again."""

    def __init__(self) -> None:
        self._sequence: int | None = None
        self._expected: Expected = queue_facts.unknown
        self._lines: dict[PoolModel, Line] = {}
        self._places: dict[str, list[tuple[PoolModel, WaitingClaim]]] = {}

    def read(self, reading: Reading, now: datetime, expected: Expected) -> Lined:
        """Read what has changed since the last time, and the standings of all pools that somebody waits for.

        With another ``expected`` than the last time everybody is read anew.
        """
        latest = events.latest_sequence(reading)
        changed = self._changed(reading) if expected == self._expected else None
        # Until all is read, nothing is known: a failure in between has everybody read anew.
        self._sequence, self._expected = None, expected
        if changed is None:
            self._lines, self._places = {}, {}
            rows = list(reading.driver(queue_facts.WAITING, {}))
        else:
            for ticket in changed:
                self._remove(ticket)
            rows = list(_some(reading, changed))
        wanted = {pool for row in rows for pool, _ in candidates(row)}
        wanted |= {pool for pool, _ in self._lines}
        if not wanted:
            self._sequence = latest
            return Lined({}, {}, latest)
        standings = Standings(reading, sorted(wanted), now, expected)
        for row in rows:
            self._add(row, standings, expected)
        self._set_apart(standings.by_pool)
        self._sequence = latest
        return Lined(
            {key: one for key, one in standings.by_pool.items() if key in self._lines},
            self._lines,
            latest,
        )

    def _changed(self, reading: Reading) -> list[str] | None:
        """The tickets that changed since the last reading; None where everybody must be read."""
        if self._sequence is None:
            return None
        asked = {"after": self._sequence, "most": _MOST_EVENTS}
        rows = reading.driver(_SINCE, asked).all()
        if len(rows) == _MOST_EVENTS:
            return None
        tickets: dict[str, None] = {}
        for row in rows:
            if row.kind.startswith(_TICKETS):
                tickets[row.subject] = None
            elif not row.kind.startswith(_LEAVE_LINES):
                return None
        return list(tickets)

    def _remove(self, ticket: str) -> None:
        for key, claim in self._places.pop(ticket, ()):
            line = self._lines[key]
            line.remove(claim)
            if not line.buckets:
                del self._lines[key]

    def _add(self, row: Any, standings: Standings, expected: Expected) -> None:
        for key in candidates(row):
            if key in standings.by_pool:
                group = standings.group_in(key[0], row.group_name)
                claim = queue_facts.waiting_claim(row, group, expected)
                if key not in self._lines:
                    self._lines[key] = Line(apart=_apart(standings.by_pool[key]))
                self._lines[key].add(claim)
                self._places.setdefault(row.id, []).append((key, claim))

    def _set_apart(self, standings: Mapping[PoolModel, PoolStanding]) -> None:
        """Line up again where other people than before have a reservation of their own."""
        for key, line in self._lines.items():
            apart = _apart(standings[key]) if key in standings else line.apart
            if line.apart != apart:
                self._lines[key] = Line(line, apart)


def candidates(row: Any) -> tuple[PoolModel, ...]:
    """The pools that may serve a ticket."""
    return queue_facts.read_candidates(row.candidates)


def _apart(standing: PoolStanding) -> frozenset[str]:
    return frozenset(one.person for one in standing.reservations if one.person is not None)


def _some(reading: Reading, tickets: list[str]) -> Iterable[Any]:
    for start in range(0, len(tickets), _AT_ONCE):
        yield from reading.connection.execute(_SOME, {"ids": tickets[start : start + _AT_ONCE]})
