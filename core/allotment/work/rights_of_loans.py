"""Whether servers may still have what they are lent, in the groups and by the sources of now."""

from __future__ import annotations

from datetime import datetime

from allotment.model.allotments import Allotment
from allotment.model.refusals import NotFound
from allotment.model.sources import Source
from allotment.record import Reading, allotments, loans, people, sources
from allotment.record.loans import Loan
from allotment.rules.data_access import Asker, source_grounds


def lost(reading: Reading, now: datetime) -> tuple[Loan, ...]:
    """Open loans of people who may no longer use the source: revoked, or they left a group."""
    open_now = loans.open_loans(reading)
    known = {one.name: one for one in sources.all_sources(reading)} if open_now else {}
    servers = {one.id: one for one in allotments.some(reading, {one.allotment for one in open_now})}
    known_people = {
        person: people.authority(reading, person, now)
        for person in {one.person for one in open_now}
    }

    def keeps(loan: Loan) -> bool:
        source = known.get(loan.source)
        who = known_people[loan.person]
        asker = Asker.of(loan.person, who.groups, servers.get(loan.allotment))
        may = source is not None and source_grounds(source, asker) is not None
        return bool(who.role) and may

    return tuple(one for one in open_now if not keeps(one))


def still_may(reading: Reading, source: Source, server: Allotment, now: datetime) -> bool:
    """Whether a server may use a source as it was opened, still."""
    (still,) = allotments.some(reading, {server.id}) or (None,)
    try:
        current = sources.get(reading, source.name)
    except NotFound:
        return False
    who = people.authority(reading, server.person, now)
    asker = Asker.of(server.person, who.groups, still)
    may = bool(who.role) and source_grounds(current, asker) is not None
    return may and is_same(current, source)


def is_same(current: Source, source: Source) -> bool:
    """Whether a source still is what it was, and leads to where it led."""
    then = (source.created_at, source.changed_at, dict(source.fields))
    return (current.created_at, current.changed_at, dict(current.fields)) == then
