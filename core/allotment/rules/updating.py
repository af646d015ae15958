"""Whether a server runs an older version than its profile names now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from allotment.model.allotments import Allotment
from allotment.model.releases import Build, Line, Release, Update, promised

Releases = Mapping[Line, Sequence[Release]]
"""Of each line its releases, newest first."""


def update_for(allotment: Allotment, releases: Releases) -> Update | None:
    """What the server of an allotment would get by a reset, by what it was promised; see :func:`update_of`."""
    return update_of(*promised(allotment.profile, allotment.terms), releases)


def update_of(line: Line, runs: Build, releases: Releases) -> Update | None:
    """What a server of this line would get by a reset; None where it runs the newest, or nothing is known.

    What it runs may be no release at all: a record that is older than its releases knows none.
    """
    missed = tuple(takewhile(lambda one: one.build != runs, releases.get(line, ())))
    if not missed:
        return None
    dates = [one.update_by for one in missed if one.update_by is not None]
    return Update(runs, missed, min(dates, default=None))
