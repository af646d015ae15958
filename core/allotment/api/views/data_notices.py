"""What people and operators should know of data: sources that changed, and those that are not proven."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from allotment.model import documents
from allotment.model.amounts import counted
from allotment.model.documents import Alert
from allotment.model.sources import Source, Verdict
from allotment.record import Reading, loans, sources
from allotment.record.source_news import SourceNews

_OVERDUE = timedelta(days=2)
"""A proof that is older could not be repeated for a day."""


def source_notices(found: Iterable[SourceNews]) -> tuple[documents.Notice, ...]:
    """Sources that somebody may use and that were added or changed lately: test them."""
    return tuple(
        documents.Notice(at=one.at, kind="source", message=one.words, id=one.id, source=one.name)
        for one in found
    )


def data_alerts(reading: Reading, now: datetime) -> Iterator[Alert]:
    """Sources that people could write to or that are not proven, and accounts that could not be dropped."""
    for source in sources.all_sources(reading):
        said = _doubt(source, now)
        if said:
            yield Alert(kind="source", message=f"{source.name}: {said}", subject=source.name)
    left = [one for one in loans.open_loans(reading) if one.problem]
    for name in sorted({one.source for one in left}):
        number = sum(one.source == name for one in left)
        problem = next(one.problem for one in left if one.source == name)
        message = f"{name}: {counted(number, 'account')} could not be dropped yet. {problem}"
        yield Alert(kind="source", message=message, subject=name)


def _doubt(source: Source, now: datetime) -> str:
    proof = source.proof
    if not source.enabled:
        return ""
    if proof is None or proof.verdict is Verdict.UNPROVEN:
        why = "" if proof is None else f" {proof.problem}"
        return f"nothing shows that its users cannot write.{why}"
    if proof.verdict is Verdict.WRITABLE:
        accepted = f" {source.accepted_by} accepted that." if source.accepted_by else ""
        return f"its users can write: {'; '.join(proof.possible)}.{accepted}"
    if now - proof.at > _OVERDUE:
        return f"its last proof is of {proof.at:%Y-%m-%d %H:%M} UTC. {proof.problem}".strip()
    return ""
