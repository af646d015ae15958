"""Groups, people, roles and limits."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from allotment.model.documents.capacity import GroupShare
from allotment.model.documents.document import Document, Listing
from allotment.model.documents.happenings import Notice
from allotment.model.documents.launching import Server
from allotment.model.documents.queue import Ticket
from allotment.model.groups import Origin
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission


class Member(Document):
    """A person in a group, by one origin."""

    person: str
    origin: Origin
    lead: bool
    until: datetime | None = None


class Membership(Document):
    """A group that a person is in, by one origin."""

    group: str
    origin: Origin
    lead: bool
    until: datetime | None = None


class Group(Document):
    """People with a share. ``members`` is told only when one group is asked for, to its leads and above."""

    name: str
    title: str
    tags: dict[str, str]
    department: str | None = None
    shares: tuple[GroupShare, ...]
    people: int = Field(description="How many people are in it")
    leads: tuple[str, ...]
    members: tuple[Member, ...] | None = None
    revision: int


class GroupListing(Listing):
    """Groups, by name."""

    items: tuple[Group, ...]


class LimitUse(Document):
    """A limit that binds a person, where it comes from, and what is used of it."""

    kind: LimitKind
    words: str = Field(examples=["devices at once"])
    group: str | None = Field(default=None, description="The group whose servers it binds")
    value: int | None = Field(default=None, description="None: no limit is set")
    used: int
    scope: LimitScope | None = None
    subject: str = ""
    source: str = Field(examples=["the platform's default"])


class LimitSetting(Document):
    """One value that somebody set. ``subject`` is empty for the platform."""

    scope: LimitScope
    subject: str
    kind: LimitKind
    words: str
    value: int


class LimitListing(Listing):
    """Limits that are set, by scope, subject and kind."""

    items: tuple[LimitSetting, ...]


class Role(Document):
    """A named set of permissions."""

    name: str
    permissions: tuple[Permission, ...]
    built_in: bool
    people: int = Field(description="How many people have it")
    revision: int


class RoleListing(Listing):
    """Roles, built-in ones first."""

    items: tuple[Role, ...]


class User(Document):
    """Somebody whom the platform knows. ``limits`` are told when one person is asked for."""

    name: str
    role: str
    onboarded_at: datetime | None
    left_at: datetime | None = Field(
        default=None, description="When they left; null: they have not"
    )
    memberships: tuple[Membership, ...]
    devices: int = Field(description="Devices held now")
    servers: int = Field(description="Servers starting, running or stopping")
    servers_existing: int
    limits: tuple[LimitUse, ...] | None = None
    revision: int


class EmailAddress(Document):
    """Where a person's notices are sent; empty: nowhere."""

    person: str
    email: str


class UserListing(Listing):
    """People, by name."""

    items: tuple[User, ...]


class OnboardedUsers(Document):
    """People who were on-boarded. ``notes`` say what is left to do, such as when the hub was away."""

    users: tuple[User, ...]
    notes: tuple[str, ...] = ()


class ResetLink(Document):
    """A link that lets a person choose a new password, once. It is told only in this answer."""

    person: str
    link: str = Field(examples=["http://127.0.0.1:8000/hub/reset-password?token=…"])
    expires_at: datetime


class Me(Document):
    """The caller: what this token may do, what is held, what binds, and what should be known."""

    person: str
    role: str = Field(description="Empty for somebody who is not on-boarded")
    reach: Literal["everything", "own", "read-own"] = Field(
        description="Whether this token acts with all permissions, for own things, or reads own data"
    )
    permissions: tuple[Permission, ...] = Field(description="What this token may do")
    groups: tuple[str, ...]
    leads: tuple[str, ...]
    limits: tuple[LimitUse, ...]
    shares: dict[str, tuple[GroupShare, ...]] = Field(description="Shares of own groups, by group")
    servers: tuple[Server, ...]
    tickets: tuple[Ticket, ...] = Field(default=(), description="Own servers that wait")
    notices: tuple[Notice, ...]
    sequence: int
