"""Versions of datasets, and the targets that keep them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.sources import SourceField
from allotment.model.versions import ContentsKind, MetadataKind, VersionState


class VersionTarget(Document):
    """Where versions are kept. ``metadata``, ``contents`` and ``secrets`` (names only) are told to those who may change it."""

    name: str = Field(examples=["history"])
    title: str = ""
    metadata_kind: MetadataKind
    contents_kind: ContentsKind
    metadata: dict[str, Any] | None = None
    contents: dict[str, Any] | None = None
    secrets: tuple[str, ...] | None = None
    enabled: bool
    tested_at: datetime | None = None
    problem: str = Field(default="", description="What its last test found; empty: it went well")
    revision: int


class VersionTargetListing(Listing):
    """Targets, by name."""

    items: tuple[VersionTarget, ...]


class TargetForm(Document):
    """One kind of one half of a target, and the fields that its form asks for."""

    part: Literal["metadata", "contents"]
    kind: str = Field(examples=["git"])
    fields: tuple[SourceField, ...]


class TargetFormListing(Listing):
    """Every kind of both halves of a target."""

    items: tuple[TargetForm, ...]


class TargetCheck(Document):
    """What testing a target found."""

    target: str
    at: datetime
    reached: bool
    words: str


class Unneeded(Document):
    """What of one dataset or model lies in a target and is needed by nothing; ``size`` in bytes."""

    label: str = Field(examples=["dataset sales"])
    files: int
    size: int
    removed: int = Field(default=0, description="How many of the files are gone")
    problem: str = Field(default="", description="Why nothing is told or removed of it")


class TargetCleaning(Document):
    """What a target keeps beside what versions, commits under way and models need."""

    target: str
    items: tuple[Unneeded, ...]
    complete: bool = Field(
        default=True, description="Whether all was looked at; otherwise ask again for the rest"
    )


class VersionFile(Document):
    """One file of a version: its path within the dataset, bytes, and the MD5 that names its contents."""

    path: str
    size: int
    md5: str


class Version(Document):
    """One version of a dataset, numbered from 1 in the order of commits. ``done`` and ``total`` are bytes of a commit under way.

    ``contents`` is told where one version is asked for.
    """

    dataset: str
    number: int
    state: VersionState
    message: str
    committed_by: str
    at: datetime
    target: str
    space: str = Field(
        default="",
        description="What its dataset is called in the target: DVC reads datasets/SPACE, revision SPACE/v1",
    )
    commit: str = ""
    tags: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    rows: int | None = None
    done: int = 0
    total: int = 0
    problem: str = ""
    contents: tuple[VersionFile, ...] | None = None


class VersionListing(Listing):
    """Versions of one dataset, the newest first."""

    items: tuple[Version, ...]


class VersionDifference(Document):
    """What is different in version ``after`` from version ``before``, by the files' paths."""

    dataset: str
    before: int
    after: int
    added: tuple[VersionFile, ...]
    removed: tuple[VersionFile, ...]
    changed: tuple[VersionFile, ...]
    rows: int | None = Field(
        default=None, description="Rows more or, negative, fewer, where both versions know theirs"
    )
