"""Loans: what servers were lent of sources, so that it is taken back whatever happens in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.ids import new_id
from allotment.record.schema import allotments
from allotment.record.schema import loans as table


@dataclass(frozen=True, slots=True)
class Loan:
    """What a server was lent, and what must be dropped for it in the source (``account``), if anything.

    ``dataset`` is whose files it opens, where it is not for all of the source. ``tries`` counts attempts
    to drop it that failed, ``problem`` is what the last one met.
    """

    id: str
    source: str
    allotment: str
    person: str
    account: str | None
    issued_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None = None
    tries: int = 0
    problem: str = ""
    dataset: str | None = None


def lend(
    writing: Writing,
    source: str,
    allotment: str,
    person: str,
    account: str | None,
    expires_at: datetime,
    dataset: str | None = None,
) -> Loan:
    """Write a loan down before it is made: who dies in between leaves nothing behind that nobody knows."""
    loan = Loan(
        new_id(writing.now),
        source,
        allotment,
        person,
        account,
        writing.now,
        expires_at,
        dataset=dataset,
    )
    writing.run(
        table.insert().values(
            id=loan.id,
            source=source,
            dataset=dataset,
            allotment=allotment,
            person=person,
            account=account,
            issued_at=loan.issued_at,
            expires_at=expires_at,
        )
    )
    return loan


def made(writing: Writing, loan: str, account: str | None, expires_at: datetime) -> bool:
    """Say what was made: the account, if there is one to drop, and its end. False: it was withdrawn meanwhile."""
    changed = writing.run(
        table.update()
        .where(table.c.id == loan, table.c.withdrawn_at.is_(None))
        .values(account=account, expires_at=expires_at)
    )
    return changed.rowcount > 0


def extended(
    writing: Writing,
    source: str,
    allotment: str,
    person: str,
    expires_at: datetime,
    dataset: str | None = None,
) -> None:
    """Say that a server holds something of a source which is no account, until a moment: in one row."""
    changed = writing.run(
        table.update()
        .where(
            table.c.source == source,
            table.c.allotment == allotment,
            table.c.account.is_(None),
            table.c.dataset.is_not_distinct_from(dataset),
            table.c.withdrawn_at.is_(None),
        )
        .values(expires_at=expires_at)
    )
    if not changed.rowcount:
        lend(writing, source, allotment, person, None, expires_at, dataset)


def open_loans(
    reading: Reading, source: str | None = None, allotment: str | None = None
) -> tuple[Loan, ...]:
    """Loans that were not withdrawn, oldest first; of one source or server where asked."""
    statement = sa.select(table).where(table.c.withdrawn_at.is_(None)).order_by(table.c.id)
    if source is not None:
        statement = statement.where(table.c.source == source)
    if allotment is not None:
        statement = statement.where(table.c.allotment == allotment)
    return tuple(_from_row(row) for row in reading.all(statement))


def of_allotment(reading: Reading, allotment: str) -> tuple[Loan, ...]:
    """Everything that a server was ever lent, oldest first."""
    statement = sa.select(table).where(table.c.allotment == allotment).order_by(table.c.id)
    return tuple(_from_row(row) for row in reading.all(statement))


def due(reading: Reading, now: datetime) -> tuple[Loan, ...]:
    """Loans whose time is over, or whose server has ended, oldest first.

    Who lost the right to one is not asked here: that is a rule's to say, over :func:`open_loans`.
    """
    ended = sa.or_(table.c.expires_at <= now, allotments.c.state == "released")
    statement = (
        sa.select(table)
        .join(allotments, allotments.c.id == table.c.allotment)
        .where(table.c.withdrawn_at.is_(None), ended)
        .order_by(table.c.id)
    )
    return tuple(_from_row(row) for row in reading.all(statement))


def withdrawn(writing: Writing, loan: str) -> bool:
    """Say that a loan was taken back. Idempotent: returns False where it had been already."""
    changed = writing.run(
        table.update()
        .where(table.c.id == loan, table.c.withdrawn_at.is_(None))
        .values(withdrawn_at=writing.now, problem="")
    )
    return changed.rowcount > 0


def failed(writing: Writing, loan: str, problem: str) -> None:
    """Say that taking a loan back failed, and why: it is tried again."""
    writing.run(
        table.update().where(table.c.id == loan).values(tries=table.c.tries + 1, problem=problem)
    )


def forget(writing: Writing, before: datetime) -> int:
    """Forget loans that were withdrawn before a moment. Returns how many."""
    return writing.run(table.delete().where(table.c.withdrawn_at < before)).rowcount


def _from_row(row: sa.Row[Any]) -> Loan:
    return Loan(
        row.id,
        row.source,
        row.allotment,
        row.person,
        row.account,
        row.issued_at,
        row.expires_at,
        row.withdrawn_at,
        row.tries,
        row.problem,
        row.dataset,
    )
