"""Data sources: databases and object stores that people may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class SourceKind(StrEnum):
    """What a source is. :mod:`allotment.data.kinds` has a module for each."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    ORACLE = "oracle"
    SNOWFLAKE = "snowflake"
    SQLITE = "sqlite"
    S3 = "s3"
    AZURE = "azure"
    GCS = "gcs"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who may use something: everyone, or some groups and people."""

    everyone: bool = False
    groups: tuple[str, ...] = ()
    people: tuple[str, ...] = ()

    def admits(self, person: str, groups: Collection[str]) -> bool:
        """Whether this person, in these groups now, is among them."""
        return self.everyone or person in self.people or not set(groups).isdisjoint(self.groups)

    @property
    def words(self) -> str:
        """Who they are, in words."""
        if self.everyone:
            return "everyone"
        return ", ".join([*(f"group {name}" for name in self.groups), *self.people]) or "nobody"


NOBODY = Audience()


class Verdict(StrEnum):
    """What trying to write has shown."""

    READ_ONLY = "read-only"
    """Every write that was tried was refused, and no privilege to write was found."""
    WRITABLE = "writable"
    """A user could write, or holds a privilege to."""
    UNPROVEN = "unproven"
    """It could not be tried: the source did not answer, or its kind cannot tell."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found when a write was tried with exactly the credentials that a user would get.

    ``tried`` are the attempts and checks in words; ``possible`` what a user could have written,
    empty unless the verdict is *writable*; ``problem`` why nothing could be shown. ``shared`` is
    whether users are given the registered account itself, whose password they can then read.
    ``ends_within`` is after how many seconds at most what was lent has ended everywhere once it is
    revoked, as trying has shown; None where it does not end, or nothing has shown when.
    """

    at: datetime
    verdict: Verdict
    tried: tuple[str, ...] = ()
    possible: tuple[str, ...] = ()
    problem: str = ""
    shared: bool = False
    ends_within: int | None = None

    @property
    def ending(self) -> str:
        """When revoking ends what was lent, as a sentence; empty where nothing has shown when."""
        if self.shared:
            return "Revoking does not end it: the registered account itself is lent."
        if self.ends_within is None:
            return ""
        minutes = -(-self.ends_within // 60)
        known = {1: "a minute", 60: "an hour"}
        return f"Revoking ends it within {known.get(minutes, f'{minutes} minutes')}."


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bucket or container: the one object with this key, or all whose keys begin so."""

    key: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it is registered. Its secrets are kept apart, encrypted; only their names are here.

    ``fields`` are the form's fields that are no secrets, ``secrets`` the names of those that are set.
    ``group`` is the group whose leads manage it, None where only custodians and operators do.
    ``accepted_by`` is who accepted a proof that is not *read-only*; ``revoked_at`` since when servers
    that were promised it have lost it.
    """

    name: str
    kind: SourceKind
    title: str = ""
    description: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    audience: Audience = NOBODY
    group: str | None = None
    enabled: bool = True
    revoked_at: datetime | None = None
    proof: Proof | None = None
    accepted_by: str | None = None
    created_by: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    revision: int = 1

    @property
    def usable(self) -> bool:
        """Whether its proof lets people use it: read-only, or accepted by somebody who may."""
        proven = self.proof is not None and self.proof.verdict is Verdict.READ_ONLY
        return proven or self.accepted_by is not None

    def caution(self, users: str = "Its users") -> str:
        """That and what these users can write, where that was accepted, as a sentence; else empty."""
        proof = self.proof
        if self.accepted_by is None or (proof and proof.verdict is Verdict.READ_ONLY):
            return ""
        if proof is not None and proof.verdict is Verdict.WRITABLE:
            return f"{users} can write ({'; '.join(proof.possible)}), which was accepted."
        return f"Nothing shows that {users[0].lower()}{users[1:]} cannot write, which was accepted."


@dataclass(frozen=True, slots=True)
class Credential:
    """What a server is given to read a source with, until ``expires_at`` (None: it does not end by itself).

    ``shared`` where it is the registered account itself, whose password its user can read.
    ``account`` is what was made for it in the source and must be dropped at its end. ``wider`` where it
    opens more than the parts of the source that were asked for: it is for those who may use all of it.
    """

    fields: Mapping[str, Any] = field(repr=False)
    expires_at: datetime | None = None
    shared: bool = False
    account: str | None = None
    wider: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing found when browsing: a schema, table, column, prefix or file.

    ``path`` leads to it from the source's root; ``size`` is in bytes and ``rows`` an estimate, where
    the source tells them cheaply. ``holds`` is whether it can be opened further.
    """

    name: str
    kind: str
    path: tuple[str, ...]
    holds: bool = False
    type: str = ""
    size: int | None = None
    rows: int | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Browsed:
    """Some entries of one place, by name; ``next`` asks for those after them."""

    entries: tuple[Entry, ...]
    next: str | None = None
