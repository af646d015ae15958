"""Limits: what one person may hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LimitKind(StrEnum):
    """What is limited. All are counts; storage in GiB."""

    DEVICES = "devices"
    """Devices held at once."""
    SERVERS = "servers"
    """Servers that are starting, running or stopping."""
    SERVERS_EXISTING = "servers_existing"
    """Servers that exist, stopped ones included."""
    INSTANCES = "instances"
    """Instances of a cloud taken at once: servers whose profile names an instance type."""
    STORAGE = "storage"
    """What the home holds, in GiB."""
    MODELS = "models"
    """Registered models, each version counted."""

    @property
    def words(self) -> str:
        """What a page calls it."""
        return _LIMIT_WORDS[self]


_LIMIT_WORDS = {
    LimitKind.DEVICES: "devices at once",
    LimitKind.SERVERS: "running servers",
    LimitKind.SERVERS_EXISTING: "servers that exist",
    LimitKind.INSTANCES: "cloud instances at once",
    LimitKind.STORAGE: "GiB of storage",
    LimitKind.MODELS: "registered models",
}


class LimitScope(StrEnum):
    """Where a limit is set. The narrowest one that is set binds."""

    PLATFORM = "platform"
    GROUP = "group"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Limit:
    """One value that somebody set. ``subject`` is empty for the platform."""

    scope: LimitScope
    subject: str
    kind: LimitKind
    value: int


@dataclass(frozen=True, slots=True)
class EffectiveLimit:
    """The value that binds a person, and where it comes from. No value: no limit is set."""

    kind: LimitKind
    value: int | None
    scope: LimitScope | None
    subject: str

    @property
    def source(self) -> str:
        """Where the limit comes from, in words."""
        if self.scope is None:
            return "no limit is set"
        if self.scope is LimitScope.PLATFORM:
            return "the platform's default"
        return f"group {self.subject}" if self.scope is LimitScope.GROUP else "set for this person"


def effective_limit(
    kind: LimitKind, limits: tuple[Limit, ...], group: str | None
) -> EffectiveLimit:
    """Choose the limit that binds: the person's own, else the paying group's, else the platform's."""
    set_here = {
        limit.scope: limit
        for limit in limits
        if limit.kind is kind and (limit.scope is not LimitScope.GROUP or limit.subject == group)
    }
    for scope in (LimitScope.PERSON, LimitScope.GROUP, LimitScope.PLATFORM):
        if scope in set_here:
            limit = set_here[scope]
            return EffectiveLimit(kind, limit.value, scope, limit.subject)
    return EffectiveLimit(kind, None, None, "")
