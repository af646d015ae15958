"""Published profiles: the last good version of each file, and what is wrong with a file now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from allotment.model.profiles import Profile
from allotment.record import releases
from allotment.record.engine import Reading, Writing
from allotment.record.rows import bump, for_change, named
from allotment.record.schema import profiles


@dataclass(frozen=True, slots=True)
class PublishedProfile:
    """A profile of the record. ``profile`` is None where no version of the file was ever good."""

    name: str
    profile: Profile | None
    source: str
    digest: str
    problem: str
    enabled: bool
    retired: bool
    revision: int

    @property
    def offered(self) -> bool:
        """Whether new servers can have it."""
        return self.enabled and not self.retired and self.profile is not None


def _from_row(row: sa.Row[Any]) -> PublishedProfile:
    profile = None if row.document is None else Profile.model_validate(row.document)
    return PublishedProfile(
        row.name,
        profile,
        row.source,
        row.digest,
        row.problem,
        row.enabled,
        row.retired,
        row.revision,
    )


def all_profiles(reading: Reading) -> tuple[PublishedProfile, ...]:
    """Every profile that a file ever published, by name; retired ones too."""
    return tuple(
        _from_row(row) for row in reading.all(sa.select(profiles).order_by(profiles.c.name))
    )


def get(reading: Reading, name: str) -> PublishedProfile:
    """One profile.

    Raises:
        NotFound: no file ever published it.
    """
    return _from_row(named(reading, profiles, "profile", name))


def publish(writing: Writing, profile: Profile, source: str, digest: str) -> None:
    """Put a good version in force. ``source`` is its file, ``digest`` the SHA-256 of the file's bytes."""
    document = profile.model_dump(mode="json")
    values = {
        "document": document,
        "device_count": profile.devices,
        "source": source,
        "digest": digest,
        "problem": "",
        "retired": False,
    }
    row = writing.first(sa.select(profiles).where(profiles.c.name == profile.name))
    before = None if row is None or row.document is None else Profile.model_validate(row.document)
    releases.note(writing, profile, before)
    if row is None:
        writing.run(profiles.insert().values(name=profile.name, enabled=True, **values))
        writing.event("profile.published", profile.name, after=document)
    elif (row.document, row.problem, row.retired, row.digest, row.source) != (
        document,
        "",
        False,
        digest,
        source,
    ):
        bump(writing, profiles, profile.name, **values)
        writing.event("profile.published", profile.name, before=row.document, after=document)


def mark_broken(writing: Writing, name: str, source: str, digest: str, problem: str) -> None:
    """Say what is wrong with a profile's file; its last good version stays in force."""
    row = writing.first(sa.select(profiles).where(profiles.c.name == name))
    values = {"source": source, "digest": digest, "problem": problem}
    if row is None:
        writing.run(
            profiles.insert().values(
                name=name, document=None, enabled=True, retired=False, **values
            )
        )
    elif (row.problem, row.digest) == (problem, digest):
        return
    else:
        bump(writing, profiles, name, retired=False, **values)
    writing.event("profile.broken", name, after={"source": source, "problem": problem})


def retire(writing: Writing, name: str) -> None:
    """Withdraw a profile whose file is gone. Servers that run with it keep what they were promised."""
    row = named(writing, profiles, "profile", name)
    if not row.retired:
        bump(writing, profiles, name, retired=True)
        writing.event("profile.retired", name, before={"source": row.source})


def set_enabled(
    writing: Writing, name: str, *, enabled: bool, revision: int | None = None
) -> PublishedProfile:
    """Offer a profile to new servers, or no longer. Servers that run with it keep it.

    Raises:
        NotFound, RevisionStale: as ever.
    """
    row = for_change(writing, profiles, "profile", name, revision)
    if row.enabled != enabled:
        bump(writing, profiles, name, enabled=enabled)
        writing.event(
            "profile.enabled" if enabled else "profile.disabled",
            name,
            before={"enabled": row.enabled},
            after={"enabled": enabled},
        )
    return get(writing, name)
