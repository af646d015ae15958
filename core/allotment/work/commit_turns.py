"""Whose commit is next: one of each dataset and person at a time, and nobody's many before another's one."""

from __future__ import annotations

from datetime import timedelta

from allotment.model.reasons import Reason, Rule
from allotment.model.versions import Version

AT_ONCE = 4
"""Commits that are carried out at the same time, of everybody; one of each person."""
OF_PERSON = 8
"""Commits of one person, under way and waiting."""
OF_DATASET = 2
"""Commits of one dataset: one under way, and one that waits. That one reads the files when its turn has
come, so that a third would only find what it finds."""

LONGEST = timedelta(hours=4)
"""For which a commit may go on once its turn has come: then it is others' turn."""


class Turns:
    """Commits that wait, and those under way. Used under its owner's lock."""

    def __init__(self) -> None:
        self._waiting: dict[str, Version] = {}
        self._running: dict[str, Version] = {}
        self._served: dict[str, int] = {}
        self._given = 0

    def tokens(self) -> tuple[str, ...]:
        """Of all that wait or are under way."""
        return (*self._waiting, *self._running)

    def refusal(self, person: str, dataset: str, space: str) -> Reason | None:
        """Why this person's commit of a dataset is not taken now; None if it is."""
        begun = (*self._waiting.values(), *self._running.values())
        of_dataset = sum(one.space == space for one in begun)
        if of_dataset >= OF_DATASET:
            return _crowded(dataset, of_dataset)
        of_person = sum(one.committed_by == person for one in begun)
        return _own(of_person) if of_person >= OF_PERSON else None

    def add(self, version: Version) -> None:
        """Let one wait for its turn."""
        self._waiting[version.token] = version

    def next(self) -> Version | None:
        """The one whose turn has come, which is under way from now on; None while there is none.

        A dataset's commits keep their order. Of those that may begin it is that of whoever had a turn the
        longest ago, and of one person the oldest.
        """
        if len(self._running) >= AT_ONCE:
            return None
        people = {one.committed_by for one in self._running.values()}
        spaces = {one.space for one in self._running.values()}
        ready = []
        for one in self._waiting.values():
            if one.space not in spaces and one.committed_by not in people:
                ready.append(one)
            # What comes later of a dataset waits for what came before it, also where that must wait.
            spaces.add(one.space)
        if not ready:
            return None
        # Of equals the first, and they are kept in the order in which they came.
        chosen = min(ready, key=lambda one: self._served.get(one.committed_by, 0))
        self._given += 1
        self._served[chosen.committed_by] = self._given
        self._running[chosen.token] = self._waiting.pop(chosen.token)
        return chosen

    def done(self, version: Version) -> None:
        """Let the turn of one end."""
        self._running.pop(version.token, None)


def too_long() -> Reason:
    """Why a commit is ended whose turn lasts."""
    return Reason(
        Rule.DATA_VERSION,
        f"It has taken {LONGEST // timedelta(hours=1)} hours, as long as a commit may.",
        remedy="Commit again: files that were sent already are not sent twice.",
    )


def _crowded(dataset: str, used: int) -> Reason:
    return Reason(
        Rule.DATA_VERSION,
        f"A commit of {dataset!r} is under way and another waits, "
        "which will hold the files as they are then.",
        limit=OF_DATASET,
        used=used,
        asked=1,
        remedy="Wait until one of them is done.",
    )


def _own(used: int) -> Reason:
    return Reason(
        Rule.DATA_VERSION,
        f"{used} commits of yours are under way or wait for their turn.",
        limit=OF_PERSON,
        used=used,
        asked=1,
        remedy="Wait until one of them is done.",
    )
