"""Commits of versions that are said to live, all of a process at once."""

from __future__ import annotations

from collections.abc import Collection

from allotment.model.versions import VersionState
from allotment.record.engine import Writing
from allotment.record.schema import versions as table


def alive(writing: Writing, tokens: Collection[str]) -> None:
    """Say of commits that they live, though they may only wait for their turn."""
    match = (table.c.state == str(VersionState.COMMITTING), table.c.token.in_(tuple(tokens)))
    if tokens:
        writing.run(table.update().where(*match).values(alive_at=writing.now))
