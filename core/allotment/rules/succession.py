"""Succession: what a person uses instead of a profile that was replaced. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from allotment.model.profiles import Profile


@dataclass(frozen=True, slots=True)
class Successor:
    """The profile to use instead, and what its operators say about the change; the message may be empty."""

    name: str
    title: str
    message: str

    @property
    def sentence(self) -> str:
        """Which profile to use, and what was said about it."""
        return f"Use {self.title} instead. {self.message}".strip()


def successor_of(
    profile: Profile, replaced: Mapping[str, Profile], launchable: Iterable[Profile]
) -> Successor | None:
    """The first profile along the line of successors that may be launched, or None.

    ``replaced`` are profiles that name a successor, whether they are offered or not; ``launchable``
    those that this person may launch. A line that runs in a circle has no end to be found.
    """
    known = {one.name: one for one in launchable}
    passed, at = {profile.name}, profile
    while at.successor is not None and at.successor not in passed:
        if at.successor in known:
            found = known[at.successor]
            return Successor(found.name, found.title, profile.successor_message)
        if at.successor not in replaced:
            return None
        passed.add(at.successor)
        at = replaced[at.successor]
    return None
