"""Use and cost, computed from the rows of the allotments: nothing is sampled, nothing is kept twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa

from allotment.model.money import Dimension, Used, price_in_millionths
from allotment.record.columns import dumps, to_stored
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, groups, server_minutes
from allotment.rules.usage import Charged, Cuts, by_day, by_month, tally, uncut

_PERSON, _GROUP, _POOL, _PROFILE = range(4)
_PLACES = {
    Dimension.PERSON: _PERSON,
    Dimension.GROUP: _GROUP,
    Dimension.POOL: _POOL,
    Dimension.PROFILE: _PROFILE,
}


@dataclass(frozen=True, slots=True)
class Question:
    """Which use is asked for: from ``begin`` until before ``end``, by what, and of what only.

    ``by`` may name a day or a month, not both. ``tag`` is the name of the tag that
    :attr:`~allotment.model.money.Dimension.TAG` adds up by. ``seen_by`` (a person and the groups
    whose use they may see) leaves out what is neither theirs nor of one of these groups; None: all
    is seen.
    """

    begin: datetime
    end: datetime
    by: tuple[Dimension, ...] = ()
    tag: str = ""
    person: str | None = None
    group: str | None = None
    pool: str | None = None
    profile: str | None = None
    seen_by: tuple[str, tuple[str, ...]] | None = None


PRICES = {
    "sqlite": "json_extract(terms, '$.profile.price')",
    "postgresql": "CAST(terms AS json) -> 'profile' ->> 'price'",
}
"""The price per hour that was promised, as text, by dialect."""
_LISTS = {
    "sqlite": "SELECT value FROM json_each(:groups)",
    "postgresql": "SELECT json_array_elements_text(CAST(:groups AS json))",
}
_FILTERS = {
    "person": "person = :person",
    "group": "group_name = :group",
    "pool": "pool = :pool",
    "profile": "profile = :profile",
}


def charged(
    reading: Reading, begin: datetime, end: datetime, where: str = "", **parameters: Any
) -> Iterator[Charged]:
    """What is charged of a period, up to ``end``, one by one; ``where`` narrows it, in SQL with its parameters.

    The subject of each is its person, group, pool and profile; empty where it has none.
    """
    statement = (
        "SELECT running_at, COALESCE(charged_until, stopping_at) AS until, device_count, "
        f"{PRICES[reading.dialect]} AS price, person, group_name, pool, profile FROM allotments "
        "WHERE running_at < :end AND (stopping_at IS NULL OR stopping_at > :begin)"
    )
    known = {"begin": to_stored(begin), "end": to_stored(end)}
    found = reading.driver(f"{statement}{where}", known | parameters)
    prices: dict[Any, int] = {}
    begun: int
    until: int | None
    for begun, until, devices, written, person, group, pool, profile in found.all():  # type: ignore[misc]  # rows of SQL as text
        price = prices.get(written)
        if price is None:
            price = prices[written] = price_in_millionths(written)
        last = known["end"] if until is None else until
        yield Charged(begun, last, devices, price, (person, group or "", pool or "", profile))


def read(reading: Reading, question: Question, now: datetime, zone: tzinfo) -> tuple[Used, ...]:
    """Add up what was used, in the order of the names. What runs is charged until ``now``."""
    end = min(question.end, now)
    if question.begin >= end:
        return ()
    begin_at, end_at = to_stored(question.begin), to_stored(end)
    where, parameters = _where(reading, question)
    rows = charged(reading, question.begin, end, where, **parameters)
    cuts = _cuts(question.by, begin_at, end_at, zone)
    found = tally(rows, begin_at, end_at, cuts, _naming(reading, question))
    order = _order(question.by)
    lines = (Used(order(key), use) for key, use in found.items())
    return tuple(sorted(lines, key=lambda one: one.names))


def _where(reading: Reading, question: Question) -> tuple[str, dict[str, Any]]:
    asked = {name: getattr(question, name) for name in _FILTERS}
    parameters = {name: value for name, value in asked.items() if value is not None}
    parts = [_FILTERS[name] for name in parameters]
    if question.seen_by is not None:
        own, leads = question.seen_by
        parts.append(f"(person = :own OR group_name IN ({_LISTS[reading.dialect]}))")
        parameters |= {"own": own, "groups": dumps(list(leads))}
    return "".join(f" AND {part}" for part in parts), parameters


def _cuts(by: tuple[Dimension, ...], begin: int, end: int, zone: tzinfo) -> Cuts:
    if Dimension.DAY in by:
        return by_day(begin, end, zone)
    return by_month(begin, end, zone) if Dimension.MONTH in by else uncut(begin)


def _naming(reading: Reading, question: Question) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """What a subject is called in the order of the dimensions, days and months aside."""
    wanted = [one for one in question.by if one not in {Dimension.DAY, Dimension.MONTH}]
    by_group = {
        dimension: _of_groups(reading, dimension, question.tag)
        for dimension in wanted
        if dimension not in _PLACES
    }

    def name(subject: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            subject[_PLACES[one]] if one in _PLACES else by_group[one].get(subject[_GROUP], "")
            for one in wanted
        )

    return name


def _of_groups(reading: Reading, dimension: Dimension, tag: str) -> Mapping[str, str]:
    """The department of each group, or the value of one of its tags, as they are now."""
    rows = reading.all(sa.select(groups.c.name, groups.c.tags, groups.c.department))
    if dimension is Dimension.DEPARTMENT:
        return {row.name: row.department or "" for row in rows}
    return {row.name: str(row.tags.get(tag, "")) for row in rows}


def _order(by: tuple[Dimension, ...]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Put the part's name, which comes last, where the day or the month was asked for."""
    timed = [place for place, one in enumerate(by) if one in {Dimension.DAY, Dimension.MONTH}]
    if not timed:
        return lambda key: key[:-1]
    place = timed[0]
    return lambda key: (*key[:place], key[-1], *key[place:-1])


def charge_until_last_seen(writing: Writing, allotment_id: str) -> None:
    """End the charge of a server that was found gone with the last minute of which it told anything.

    Nobody can say for how long it lived after that, so nobody pays for it. Of a server that never
    told anything nothing else is known than when it was found gone: its charge ends there.
    """
    minute = sa.select(sa.func.max(server_minutes.c.minute)).where(
        server_minutes.c.allotment == allotment_id
    )
    last = writing.connection.execute(minute).scalar()
    row = writing.first(
        sa.select(allotments.c.running_at, allotments.c.stopping_at).where(
            allotments.c.id == allotment_id
        )
    )
    if last is None or row is None or row.running_at is None or row.stopping_at is None:
        return
    until = min(max(last + timedelta(minutes=1), row.running_at), row.stopping_at)
    same = allotments.c.id == allotment_id
    writing.run(allotments.update().where(same).values(charged_until=until))
