"""People as an identity provider knows them, and what its groups mean here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """Somebody whom a provider vouches for.

    ``issuer`` and ``subject`` together stay the same for good: by them a person is known. ``name``
    is what the provider calls them now; it can change, and can be given to another.
    ``groups`` are the provider's own, mapped or not.
    """

    issuer: str
    subject: str
    name: str
    email: str = ""
    groups: tuple[str, ...] = ()


class Admits(StrEnum):
    """Whom a sign-in admits for whom nobody has said a word yet."""

    GROUPS = "groups"
    """Whoever is in a group that is mapped."""
    KNOWN = "known"
    """Only people whom the platform knows."""
    EVERYBODY = "everybody"
    """Whoever the provider lets in."""


@dataclass(frozen=True, slots=True)
class MappedGroup:
    """What being in the provider's group ``name`` means here: a group, leading it, or a role."""

    name: str
    group: str | None = None
    lead: bool = False
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a person is given by the provider's groups: by group whether they lead it, and a role."""

    groups: Mapping[str, bool] = field(default_factory=dict)
    role: str | None = None


@dataclass(frozen=True, slots=True)
class GroupMapping:
    """What the provider's groups mean here. Groups that are not named are ignored."""

    groups: tuple[MappedGroup, ...] = ()

    def names_any(self, provider_groups: Collection[str]) -> bool:
        """Whether any of the provider's groups is mapped."""
        return any(one.name in provider_groups for one in self.groups)

    def of(self, provider_groups: Collection[str]) -> Given:
        """What somebody in these groups of the provider is given. The first mapped role is the one that counts."""
        met = [one for one in self.groups if one.name in provider_groups]
        given: dict[str, bool] = {}
        for one in met:
            if one.group is not None:
                given[one.group] = given.get(one.group, False) or one.lead
        return Given(given, next((one.role for one in met if one.role is not None), None))
