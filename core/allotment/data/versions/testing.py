"""Testing a target when it is set up: everything that a commit does is done once, and taken away."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from allotment.data.door import Door
from allotment.data.kinds.kind import Borrower
from allotment.data.opening import known_kind
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import get, open_contents, put
from allotment.data.versions.history import History
from allotment.data.versions.target import OpenedTarget, validate
from allotment.model.reasons import Rule

_LENT = timedelta(minutes=20)


def check_target(opened: OpenedTarget, door: Door, work: Path, now: datetime) -> str:
    """Add to the history, put, get and drop an object, and lend; answers in one sentence what was reached.

    Raises:
        SourceProblem: something of it cannot be done.
    """
    validate(opened.target)
    probe = secrets.token_bytes(32)
    key = f"allotment/probe-{probe[:8].hex()}"
    with closing(open_contents(opened, door)) as contents:
        put(contents, key, probe)
        found = get(contents, key)
        contents.drop(key)
    if found != probe:
        raise SourceProblem(
            f"The contents of {opened.name!r} did not give back what was put there.",
            remedy="Check that nothing rewrites objects on their way.",
        )
    _lends(opened, door, now)
    History(opened, door, work).test(now)
    kinds = f"{opened.target.metadata_kind.value} and {opened.target.contents_kind.value}"
    return f"Histories and contents ({kinds}) can be written and read."


def _lends(opened: OpenedTarget, door: Door, now: datetime) -> None:
    """Servers read versions with what is lent to them: an account that also writes is lent to nobody."""
    borrower = Borrower("allotment", "", "", now + _LENT, "")
    lent = known_kind(opened.source_kind).issue(opened.contents_source(), borrower, door, now)
    if lent.shared:
        raise SourceProblem(
            f"The contents of {opened.name!r} cannot lend what only reads: servers could not load "
            "its versions.",
            remedy="Choose a way of lending that ends: a role or federation for S3.",
            rule=Rule.DATA_VERSION,
        )
