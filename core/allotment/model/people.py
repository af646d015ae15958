"""People, their roles, and what a role permits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Permission(StrEnum):
    """One thing that a role may permit. Everyone may always do the owner's own things."""

    SEE_ALL = "see-all"
    """See everything that an operator sees."""
    MANAGE_POOLS = "manage-pools"
    MANAGE_GROUPS = "manage-groups"
    """Create, edit and delete groups, shares included."""
    MANAGE_PEOPLE = "manage-people"
    """On-board, remove and move people, and reset passwords."""
    MANAGE_ROLES = "manage-roles"
    MANAGE_LIMITS = "manage-limits"
    MANAGE_PROFILES = "manage-profiles"
    STOP_SERVERS = "stop-servers"
    MANAGE_SOURCES = "manage-sources"
    MANAGE_SETTINGS = "manage-settings"
    USE_CONSOLE = "use-console"


class BuiltInRole(StrEnum):
    """The roles that every platform has. Team lead is held per group, in its membership."""

    OPERATOR = "operator"
    READER = "reader"
    DATA_CUSTODIAN = "data-custodian"
    DATA_SCIENTIST = "data-scientist"


BUILT_IN_ROLES: dict[str, frozenset[Permission]] = {
    BuiltInRole.OPERATOR: frozenset(Permission),
    BuiltInRole.READER: frozenset({Permission.SEE_ALL, Permission.USE_CONSOLE}),
    BuiltInRole.DATA_CUSTODIAN: frozenset({Permission.MANAGE_SOURCES, Permission.USE_CONSOLE}),
    BuiltInRole.DATA_SCIENTIST: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    name: str
    permissions: frozenset[Permission]
    built_in: bool
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the platform knows. Only an on-boarded person may launch."""

    name: str
    role: str
    onboarded_at: datetime | None
    revision: int = 1
    email: str = ""
    """Where notices are sent; empty: nowhere."""
    confirmed_until: datetime | None = None
    """How long the provider's word holds; None: for good, as for who signs in here."""
    left_at: datetime | None = None
    """When this person left; None: has not."""

    @property
    def onboarded(self) -> bool:
        """Whether an operator, the settings or the provider has admitted this person."""
        return self.onboarded_at is not None


@dataclass(frozen=True, slots=True)
class Authority:
    """What one person may do: asked by every way in, read from the record at each request."""

    person: str
    role: str
    permissions: frozenset[Permission]
    groups: tuple[str, ...]
    leads: tuple[str, ...]
    """The groups that this person leads."""

    @property
    def opens_console(self) -> bool:
        """Whether the operator console is open to this person."""
        return opens_console(self.permissions, leads=bool(self.leads))


def opens_console(permissions: Collection[str], *, leads: bool) -> bool:
    """Whether the operator console is open: to roles that permit it, and to leads for their groups' data."""
    return leads or Permission.USE_CONSOLE in permissions
