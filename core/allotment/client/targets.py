"""Targets: where versions of datasets, and models' files, are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import (
    TargetCheck,
    TargetCleaning,
    TargetFormListing,
    VersionTarget,
    VersionTargetListing,
)


class Targets:
    """``client.targets``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def forms(self) -> TargetFormListing:
        """Every kind of both halves of a target, with the fields that their forms ask for."""
        return self._connection.read(TargetFormListing, "/target-kinds")

    def all(self) -> VersionTargetListing:
        """Targets, by name."""
        return self._connection.read_all(VersionTargetListing, "/targets")

    def get(self, name: str) -> VersionTarget:
        """One target."""
        return self._connection.read(VersionTarget, _path(name))

    def create(
        self,
        name: str,
        *,
        metadata_kind: str,
        metadata: Mapping[str, Any],
        contents_kind: str,
        contents: Mapping[str, Any],
        title: str = "",
    ) -> VersionTarget:
        """Set a target up; it is tested first. Secrets are among the fields of metadata and contents."""
        body = {
            "name": name,
            "title": title,
            "metadata_kind": str(metadata_kind),
            "metadata": dict(metadata),
            "contents_kind": str(contents_kind),
            "contents": dict(contents),
        }
        return self._connection.send(VersionTarget, "POST", "/targets", body)

    def edit(self, name: str, *, revision: Revision, **fields: Any) -> VersionTarget:
        """Change what is given: ``title``, ``enabled``, ``metadata``, ``contents``; of the last two what is left out stays."""
        return self._connection.send(VersionTarget, "PATCH", _path(name), fields, revision=revision)

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete a target that keeps nothing."""
        self._connection.delete(_path(name), revision=revision)

    def check(self, name: str) -> TargetCheck:
        """Test a target: write something to it and take it away again."""
        return self._connection.send(TargetCheck, "POST", f"{_path(name)}/check")

    def leftovers(self, name: str) -> TargetCleaning:
        """What cleaning a target would remove: what no version, commit under way or model needs."""
        return self._connection.read(TargetCleaning, f"{_path(name)}/leftovers")

    def clean(self, name: str) -> TargetCleaning:
        """Remove it, for some twenty seconds; ask again where that was not complete."""
        return self._connection.send(TargetCleaning, "POST", f"{_path(name)}/clean")


def _path(name: str) -> str:
    return f"/targets/{segment(name)}"
