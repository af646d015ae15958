"""What people and operators should know of software: versions that servers are behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.allotments import Allotment, State
from allotment.model.amounts import counted
from allotment.model.documents import Alert
from allotment.model.releases import Release, Update
from allotment.work.software_told import SoftwareTold


def software_notices(
    told: SoftwareTold, those: Iterable[Allotment]
) -> tuple[documents.Notice, ...]:
    """For each of these servers that runs something older than its size names now: what is new."""
    return tuple(
        _notice(one, update)
        for one in those
        for update in [told.of(one)]
        if update is not None and one.state is State.RUNNING
    )


def _notice(one: Allotment, update: Update) -> documents.Notice:
    newest = update.newest
    notes = f" {newest.notes}" if newest.notes else ""
    message = (
        f"Your server {one.server or 'default'} can be updated. {update.words}{notes} "
        "Reset it on the home page when it suits you."
    )
    return documents.Notice(
        at=newest.at,
        kind="software",
        message=message,
        id=f"software:{one.id}:{newest.number}",
        server=server_id(one.hub, one.person, one.server),
    )


def software_alerts(behind: Iterable[tuple[Release, int]]) -> Iterator[Alert]:
    """Software of which servers run something older."""
    for newest, number in behind:
        name = newest.line.name
        verb = "runs" if number == 1 else "run"
        message = (
            f"{name}: {counted(number, 'server')} {verb} something older than {newest.build.words}."
        )
        yield Alert(kind="software", message=message, subject=name)
