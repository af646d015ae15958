"""People's homes as the record knows them: whether they are used, until when they are kept, what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.homes import FoundHome, Home, HomeEnd
from allotment.model.limits import LimitKind
from allotment.model.names import CONSOLE_SERVER
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.record import limits, tickets
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, farewells, homes, leavings, servers
from allotment.rules.keeping import room_for_home

_LET_GO = sa.and_(farewells.c.person == homes.c.person, farewells.c.hub == homes.c.hub)
_KNOWN = sa.select(homes, leavings.c.heir, farewells.c.at.label("let_go_at")).select_from(
    homes.outerjoin(leavings, leavings.c.person == homes.c.person).outerjoin(farewells, _LET_GO)
)


def all_homes(
    reading: Reading,
    *,
    hub: str | None = None,
    person: str | None = None,
    heir: str | None = None,
) -> tuple[Home, ...]:
    """Homes by person and place; of one hub or person, or for one heir, where asked."""
    statement = _KNOWN.order_by(homes.c.person, homes.c.hub, homes.c.place)
    if hub is not None:
        statement = statement.where(homes.c.hub == hub)
    if person is not None:
        statement = statement.where(homes.c.person == person)
    if heir is not None:
        statement = statement.where(leavings.c.heir == heir)
    return tuple(_from_row(row) for row in reading.all(statement))


def get(reading: Reading, hub: str, place: str) -> Home:
    """One home.

    Raises:
        NotFound: there is no such home.
    """
    row = reading.first(_KNOWN.where(*_match(hub, place)))
    if row is None:
        raise NotFound("home", f"{hub}~{place}")
    return _from_row(row)


_AT_ONCE = 500
Uses = dict[str, set[str]]
"""Servers whose homes are used: names by person."""


def uses(reading: Reading, hub: str) -> Uses:
    """The servers that people have on a hub, stopped ones too, or wait for. The console has a home of its own."""
    made = sa.select(servers.c.person, servers.c.name.label("server")).where(
        servers.c.hub == hub, servers.c.name != CONSOLE_SERVER
    )
    held = sa.select(allotments.c.person, allotments.c.server).where(
        allotments.c.hub == hub,
        allotments.c.state != "released",
        allotments.c.server != CONSOLE_SERVER,
    )
    found: Uses = {}
    for row in reading.all(sa.union(made, held)):
        found.setdefault(row.person, set()).add(row.server)
    for ticket in tickets.live(reading, hub=hub):
        found.setdefault(ticket.person, set()).add(ticket.server)
    return found


def is_used(home: Home | FoundHome, uses: Uses) -> bool:
    """Whether a home is used: by its one server, or by any of its person's where they share it."""
    names = uses.get(home.person, set())
    return bool(names) if home.server is None else home.server in names


def differs(
    reading: Reading,
    hub: str,
    homes_known: Iterable[Home],
    found: Iterable[FoundHome],
    now: datetime,
) -> bool:
    """Whether :func:`seen` would change anything: it mostly would not, and then nobody need wait for a turn to write."""
    known = {one.place: one for one in homes_known}
    there = _there(known, found)
    if _gone(known, there, now):
        return True
    used = uses(reading, hub)
    return any(
        place not in known or _differs(known[place], one, used=is_used(one, used))
        for place, one in there.items()
    )


def _there(known: Mapping[str, Home], found: Iterable[FoundHome]) -> dict[str, FoundHome]:
    """What was found, by place. A server that was renamed uses its home on, which says the old name for ever."""
    there = {one.place: one for one in found}
    for place, before in known.items():
        if place in there and there[place].person == before.person:
            there[place] = replace(there[place], server=before.server)
    return there


def _gone(
    known: Mapping[str, Home], there: Mapping[str, FoundHome], now: datetime
) -> tuple[Home, ...]:
    """Homes to be forgotten, for they are not there.

    Where no home is there at all, that is more likely a disk that is not mounted, or another cluster that
    answers. What an operator keeps is kept until then, seen or not; what one asked to be removed is gone.
    """

    def is_gone(home: Home) -> bool:
        kept = home.keep_until is not None and home.keep_until > now
        return home.asked is HomeEnd.REMOVE or (bool(there) and not kept)

    return tuple(one for place, one in known.items() if place not in there and is_gone(one))


def _differs(home: Home, found: FoundHome, *, used: bool) -> bool:
    told = (home.person, home.size, home.server, home.used)
    return told != (found.person, found.size, found.server, used)


def seen(writing: Writing, hub: str, found: Iterable[FoundHome]) -> None:
    """Take in which homes there are. From now on those are unused whose servers are all deleted.

    A home that is gone is forgotten, see :func:`_gone`; one whose person came back is as if it had never been unused.
    """
    known = {one.place: one for one in all_homes(writing, hub=hub)}
    used, starting = uses(writing, hub), _starting(writing, hub)
    there = _there(known, found)
    for lost in _gone(known, there, writing.now):
        # What is claimed by a start that is under way may not be there yet.
        if lost.person not in starting:
            writing.run(homes.delete().where(*_match(hub, lost.place)))
    new: list[dict[str, Any]] = []
    for place, one in there.items():
        since = None if is_used(one, used) else writing.now
        row = {"person": one.person, "size": one.size, "server": one.server}
        before = known.get(place)
        if before is None:
            new.append({"hub": hub, "place": place, "unused_since": since, **row})
        elif _differs(before, one, used=since is None):
            fresh = _fresh(since) if before.used is not (since is None) else {}
            _set(writing, before, **row, **fresh)
    if new:
        writing.connection.execute(homes.insert(), new)


def _starting(reading: Reading, hub: str) -> frozenset[str]:
    """Whose server is starting."""
    match = (allotments.c.hub == hub, allotments.c.state == "starting")
    return frozenset(
        row.person for row in reading.all(sa.select(allotments.c.person).where(*match))
    )


def _fresh(since: datetime | None) -> dict[str, Any]:
    """What is known of a home that begins to be used, or to be unused."""
    return {
        "unused_since": since,
        "ends_at": None,
        "warned_at": None,
        "keep_until": None,
        "asked": None,
        "asked_by": "",
        "problem": "",
    }


def claimed(writing: Writing, hub: str, found: FoundHome, group: str | None) -> int:
    """Count a home that is about to be claimed; ``found`` has the size that is wanted. Returns its size, in bytes.

    A home that is there already has the size that it has. All of a person's homes, on every hub, are
    within one limit of storage.

    Raises:
        Refusal: the limit leaves too little for another home.
    """
    if writing.dialect == "postgresql":
        writing.driver(
            "SELECT 1 FROM people WHERE name = :person FOR UPDATE", {"person": found.person}
        )
    wanted = found.size or 0
    own = all_homes(writing, person=found.person)
    for one in own:
        if (one.hub, one.place) == (hub, found.place):
            if one.server != found.server:
                # It was a server's that was renamed: as long as there is either of the two, it is used.
                _set(writing, one, server=None)
            return one.size if one.size is not None else wanted
    bound = limits.effective(writing, found.person, group)
    limit = next(one for one in bound if one.kind is LimitKind.STORAGE)
    size = room_for_home(limit, sum(one.size or 0 for one in own), wanted)
    row = {"person": found.person, "size": size, "server": found.server}
    writing.run(homes.insert().values(hub=hub, place=found.place, **row))
    return size


def renamed(writing: Writing, hub: str, person: str, old: str, new: str) -> None:
    """Follow a server that has another name from now on: it uses the home that it had."""
    match = (homes.c.hub == hub, homes.c.person == person, homes.c.server == old)
    writing.run(homes.update().where(*match).values(server=new))


def measured(writing: Writing, home: Home, used: int) -> None:
    """Keep what a home holds, in bytes, as its own server has measured it."""
    _set(writing, home, used=used, measured_at=writing.now)


def used_in(reading: Reading, hub: str, person: str) -> int | None:
    """What somebody's homes on a hub hold together, as their servers measured; None: nothing was."""
    total = sa.func.sum(homes.c.used).label("used")
    row = reading.first(sa.select(total).where(homes.c.hub == hub, homes.c.person == person))
    return None if row is None or row.used is None else int(row.used)


def ends(writing: Writing, hub: str, places: Sequence[str], at: datetime | None) -> None:
    """Note when homes would end as things are, which nobody was told yet."""
    for start in range(0, len(places), _AT_ONCE):
        some = homes.c.place.in_(places[start : start + _AT_ONCE])
        match = (homes.c.hub == hub, some)
        writing.run(homes.update().where(*match).values(ends_at=at, warned_at=None))


def warned(writing: Writing, home: Home, at: datetime, then: HomeEnd) -> None:
    """Note that the end of a home was announced, and for when."""
    _set(writing, home, ends_at=at, warned_at=writing.now)
    after = {"hub": home.hub, "ends_at": at.isoformat(), "then": str(then)}
    writing.event("home.warned", home.place, person=home.person, after=after)


def due(writing: Writing, home: Home) -> None:
    """Note that it was told who is to get a home, which nobody here can move."""
    _set(writing, home, ends_at=None, warned_at=writing.now)
    after = {"hub": home.hub, "person": home.person, "heir": home.heir}
    writing.event("home.due", home.place, person=home.heir, after=after)


def keep(writing: Writing, home: Home, until: datetime | None) -> Home:
    """Keep a home until a time at least; it is warned of anew then. None: as long as all others.

    Raises:
        NotFound: it is gone.
        Refusal: its person has a server, or the time has passed.
    """
    home = get(writing, home.hub, home.place)
    _unused(home)
    if until is not None and until <= writing.now:
        message = "A home cannot be kept until a time that has passed."
        raise Refusal(Reason(Rule.REQUEST, message, remedy="Say a later time."))
    _set(
        writing,
        home,
        keep_until=until,
        ends_at=until,
        warned_at=None,
        asked=None,
        asked_by="",
        problem="",
    )
    said = {"until": None if until is None else until.isoformat()}
    before = {"until": home.keep_until.isoformat() if home.keep_until else None}
    writing.event("home.kept", home.place, person=home.person, before=before, after=said)
    return get(writing, home.hub, home.place)


def ask(writing: Writing, home: Home, what: HomeEnd | None) -> Home:
    """Ask for a home to be removed or archived now; None takes that back, where it was not done yet.

    Raises:
        NotFound: it is gone.
        Refusal: its person has a server.
    """
    home = get(writing, home.hub, home.place)
    if what is not None:
        _unused(home)
        if is_used(home, uses(writing, home.hub)):
            raise Refusal(_in_use(home))
    by = writing.actor if what is not None else ""
    _set(writing, home, asked=None if what is None else str(what), asked_by=by, problem="")
    after = {"hub": home.hub, "asked": None if what is None else str(what)}
    writing.event("home.asked", home.place, person=home.person, after=after)
    return get(writing, home.hub, home.place)


def failed(writing: Writing, home: Home, problem: str) -> None:
    """Note why what was to be done with a home could not be. What was asked is asked no more."""
    if problem == home.problem and home.asked is None:
        return
    _set(writing, home, problem=problem[:1000], asked=None, asked_by="")
    writing.event("home.failed", home.place, person=home.person, after={"problem": problem[:1000]})


def gone(writing: Writing, home: Home, by: str, archive: str | None) -> None:
    """Forget a home that was removed; ``archive`` is the file that it was packed into."""
    writing.run(homes.delete().where(*_match(home.hub, home.place)))
    kind = "home.removed" if archive is None else "home.archived"
    after = {"hub": home.hub, "by": by, "archive": archive}
    writing.event(kind, home.place, person=home.person, after=after)


def _unused(home: Home) -> None:
    if home.used:
        raise Refusal(_in_use(home))


def _in_use(home: Home) -> Reason:
    message = f"{home.person} has a server on {home.hub}: the home is used."
    return Reason(Rule.REQUEST, message, remedy="Delete the person's servers there first.")


def _set(writing: Writing, home: Home, **values: Any) -> None:
    if values:
        writing.run(homes.update().where(*_match(home.hub, home.place)).values(**values))


def _match(hub: str, place: str) -> tuple[sa.ColumnElement[bool], ...]:
    return homes.c.hub == hub, homes.c.place == place


def _from_row(row: sa.Row[Any]) -> Home:
    return Home(
        hub=row.hub,
        place=row.place,
        person=row.person,
        size=row.size,
        server=row.server,
        unused_since=row.unused_since,
        keep_until=row.keep_until,
        ends_at=row.ends_at,
        warned_at=row.warned_at,
        asked=None if row.asked is None else HomeEnd(row.asked),
        asked_by=row.asked_by,
        problem=row.problem,
        heir=row.heir,
        let_go=row.let_go_at is not None,
    )
