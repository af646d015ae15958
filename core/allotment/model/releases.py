"""Releases: the versions of software that a profile has named, and what a server runs of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allotment.model.profiles import Profile


@dataclass(frozen=True, slots=True)
class Build:
    """What tells one release from another: its version, and where it comes from."""

    version: str = ""
    image: str = ""
    python_environment: str = ""

    @property
    def words(self) -> str:
        """What people call it: its version, else its image or folder."""
        return self.version or self.image or self.python_environment or "without a version"


@dataclass(frozen=True, slots=True)
class Line:
    """Whose releases: a profile's, and the choice of software within it; empty where it leaves none."""

    profile: str
    software: str = ""

    @property
    def name(self) -> str:
        """What events, mails and pages call it: ``profile``, or ``profile/software``."""
        return f"{self.profile}/{self.software}" if self.software else self.profile

    @classmethod
    def named(cls, name: str) -> Line:
        """The line of a :attr:`name`."""
        profile, _, software = name.partition("/")
        return cls(profile, software)


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a line. ``number`` counts them from 1; ``at`` is when it was published."""

    line: Line
    number: int
    build: Build
    notes: str
    at: datetime
    update_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """What a server would get by a reset: ``missed`` are the releases since its own, newest first.

    ``by`` is when it is stopped otherwise; None: nobody has to update.
    """

    runs: Build
    missed: tuple[Release, ...]
    by: datetime | None

    @property
    def newest(self) -> Release:
        """What it would run."""
        return self.missed[0]

    @property
    def words(self) -> str:
        """One sentence for its user."""
        return f"It runs {self.runs.words}; {self.newest.build.words} is there."

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What changed: version and notes of each missed release that says something."""
        return tuple((one.build.words, one.notes) for one in self.missed if one.notes)


def offered(profile: Profile) -> dict[Line, tuple[Build, str, datetime | None]]:
    """What a profile names now: of each line its build, its notes, and its date."""
    if not profile.software:
        line = Line(profile.name)
        build = Build(profile.version, profile.image or "")
        return {line: (build, profile.notes, profile.update_by)}
    return {
        Line(profile.name, one.name): (
            Build(one.version, one.image or profile.image or "", one.python_environment or ""),
            one.notes,
            one.update_by,
        )
        for one in profile.software
    }


def promised(profile: str, terms: Mapping[str, Any]) -> tuple[Line, Build]:
    """What a server of a profile was promised to run, by its allotment's terms."""
    size: Mapping[str, Any] = terms.get("profile") or {}
    chosen: Mapping[str, Any] = terms.get("software") or {}
    said = chosen or size
    build = Build(
        str(said.get("version") or ""),
        str(chosen.get("image") or size.get("image") or ""),
        str(chosen.get("python_environment") or ""),
    )
    return Line(profile, str(chosen.get("name") or "")), build
