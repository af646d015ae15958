"""Testing a target when it is set up: everything that a commit does is done once, and taken away."""

from __future__ import annotations

import secrets
from contextlib import closing
from datetime import datetime
from pathlib import Path

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import get, open_contents, put
from allotment.data.versions.history import History
from allotment.data.versions.target import OpenedTarget, validate


def check_target(opened: OpenedTarget, door: Door, work: Path, now: datetime) -> str:
    """Add to the history and put, get and drop an object; answers in one sentence what was reached.

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
    History(opened, door, work).test(now)
    kinds = f"{opened.target.metadata_kind.value} and {opened.target.contents_kind.value}"
    return f"Histories and contents ({kinds}) can be written and read."
