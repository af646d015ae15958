"""Data sources: what they are, who may read them, what was proven of them, and what a server is lent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.sources import SourceKind, Verdict


class SourceField(Document):
    """One field of a source's form. ``when`` names another field, and the value with which this one is asked for."""

    name: str = Field(examples=["host"])
    label: str
    help: str
    type: Literal["text", "secret", "number", "choice", "switch", "long"] = "text"
    required: bool = False
    default: str | int | bool | None = None
    choices: tuple[tuple[str, str], ...] = Field(
        default=(), description="Values that can be chosen, each with its words"
    )
    placeholder: str = ""
    when: tuple[str, str] | None = None
    guarded: tuple[str, ...] = Field(
        default=(), description="Values that only those who manage all sources may choose"
    )


class SourceForm(Document):
    """One kind of source, and the fields that its form asks for."""

    kind: SourceKind
    title: str = Field(examples=["PostgreSQL"])
    fields: tuple[SourceField, ...]


class SourceFormListing(Listing):
    """Every kind of source that can be registered."""

    items: tuple[SourceForm, ...]


class Audience(Document):
    """Who may use something: everyone, or some groups and people. ``words`` says it in a sentence."""

    everyone: bool = False
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    words: str = Field(default="", examples=["group vision, analyst-1"])


class Proof(Document):
    """What was found when a write was tried with exactly the credentials that a user would get."""

    at: datetime
    verdict: Verdict
    tried: tuple[str, ...] = Field(default=(), description="Attempts and checks, in words")
    possible: tuple[str, ...] = Field(default=(), description="What a user could have written")
    problem: str = Field(default="", description="Why nothing could be shown")
    shared: bool = Field(
        default=False,
        description="Whether users are given the registered account itself, whose password they can read",
    )
    ends_within: int | None = Field(
        default=None,
        description="Seconds after which what was lent has ended everywhere once it is revoked; None: it does not, or nothing has shown when",
    )
    ending: str = Field(
        default="",
        description="The same in a sentence",
        examples=["Revoking ends it within a minute."],
    )


class Source(Document):
    """A database or object store.

    ``fields``, ``secrets``, ``audience`` and ``accepted_by`` are told to those who manage it. Secrets
    are never told, only the names of those that are set.
    """

    name: str = Field(examples=["warehouse"])
    kind: SourceKind
    kind_title: str = Field(examples=["PostgreSQL"])
    title: str = ""
    description: str = ""
    fields: dict[str, Any] | None = None
    secrets: tuple[str, ...] | None = None
    audience: Audience | None = None
    group: str | None = Field(default=None, description="The group whose leads manage it")
    enabled: bool
    revoked_at: datetime | None = Field(
        default=None, description="Since when servers that were promised it have lost it"
    )
    proof: Proof | None = Field(
        default=None, description="The last proof; None: there was none yet"
    )
    proven: bool = Field(description="Whether the last proof found it read-only")
    accepted_by: str | None = Field(
        default=None, description="Who accepted that it was not proven read-only"
    )
    accepted: bool = Field(
        default=False, description="Whether somebody accepted that it was not proven read-only"
    )
    caution: str = Field(
        default="",
        description="What its users can write, where that was accepted",
        examples=["Its users can write (insert into public.sales), which was accepted."],
    )
    shared: bool = Field(
        default=False,
        description="Whether its users can read the password of the registered account",
    )
    manages: bool = Field(description="Whether the caller may change it")
    usable: bool = Field(description="Whether the caller, or the server that asks, may read it now")
    grounds: Literal["granted", "promised", ""] = Field(
        default="", description="Why it is usable: granted now, or promised to this server"
    )
    obstacle: str = Field(default="", description="Why it is not usable, and what would help")
    held_by: tuple[str, ...] = Field(
        default=(),
        description="Servers that run and hold it, as person/server: told where one is asked for, to those who manage it",
    )
    declared: bool = Field(
        default=False,
        description="Whether a settings file declares it: told to those who manage it",
    )
    created_by: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    revision: int


class SourceListing(Listing):
    """Sources, by name."""

    items: tuple[Source, ...]


class SourceCheck(Document):
    """What testing the connection from the control plane found."""

    source: str
    at: datetime
    reached: bool
    words: str = Field(examples=["PostgreSQL 16.2 as reader; database sales."])
    remedy: str = ""


class SourceEntry(Document):
    """One thing found when browsing: a schema, table, column, prefix or file. ``size`` is in bytes."""

    name: str
    kind: str = Field(examples=["table"])
    path: tuple[str, ...] = Field(description="What leads to it from the source's root")
    holds: bool = Field(default=False, description="Whether it can be opened further")
    type: str = Field(default="", description="Of a column, in the source's own words")
    size: int | None = None
    rows: int | None = Field(default=None, description="An estimate")
    changed_at: datetime | None = None


class SourceContents(Document):
    """Some entries of one place, by name; ``next`` asks for those after them."""

    source: str
    path: tuple[str, ...]
    entries: tuple[SourceEntry, ...]
    next: str | None = None


class SourceCredential(Document):
    """What the asking server reads a source with until ``expires_at`` (None: it does not end by itself).

    Ask again before it ends. ``shared`` where it is the registered account itself.
    """

    source: str
    kind: SourceKind
    fields: dict[str, Any] = Field(repr=False)
    expires_at: datetime | None = None
    now: datetime = Field(
        description="The control plane's clock when it answered: a life is counted by it"
    )
    shared: bool = False
