"""What nobody can take back is one row for each server and what it is for, however often it is lent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from allotment.record import loans


def _extended(lab: Any, allotment: str, dataset: str | None = None) -> datetime:
    with lab.write() as writing:
        ends: datetime = writing.now + timedelta(minutes=11)
        loans.extended(writing, "lake", allotment, "ann", ends, dataset)
    return ends


@pytest.mark.promise("DATA-7")
def test_a_loan_is_extended_in_its_row_until_it_is_withdrawn(lab: Any) -> None:
    server = lab.granted("ann", "cpu", "work")
    _extended(lab, server)
    ends = _extended(lab, server)
    with lab.record.reading() as reading:
        [first] = loans.open_loans(reading)
    assert (first.expires_at, first.account, first.dataset) == (ends, None, None)

    with lab.write() as writing:
        loans.withdrawn(writing, first.id)
    _extended(lab, server)

    with lab.record.reading() as reading:
        assert [one.id == first.id for one in loans.open_loans(reading)] == [False]
        assert len(loans.of_allotment(reading, server)) == 2


@pytest.mark.promise("DATA-7")
def test_loans_of_a_source_of_its_datasets_and_accounts_are_apart(lab: Any) -> None:
    server, other = lab.granted("ann", "cpu", "work"), lab.granted("bob", "cpu", "work")
    with lab.write() as writing:
        loans.lend(writing, "lake", server, "ann", "allotment_1", writing.now)
    for dataset in (None, "sales", "sales", "wages", None):
        _extended(lab, server, dataset)
    _extended(lab, other)

    with lab.record.reading() as reading:
        known = loans.open_loans(reading, allotment=server)
        others = loans.open_loans(reading, allotment=other)
    assert [(one.account, one.dataset) for one in known] == [
        ("allotment_1", None),
        (None, None),
        (None, "sales"),
        (None, "wages"),
    ]
    assert len(others) == 1
