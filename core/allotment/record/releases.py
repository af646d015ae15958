"""Releases: which versions of software profiles have named, and what servers run of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.profiles import Profile
from allotment.model.releases import Build, Line, Release, offered
from allotment.record.engine import Reading, Writing
from allotment.record.schema import releases


def note(writing: Writing, profile: Profile, before: Profile | None) -> None:
    """Take in what a profile names now: a new build is a release, new words about one change it.

    The first of a line is no news; each that follows is an event. ``before`` is what was published
    last: its builds are releases too, where nobody counted them then.
    """
    known = of_profiles(writing, [profile.name])
    if before is not None and not known:
        note(writing, before, None)
        known = of_profiles(writing, [profile.name])
    for line, (build, notes, update_by) in offered(profile).items():
        last = next(iter(known.get(line, ())), None)
        if last is None or last.build != build:
            _add(
                writing,
                Release(
                    line,
                    1 if last is None else last.number + 1,
                    build,
                    notes,
                    writing.now,
                    update_by,
                ),
            )
            if last is not None:
                _tell(writing, last, build, notes, update_by)
        elif (last.notes, last.update_by) != (notes, update_by):
            mine = (
                releases.c.profile == line.profile,
                releases.c.software == line.software,
                releases.c.number == last.number,
            )
            writing.run(releases.update().where(*mine).values(notes=notes, update_by=update_by))


def _add(writing: Writing, one: Release) -> None:
    writing.run(
        releases.insert().values(
            profile=one.line.profile,
            software=one.line.software,
            number=one.number,
            version=one.build.version,
            image=one.build.image,
            python_environment=one.build.python_environment,
            notes=one.notes,
            published_at=one.at,
            update_by=one.update_by,
        )
    )


def _tell(
    writing: Writing, last: Release, build: Build, notes: str, update_by: datetime | None
) -> None:
    after: dict[str, Any] = {"version": build.words, "notes": notes}
    if update_by is not None:
        after["update_by"] = update_by.isoformat()
    writing.event(
        "software.released", last.line.name, before={"version": last.build.words}, after=after
    )


def of_profiles(
    reading: Reading, names: Collection[str] | None = None
) -> dict[Line, tuple[Release, ...]]:
    """Of each line its releases, newest first: those of some profiles, or all."""
    statement = sa.select(releases).order_by(releases.c.number.desc())
    if names is not None:
        statement = statement.where(releases.c.profile.in_(sorted(set(names))))
    found: dict[Line, list[Release]] = defaultdict(list)
    for row in reading.all(statement):
        line = Line(row.profile, row.software)
        build = Build(row.version, row.image, row.python_environment)
        found[line].append(
            Release(line, row.number, build, row.notes, row.published_at, row.update_by)
        )
    return {line: tuple(those) for line, those in found.items()}
