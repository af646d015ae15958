"""Versions of datasets, and the targets that keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class MetadataKind(StrEnum):
    """Where the history of versions is kept."""

    FOLDER = "folder"
    GIT = "git"


class ContentsKind(StrEnum):
    """Where the files of versions are kept."""

    FOLDER = "folder"
    S3 = "s3"
    GCS = "gcs"


@dataclass(frozen=True, slots=True)
class VersionTarget:
    """Where versions are kept, set up by an operator. Secrets are kept apart, encrypted.

    ``metadata`` and ``contents`` are the fields that are no secrets; ``secrets`` the names of those
    that are set. ``problem`` is what its last test found, empty where it went well.
    """

    name: str
    metadata_kind: MetadataKind
    contents_kind: ContentsKind
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    enabled: bool = True
    tested_at: datetime | None = None
    problem: str = ""
    revision: int = 1


class VersionState(StrEnum):
    """How far a commit is."""

    COMMITTING = "committing"
    COMMITTED = "committed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a dataset: its number counts from 1 in the order of commits.

    ``space`` is its dataset's place within the target; ``commit`` is what the target calls it.
    ``done`` and ``total`` are bytes of a commit under way, ``token`` known to who carries it out.
    ``source`` and ``opened_by`` are those of the dataset when it was committed.
    """

    dataset: str
    number: int
    state: VersionState
    message: str
    committed_by: str
    at: datetime
    target: str
    space: str
    commit: str = ""
    tags: tuple[str, ...] = ()
    files: int = 0
    size: int = 0
    rows: int | None = None
    done: int = 0
    total: int = 0
    problem: str = ""
    source: str | None = None
    opened_by: str | None = None
    token: str = ""


@dataclass(frozen=True, slots=True)
class VersionFile:
    """One file of a version: its path within the dataset, size in bytes, and the MD5 that names its contents."""

    path: str
    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class VersionDifference:
    """What is different in ``after`` from ``before``, by the files' paths."""

    before: int
    after: int
    added: tuple[VersionFile, ...]
    removed: tuple[VersionFile, ...]
    changed: tuple[VersionFile, ...]
    rows: int | None = None
    """Rows more (or, negative, fewer), where both versions know theirs."""
