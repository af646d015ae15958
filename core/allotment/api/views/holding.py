"""Which servers were promised a source or dataset, or are lent it now: who loses it where it is revoked."""

from __future__ import annotations

from typing import Literal

from allotment.record import Reading, allotments, loans
from allotment.rules.data_access import promises


def held_by(reading: Reading, what: Literal["sources", "datasets"], name: str) -> tuple[str, ...]:
    """The active servers that hold it, as ``person/server``, sorted."""
    if what == "sources":
        open_now = loans.open_loans(reading, source=name)
    else:
        open_now = tuple(one for one in loans.open_loans(reading) if one.dataset == name)
    lent = {one.allotment for one in open_now}
    return tuple(
        sorted(
            f"{one.person}/{one.server or 'default'}"
            for one in allotments.active(reading)
            if one.id in lent or name in promises(one.terms, what)
        )
    )
