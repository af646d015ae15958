"""Mail about software: who runs an older version of what was released is written what changed, and operators are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.model.events import Event
from allotment.model.mail import Notice
from allotment.model.releases import Line, Release
from allotment.record import Reading, allotments, people, releases
from allotment.rules.updating import update_for

KIND = "software.released"


def software_mails(reading: Reading, found: Iterable[Event]) -> Iterator[Notice]:
    """What these events have people written about software: each once, about the newest release."""
    subjects = {event.subject for event in found if event.kind == KIND}
    if not subjects:
        return
    lines = [Line.named(one) for one in sorted(subjects)]
    known = releases.of_profiles(reading, {one.profile for one in lines})
    operators = people.operators(reading)
    affected: dict[Line, set[str]] = {}
    for one in allotments.active(reading):
        update = update_for(one, known)
        if update is not None:
            affected.setdefault(update.newest.line, set()).add(one.person)
    for line in lines:
        readers = affected.get(line, set())
        for newest in known.get(line, ())[:1]:
            yield from (
                _notice(newest, one, runs=one in readers) for one in sorted(readers | operators)
            )


def _notice(newest: Release, person: str, *, runs: bool) -> Notice:
    subject = newest.line.name
    notes = f"\n\n{newest.notes}" if newest.notes else ""
    by = ""
    if newest.update_by is not None:
        by = f"\n\nServers with an older version are stopped at {newest.update_by:%Y-%m-%d %H:%M} UTC."
    todo = ""
    if runs:
        todo = "\n\nA server of yours runs an older version: reset it on the home page when it suits you."
    return Notice(
        person,
        f"software:{subject}:{newest.number}",
        KIND,
        f"{subject}: version {newest.build.words}",
        f"{subject} has the version {newest.build.words}.{notes}{todo}{by}",
    )
