"""Homes: what is kept of a person's files when they have no server any more, for how long, and what then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class HomeEnd(StrEnum):
    """What becomes of a home that nobody used for so long."""

    REMOVE = "remove"
    ARCHIVE = "archive"
    """It is packed into a file, which is read back, before the home goes."""

    @property
    def words(self) -> str:
        """What happens to the home, in words."""
        return "packed away" if self is HomeEnd.ARCHIVE else "removed"


@dataclass(frozen=True, slots=True)
class HomeTerms:
    """How long homes are kept without a server. ``keep`` None: for ever. ``warn`` is how long before people are told."""

    keep: timedelta | None = None
    warn: timedelta = timedelta(days=14)
    then: HomeEnd = HomeEnd.REMOVE


@dataclass(frozen=True, slots=True)
class FoundHome:
    """A home as it is found where homes are. ``size`` is what a claim of storage asked for, in bytes."""

    place: str
    person: str
    size: int | None = None
    server: str | None = None
    """The one server whose home it is; None: all servers of its person share it."""
    uid: str = ""
    """What tells it from an earlier or later one of the same name; empty where the name alone does."""


@dataclass(frozen=True, slots=True)
class Home:
    """A home as the record knows it. ``place`` is its name on its hub: a folder's, or a claim's of storage.

    ``unused_since`` is None while its person has a server there. ``asked`` is what an operator wants
    done with it, and ``problem`` why that, or its end, could not be done.
    """

    hub: str
    place: str
    person: str
    size: int | None = None
    server: str | None = None
    unused_since: datetime | None = None
    keep_until: datetime | None = None
    ends_at: datetime | None = None
    warned_at: datetime | None = None
    asked: HomeEnd | None = None
    asked_by: str = ""
    problem: str = ""
    heir: str | None = None
    """Who is to get it: its person has left. It is kept until somebody has moved it."""
    let_go: bool = False
    """Whether its hub has ended what it had of its person who left: what it could move it has moved."""

    @property
    def used(self) -> bool:
        """Whether its person has a server there."""
        return self.unused_since is None


@dataclass(frozen=True, slots=True)
class Packed:
    """What is in an archive: its size in bytes, and how many files, folders and links it holds."""

    size: int
    entries: int


class ArchiveAsk(StrEnum):
    """What an operator wants done with an archive."""

    RESTORE = "restore"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Archive:
    """A home that was packed away. ``file`` is its name where archives are kept."""

    id: str
    hub: str
    place: str
    person: str
    file: str
    size: int
    entries: int
    made_at: datetime
    made_by: str
    restored_at: datetime | None = None
    asked: ArchiveAsk | None = None
    asked_by: str = ""
    problem: str = ""
