"""Datasets: files that were registered under a name, with what was read of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from allotment.model.sources import NOBODY, Audience

MOST_ATTACHMENTS = 20
"""Documents beside one dataset."""


class FileFormat(StrEnum):
    """How a dataset's files are written."""

    PARQUET = "parquet"
    CSV = "csv"


class PrivacyLabel(StrEnum):
    """What its contents are about."""

    PUBLIC = "public"
    """Everybody may know that it exists, and what is in it."""
    INTERNAL = "internal"
    """Who may use it sees it; others do not know of it."""
    PERSONAL = "personal"
    """Data about people: never shared with everyone, only with groups and people by name."""


@dataclass(frozen=True, slots=True)
class DatasetColumn:
    """A column and its Arrow type, in Arrow's words (``int64``, ``timestamp[us, tz=UTC]``)."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that cannot be used, and why."""

    uri: str
    problem: str


@dataclass(frozen=True, slots=True)
class DatasetReading:
    """What was read of the files, at ``at``. ``rows`` are exact for Parquet, estimated for CSV.

    ``options`` are how a CSV is read (delimiter, quote, header, encoding …), detected and overridden.
    ``problems`` are files that were passed over; a dataset with any is not registered.
    """

    at: datetime
    columns: tuple[DatasetColumn, ...]
    rows: int | None
    rows_exact: bool
    size: int
    files: int
    options: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[FileProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document beside a dataset: never opened here, only kept and handed out.

    ``size`` in bytes; ``key`` is what its bytes are kept under, and no other document's ever.
    """

    name: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime
    key: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as it is registered.

    ``uris`` name files, prefixes (ending in ``/``) or patterns; ``source`` is the source through
    which they are read, None for files below the platform's own data folders. ``target`` is where its
    versions are kept, None as long as it has none; ``version`` the number of the newest committed one.
    ``space`` is its own place within a target, which the record makes: no other dataset ever has it, also
    none of the same name. ``cleanings`` counts how often contents were taken out of it.
    ``opened_by`` is who manages the source and opened the files for the dataset's own audience; None: who
    loads it must be allowed the source, too.
    """

    name: str
    uris: tuple[str, ...]
    format: FileFormat
    title: str = ""
    description: str = ""
    source: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    label: PrivacyLabel = PrivacyLabel.INTERNAL
    audience: Audience = NOBODY
    group: str | None = None
    enabled: bool = True
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    reading: DatasetReading | None = None
    target: str | None = None
    version: int | None = None
    space: str = ""
    cleanings: int = 0
    opened_by: str | None = None
    attachments: tuple[Attachment, ...] = ()
    created_by: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    revision: int = 1
