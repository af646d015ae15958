"""Versions of datasets."""

from __future__ import annotations

from datetime import datetime

from allotment.client.connection import Connection
from allotment.client.datasets import VersionName, dataset_path
from allotment.client.paths import segment
from allotment.model.documents import Version, VersionDifference, VersionListing


class Versions:
    """``client.versions``. A version is named by its number, a tag, or a moment (the newest before it)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, dataset: str) -> VersionListing:
        """Versions of a dataset, the newest first."""
        return self._connection.read_all(VersionListing, f"{dataset_path(dataset)}/versions")

    def get(self, dataset: str, version: VersionName) -> Version:
        """One version with its files; while it is being committed, how far that is."""
        return self._connection.read(Version, version_path(dataset, version))

    def commit(self, dataset: str, message: str) -> Version:
        """Begin a version of the files as they are now.

        Read it again with :meth:`get` until its state is no longer *committing*.
        """
        path = f"{dataset_path(dataset)}/versions"
        return self._connection.send(Version, "POST", path, {"message": message})

    def difference(
        self, dataset: str, version: VersionName, *, before: VersionName | None = None
    ) -> VersionDifference:
        """What is different from an earlier version; None: the one before."""
        named = None if before is None else _named(before)
        path = f"{version_path(dataset, version)}/difference"
        return self._connection.read(VersionDifference, path, **{"from": named})

    def tag(self, dataset: str, version: VersionName, tag: str) -> Version:
        """Give a version a name; another version that has it loses it."""
        path = f"{version_path(dataset, version)}/tags/{segment(tag)}"
        return self._connection.send(Version, "PUT", path)

    def untag(self, dataset: str, version: VersionName, tag: str) -> None:
        """Take a name away from a version."""
        self._connection.delete(f"{version_path(dataset, version)}/tags/{segment(tag)}")


def version_path(dataset: str, version: VersionName) -> str:
    """Where a version is asked."""
    return f"{dataset_path(dataset)}/versions/{segment(_named(version))}"


def _named(version: VersionName) -> str:
    return version.isoformat() if isinstance(version, datetime) else str(version)
