"""Mail about software: who runs an older version of what was released is written what changed, and operators are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from allotment.model.events import Event
from allotment.model.mail import Notice
from allotment.model.people import BuiltInRole
from allotment.model.releases import Line, Release, promised
from allotment.record import Reading, allotments, people, releases
from allotment.rules.updating import update_of

KIND = "software.released"


def software_mails(reading: Reading, found: Iterable[Event]) -> Iterator[Notice]:
    """What these events have people written about software: each once, about the newest release."""
    subjects = {event.subject for event in found if event.kind == KIND}
    if not subjects:
        return
    known = releases.of_profiles(reading, {one.partition("/")[0] for one in subjects})
    operators = {one.name for one in people.all_people(reading) if one.role == BuiltInRole.OPERATOR}
    affected: dict[Line, set[str]] = {}
    for one in allotments.active(reading):
        line, build = promised(one.profile, one.terms)
        if update_of(line, build, known) is not None:
            affected.setdefault(line, set()).add(one.person)
    for subject in sorted(subjects):
        profile, _, software = subject.partition("/")
        those = known.get(Line(profile, software), ())
        if those:
            readers = affected.get(those[0].line, set())
            yield from (
                _notice(those[0], subject, one, runs=one in readers)
                for one in sorted(readers | operators)
            )


def _notice(newest: Release, subject: str, person: str, *, runs: bool) -> Notice:
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
