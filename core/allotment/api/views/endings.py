"""Announced ends as documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.endings import Ending, Keep
from allotment.model.idleness import ExtendRule
from allotment.model.terms import EndTerms
from allotment.record import Reading, endings, extending
from allotment.rules.ending import may_put_off


@dataclass(frozen=True, slots=True)
class EndsView:
    """What is announced now and was asked for, by allotment."""

    open: Mapping[str, tuple[Ending, ...]] = field(default_factory=dict)
    keeps: Mapping[str, Keep] = field(default_factory=dict)

    @classmethod
    def read(cls, reading: Reading) -> EndsView:
        """All of it: of ten thousand servers few have an announced end."""
        return cls(endings.open_endings(reading), extending.keeps_of(reading))

    def endings(self, allotment: Allotment) -> tuple[documents.Ending, ...]:
        """The announced ends of one server, earliest first."""
        announced = self.open.get(allotment.id, ())
        if not announced:
            return ()
        return ending_documents(announced, EndTerms.of(allotment.terms).extend)

    def keep(self, allotment: Allotment) -> documents.Keep | None:
        """Until when one server is to be left alone."""
        said = self.keeps.get(allotment.id)
        if said is None:
            return None
        return documents.Keep(until=said.until, said_by=said.said_by, note=said.note)


def lifetime_end(allotment: Allotment) -> datetime | None:
    """When the lifetime of a running server is over, where it has one and was not extended."""
    if not allotment.active or allotment.running_at is None:
        return None
    if not allotment.terms.get("profile", {}).get("lifetime"):
        return None
    lifetime = EndTerms.of(allotment.terms).lifetime
    return None if lifetime is None else allotment.running_at + lifetime


def ending_documents(
    announced: Iterable[Ending], rule: ExtendRule | None
) -> tuple[documents.Ending, ...]:
    """Announced ends, with what may be done about them."""
    return tuple(_document(one, rule) for one in announced)


def _document(one: Ending, rule: ExtendRule | None) -> documents.Ending:
    may = rule is not None and may_put_off(one, rule)
    return documents.Ending(
        cause=one.cause,
        words=one.cause.words,
        message=one.message,
        said_at=one.said_at,
        stop_at=one.stop_at,
        extended=one.extended,
        extensions_left=rule.times - one.extended if rule is not None and may else 0,
        extend_by=rule.by.total_seconds() if rule is not None and may else 0.0,
    )
