"""Service accounts, people who leave, and what a mapping of the provider's groups would change."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.people import Permission


class ServiceAccount(Document):
    """A program that may ask the control plane. Its token is told once, when it is made."""

    name: str
    permissions: tuple[Permission, ...] = Field(description="What it was made for")
    effective: tuple[Permission, ...] = Field(
        description="What it may do now: its maker's role must permit it, too"
    )
    note: str
    maker: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = Field(description="When it was used last, to ten minutes")
    state: Literal["active", "ended", "powerless"]


class ServiceAccountListing(Listing):
    """Service accounts, by name."""

    items: tuple[ServiceAccount, ...]


class ServiceAccountToken(Document):
    """A service account that was just made, with its token. Nobody can read the token again."""

    account: ServiceAccount
    token: str


class Leaving(Document):
    """What it means, or meant, that somebody leaves."""

    person: str
    role: str
    groups: tuple[str, ...] = Field(description="Groups whose data and shares are lost at once")
    servers: tuple[str, ...] = Field(description="Servers that are stopped")
    tickets: int = Field(description="Places in the queue that are given up")
    reservations: int
    service_accounts: tuple[str, ...] = Field(description="Service accounts that are revoked")
    datasets: int = Field(description="Datasets registered, which the heir gets, or nobody")
    models: int = Field(description="Models registered, which the heir gets, or nobody")
    heir: str | None = Field(default=None, description="Who gets the home; nobody: it is kept")
    left_at: datetime | None = Field(default=None, description="When it was done; null: it is not")
    words: tuple[str, ...] = Field(description="The same in sentences")


class ProviderChange(Document):
    """Something that one person gains or loses: a group, leading it, or a role."""

    person: str
    kind: Literal["group", "lead", "role"]
    name: str
    gains: bool
    sentence: str


class MappingForesight(Document):
    """Who would gain and lose what under a mapping of the provider's groups. Nothing was changed."""

    changes: tuple[ProviderChange, ...]
    unknown_groups: tuple[str, ...] = Field(description="Groups it names that are not here")
    unknown_roles: tuple[str, ...] = Field(description="Roles it names that are not here")
    notes: tuple[str, ...]


class Link(Document):
    """An operator's word: whoever the provider calls by this name is this person, at the next sign-in."""

    person: str
    provider_name: str
    until: datetime


class ProviderAccount(Document):
    """Whose a person is at a provider."""

    issuer: str
    subject: str
    name: str = Field(description="What the provider calls them now")
    confirmed_at: datetime


class ProviderAccounts(Document):
    """What the platform knows of a person from providers. ``groups`` are the provider's own."""

    person: str
    accounts: tuple[ProviderAccount, ...]
    groups: tuple[str, ...]
    confirmed_until: datetime | None
