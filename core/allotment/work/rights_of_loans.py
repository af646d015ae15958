"""Whether servers may still have what they are lent, in the groups and by the sources of now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from allotment.model.allotments import Allotment
from allotment.model.datasets import Dataset
from allotment.model.refusals import NotFound
from allotment.model.sources import Source
from allotment.record import Reading, allotments, datasets, loans, people, sources
from allotment.record.loans import Loan
from allotment.rules.data_access import Asker, dataset_grounds, source_grounds


@dataclass(frozen=True, slots=True)
class Right:
    """By what a server is lent something: a source, or the files of a dataset in it.

    ``whole`` is whether it may use all of the source.
    """

    source: str
    allotment: str
    person: str
    dataset: str | None
    whole: bool


def lost(reading: Reading, now: datetime) -> tuple[Loan, ...]:
    """Open loans of people who may no longer use what they were lent: it was revoked, or they left a group."""
    open_now = loans.open_loans(reading)
    known = {one.name: one for one in sources.all_sources(reading)} if open_now else {}
    by_dataset = any(one.dataset for one in open_now)
    through = {one.name: one for one in datasets.all_datasets(reading)} if by_dataset else {}
    servers = {one.id: one for one in allotments.some(reading, {one.allotment for one in open_now})}
    known_people = {
        person: people.authority(reading, person, now)
        for person in {one.person for one in open_now}
    }

    def keeps(loan: Loan) -> bool:
        source = known.get(loan.source)
        who = known_people[loan.person]
        asker = Asker.of(loan.person, who.groups, servers.get(loan.allotment))
        return bool(who.role) and source is not None and _may(loan, source, through, asker)

    return tuple(one for one in open_now if not keeps(one))


def right_of(
    reading: Reading, source: Source, dataset: str | None, server: Allotment, now: datetime
) -> Right | None:
    """By what a server may have a source, as it was opened; None where it may not any more."""
    (still,) = allotments.some(reading, {server.id}) or (None,)
    who = people.authority(reading, server.person, now)
    asker = Asker.of(server.person, who.groups, still)
    try:
        current = sources.get(reading, source.name)
        through = None if dataset is None else datasets.get(reading, dataset)
    except NotFound:
        return None
    if not who.role or not is_same(current, source):
        return None
    if through is not None and dataset_grounds(through, current, asker) is None:
        return None
    whole = source_grounds(current, asker) is not None
    if not whole and through is None:
        return None
    return Right(source.name, server.id, server.person, dataset, whole)


def is_same(current: Source, source: Source) -> bool:
    """Whether a source still is what it was, and leads to where it led."""
    then = (source.created_at, source.changed_at, dict(source.fields))
    return (current.created_at, current.changed_at, dict(current.fields)) == then


def _may(loan: Loan, source: Source, through: Mapping[str, Dataset], asker: Asker) -> bool:
    if loan.dataset is None:
        return source_grounds(source, asker) is not None
    dataset = through.get(loan.dataset)
    if dataset is None or dataset.source != source.name:
        return False
    return dataset_grounds(dataset, source, asker) is not None
