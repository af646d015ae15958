"""What the record keeps of loans: what is out, and what is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.model.refusals import Refusal
from allotment.record import (
    loans,
    sources,
)
from data_records import make


def test_a_source_is_not_deleted_while_accounts_of_it_are_out(lab: Any) -> None:
    make(lab)
    loan = _lend(lab, lab.granted("ann", "cpu"))
    with pytest.raises(Refusal, match="1 account"), lab.write() as writing:
        sources.delete(writing, "warehouse")
    with lab.write() as writing:
        loans.withdrawn(writing, loan.id)
        sources.delete(writing, "warehouse")


def _lend(lab: Any, allotment: str, account: str | None = "allotment_1") -> loans.Loan:
    with lab.write() as writing:
        until = writing.now + timedelta(hours=1)
        return loans.lend(writing, "warehouse", allotment, "ann", account, until)


def _due(lab: Any) -> list[str]:
    with lab.record.reading() as reading:
        return [one.id for one in loans.due(reading, lab.now)]


@pytest.mark.promise("DATA-2")
def test_a_loan_is_due_when_its_time_is_over(lab: Any) -> None:
    loan = _lend(lab, lab.granted("ann", "cpu"))
    assert _due(lab) == []
    lab.later(hours=1)
    assert _due(lab) == [loan.id]


@pytest.mark.promise("DATA-2")
def test_a_loan_is_due_when_its_server_has_ended(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    loan = _lend(lab, server)
    lab.end(server)
    assert _due(lab) == [loan.id]


def test_a_loan_is_withdrawn_once(lab: Any) -> None:
    loan = _lend(lab, lab.granted("ann", "cpu"))
    with lab.write() as writing:
        assert loans.withdrawn(writing, loan.id)
        assert not loans.withdrawn(writing, loan.id)
        assert not loans.made(writing, loan.id, "late", writing.now)
    lab.later(hours=2)
    assert _due(lab) == []


def test_a_loan_that_could_not_be_withdrawn_stays_due_with_its_problem(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    loan = _lend(lab, server)
    lab.end(server)
    with lab.write() as writing:
        loans.failed(writing, loan.id, "the database is away")
    with lab.record.reading() as reading:
        (found,) = loans.due(reading, lab.now)
    assert (found.tries, found.problem) == (1, "the database is away")


def test_what_was_withdrawn_long_ago_is_forgotten(lab: Any) -> None:
    server = lab.granted("ann", "cpu")
    old, new = _lend(lab, server), _lend(lab, server)
    with lab.write() as writing:
        loans.withdrawn(writing, old.id)
        assert loans.forget(writing, writing.now + timedelta(seconds=1)) == 1
    with lab.record.reading() as reading:
        assert [one.id for one in loans.of_allotment(reading, server)] == [new.id]
