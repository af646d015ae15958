"""Software as the launch page offers it: each choice once, with the sizes that go with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allotment.model.claims import Claim
from allotment.model.profiles import Profile
from allotment.model.software import Software
from allotment.record.page_facts import PersonFacts


@dataclass(frozen=True, slots=True)
class SoftwareChoice:
    """One choice, and whether the page begins with it. ``proposed_by`` are sizes that name it first."""

    name: str
    title: str
    description: str
    profiles: tuple[str, ...]
    proposed_by: tuple[str, ...]
    available: bool
    """Whether the size that is chosen at first goes with it."""
    chosen: bool

    @property
    def key(self) -> str:
        """What tells it apart from software of the same name that another size describes otherwise."""
        return f"{self.name}-{self.profiles[0]}"


def software_choices(
    profiles: Sequence[Profile], chosen: str, wished: str
) -> tuple[SoftwareChoice, ...]:
    """The software of all sizes, alike ones once, in the order in which the files name them.

    ``chosen`` is the size that is chosen at first, ``wished`` the software asked for or used last.
    """
    sizes: dict[tuple[str, str, str], list[str]] = {}
    first: dict[str, tuple[str, str, str]] = {}
    for profile in profiles:
        for software in profile.software:
            sizes.setdefault(_alike(software), []).append(profile.name)
            first.setdefault(profile.name, _alike(software))
    here = [alike for alike, names in sizes.items() if chosen in names]
    begins = next((one for one in here if one[0] == wished), first.get(chosen))
    return tuple(
        SoftwareChoice(
            *alike,
            profiles=tuple(names),
            proposed_by=tuple(name for name in names if first[name] == alike),
            available=chosen in names,
            chosen=alike == begins,
        )
        for alike, names in sizes.items()
    )


def _alike(software: Software) -> tuple[str, str, str]:
    return software.name, software.title, software.description


def wished_software(facts: PersonFacts, claim: Claim) -> str:
    """The software asked for; else what the server had when it ran last."""
    if claim.software:
        return claim.software
    server = next(
        (one for one in facts.servers if (one.hub, one.name) == (claim.hub, claim.server)), None
    )
    return "" if server is None else software_name(server.allotment.terms)


def software_name(terms: dict[str, object]) -> str:
    """The name of the software that an allotment was promised; empty where its size left no choice."""
    chosen = terms.get("software")
    return str(chosen.get("name", "")) if isinstance(chosen, dict) else ""


def software_title(terms: dict[str, object]) -> str:
    """Its title, as people read it."""
    chosen = terms.get("software")
    return str(chosen.get("title", "")) if isinstance(chosen, dict) else ""
