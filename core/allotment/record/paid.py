"""What budgets have paid for, read from the allotments: for many budgets in one statement.

What runs is read one by one, since each server keeps what is left of its minimum session; what has
ended is added up by the database, by person, group and price, so that a long period costs no rows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allotment.model.money import price_in_millionths
from allotment.record import usage
from allotment.record.engine import Reading
from allotment.rules.budget import Paid, spend

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""One for each beginning that a statement counts from: names of parameters have no digits."""
_AMONG = {
    "sqlite": "{column} IN (SELECT value FROM json_each(:{name}))",
    "postgresql": "{column} = ANY(:{name})",
}
_CLIPPED = {
    "sqlite": "MIN({until}, :now) - MAX(running_at, :since_{key})",
    "postgresql": "LEAST({until}, :now) - GREATEST(running_at, :since_{key})",
}
_UNTIL = "COALESCE(charged_until, stopping_at)"
_Row = tuple[int, str, str | None, int | None, int | None, int]
"""Which beginning (-1: it is held now), person, group, when its charge began and ended, price.

Of what has ended, the charge's beginning is 0, and its end how long it lasted in all."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Whose servers are paid, from when on: of a person, or of groups. ``minimum``: a first session."""

    person: str | None
    groups: frozenset[str]
    since: int
    minimum: timedelta


def counted(reading: Reading, payers: Sequence[Payer], now: int) -> list[tuple[int, int, int]]:
    """Of each: what was spent from its beginning until now, what is committed beyond, and the rate now."""
    times = sorted({one.since for one in payers})
    found: dict[Payer, tuple[int, int, int]] = {}
    for first in range(0, len(times), len(_LETTERS)):
        some = times[first : first + len(_LETTERS)]
        chosen = [one for one in payers if some[0] <= one.since <= some[-1]]
        found |= _counted(reading, chosen, some, now)
    return [found[one] for one in payers]


def _counted(
    reading: Reading, payers: Sequence[Payer], times: Sequence[int], now: int
) -> dict[Payer, tuple[int, int, int]]:
    """Those that count from few beginnings."""
    held: dict[tuple[str, str], list[Paid]] = defaultdict(list)
    ended: dict[tuple[int, str, str], int] = defaultdict(int)
    for n, person, group, begin, end, price in _rows(reading, payers, times, now):
        for what, name in (("person", person), ("group", group or "")):
            if n < 0:
                held[what, name].append(Paid(begin, end, price, active=True))
            else:
                ended[times[n], what, name] += price * (end or 0)
    found = {}
    for one in payers:
        keys = [("person", one.person)] if one.person is not None else []
        keys += [("group", group) for group in one.groups if one.person is None]
        running = [paid for key in keys for paid in held.get(key, ())]
        spent, committed, rate = spend(running, one.since, now, one.minimum)
        over = sum(ended.get((one.since, *key), 0) for key in keys)
        found[one] = (spent + over, committed, rate)
    return found


_HELD = """SELECT -1, person, group_name, running_at, {until}, {price} FROM allotments
WHERE state <> 'released' AND {those}"""
_ENDED = """SELECT {n}, person, group_name, 0, SUM({clipped}), {price} FROM allotments
WHERE state = 'released' AND stopping_at > :since_{key} AND running_at < :now
AND {until} > :since_{key} AND {until} > running_at AND {those} GROUP BY person, group_name, {price}"""


def _rows(
    reading: Reading, payers: Sequence[Payer], times: Sequence[int], now: int
) -> Iterator[_Row]:
    """What is held by those whom the payers pay for, and what has ended since each beginning."""
    known: dict[str, Any] = {"now": now}
    words = {"until": _UNTIL, "price": usage.PRICES[reading.dialect]}
    parts = [_HELD.format(those=_those(reading, "held", payers, known), **words)]
    for n, since in enumerate(times):
        key = _LETTERS[n]
        known[f"since_{key}"] = since
        some = _those(reading, key, [one for one in payers if one.since == since], known)
        clipped = _CLIPPED[reading.dialect].format(until=_UNTIL, key=key)
        parts.append(_ENDED.format(n=n, key=key, clipped=clipped, those=some, **words))
    prices: dict[str | None, int] = {}
    found = reading.driver(" UNION ALL ".join(parts), known)
    for n, person, group, begin, end, written in found:  # type: ignore[misc]  # rows of SQL as text
        if written not in prices:
            prices[written] = price_in_millionths(written)
        yield n, person, group, begin, None if end is None else int(end), prices[written]


def _those(reading: Reading, name: str, payers: Iterable[Payer], known: dict[str, Any]) -> str:
    """The condition that an allotment is of these people or groups; adds its parameters to what is known."""
    people = sorted({one.person for one in payers if one.person is not None})
    groups = sorted({group for one in payers if one.person is None for group in one.groups})
    parts = []
    for column, names in (("person", people), ("group_name", groups)):
        if names:
            key = f"{column}_{name}"
            known[key] = json.dumps(names) if reading.dialect == "sqlite" else names
            parts.append(_AMONG[reading.dialect].format(column=column, name=key))
    return f"({' OR '.join(parts)})" if parts else "1 = 0"
