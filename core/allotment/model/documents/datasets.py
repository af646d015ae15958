"""Datasets: files registered under a name, what was read of them, and how a server opens them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from allotment.model.datasets import FileFormat, PrivacyLabel
from allotment.model.documents.document import Document, Listing
from allotment.model.documents.sources import Audience
from allotment.model.sources import SourceKind


class DatasetColumn(Document):
    """A column and its Arrow type, in Arrow's words."""

    name: str
    type: str = Field(examples=["timestamp[us, tz=UTC]"])
    nullable: bool = True


class FileProblem(Document):
    """A file that cannot be used, and why."""

    uri: str
    problem: str


class DatasetReading(Document):
    """What was read of the files. ``rows`` are exact for Parquet and estimated for CSV; ``size`` is in bytes."""

    at: datetime
    columns: tuple[DatasetColumn, ...] = Field(description="In lists the first 200 of them")
    width: int | None = Field(default=None, description="How many columns there are")
    rows: int | None = None
    rows_exact: bool = False
    size: int
    files: int
    options: dict[str, Any] = Field(default_factory=dict)
    problems: tuple[FileProblem, ...] = ()


class Attachment(Document):
    """A document beside a dataset. ``size`` is in bytes."""

    name: str
    size: int
    sha256: str
    added_by: str
    added_at: datetime


class Dataset(Document):
    """A dataset. ``audience`` is told to those who manage it, ``uris`` to those who may use it."""

    name: str = Field(examples=["sales"])
    title: str = ""
    description: str = ""
    uris: tuple[str, ...] = ()
    format: FileFormat
    options: dict[str, Any] = Field(
        default_factory=dict, description="How a CSV is read where that was said"
    )
    source: str | None = None
    label: PrivacyLabel
    audience: Audience | None = None
    group: str | None = Field(default=None, description="The group whose leads manage it")
    enabled: bool
    revoked_at: datetime | None = None
    reading: DatasetReading | None = None
    target: str | None = Field(default=None, description="Where its versions are kept")
    version: int | None = Field(default=None, description="Its newest committed version")
    promised_version: int | None = Field(
        default=None, description="The version that was current when the asking server started"
    )
    attachments: tuple[Attachment, ...] = ()
    manages: bool = Field(description="Whether the caller may change it")
    usable: bool = Field(description="Whether the caller, or the server that asks, may load it now")
    grounds: Literal["granted", "promised", ""] = ""
    obstacle: str = Field(default="", description="Why it is not usable, and what would help")
    caution: str = Field(
        default="",
        description="What users of its source can write, where that was accepted: the files may change under its readers",
    )
    opened: bool = Field(
        default=False,
        description="Whether its audience loads it without being allowed its source: who manages that has said so",
    )
    held_by: tuple[str, ...] = Field(
        default=(),
        description="Servers that run and hold it, as person/server: told where one is asked for, to those who manage it",
    )
    created_by: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    revision: int


class DatasetListing(Listing):
    """Datasets, by name."""

    items: tuple[Dataset, ...]


class DatasetFile(Document):
    """One file to read: its path within the dataset, where it lies, and its bytes where that is known."""

    path: str
    uri: str
    size: int | None = None


class DatasetStorage(Document):
    """How the files are opened, until ``expires_at`` (None: it does not end by itself).

    ``kind`` says which store it is and with that what ``fields`` are, as for a source's credential;
    ``source`` is the source that lends it, None where the platform's own folders or a target do.
    """

    kind: SourceKind
    source: str | None = None
    fields: dict[str, Any] = Field(default_factory=dict, repr=False)
    expires_at: datetime | None = None
    now: datetime = Field(
        description="The control plane's clock when it answered: a life is counted by it"
    )
    shared: bool = False


class DatasetAccess(Document):
    """Everything that a server needs to load a dataset. Ask again before the storage's end."""

    dataset: str
    version: int | None = Field(default=None, description="None: the files as they are now")
    format: FileFormat
    options: dict[str, Any] = Field(default_factory=dict)
    columns: tuple[DatasetColumn, ...] = ()
    partitions: tuple[DatasetColumn, ...] = Field(
        default=(), description="Columns that folders named key=value say, and not the files"
    )
    rows: int | None = None
    files: tuple[DatasetFile, ...]
    storage: DatasetStorage
