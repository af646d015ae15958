"""Models that people registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from allotment.client.connection import Connection
from allotment.client.paths import segment
from allotment.client.sources import audience_body
from allotment.model.documents import RegisteredModel, RegisteredModelListing
from allotment.model.sources import Audience


class Models:
    """``client.models``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> RegisteredModelListing:
        """Own models and those shared with the caller, by name and version."""
        return self._connection.read_all(RegisteredModelListing, "/models")

    def get(self, name: str, version: str) -> RegisteredModel:
        """One version of a model."""
        return self._connection.read(RegisteredModel, _path(name, version))

    def create(
        self,
        name: str,
        version: str,
        *,
        metrics: Mapping[str, float] | None = None,
        datasets: Sequence[str] = (),
        audience: Audience | None = None,
        **more: Any,
    ) -> RegisteredModel:
        """Register a version of a model.

        ``more``: ``uri`` where it lies, or ``target`` that is to keep its file (:meth:`upload`), and
        ``description``. ``datasets`` are the dataset versions that it came from, as ``name@number``.
        No audience: the caller.
        """
        body: dict[str, object] = {
            "name": name,
            "version": version,
            "metrics": dict(metrics or {}),
            "datasets": list(datasets),
            **more,
        }
        if audience is not None:
            body["audience"] = audience_body(audience)
        return self._connection.send(RegisteredModel, "POST", "/models", body)

    def share(self, name: str, version: str, audience: Audience) -> RegisteredModel:
        """Say who may load a version of a model, beside whoever registered it."""
        path = f"{_path(name, version)}/audience"
        return self._connection.send(RegisteredModel, "PUT", path, audience_body(audience))

    def delete(self, name: str, version: str) -> None:
        """Forget a version of a model, and the file that a target keeps of it."""
        self._connection.delete(_path(name, version))

    def upload(self, name: str, version: str, file: Path) -> RegisteredModel:
        """Send a model's file for its target to keep."""
        path = f"{_path(name, version)}/file"
        # An open file rather than pieces of it: its length is told first, and room is kept for it.
        with file.open("rb") as opened:
            return self._connection.keep(RegisteredModel, path, opened, name=file.name)

    def download(self, name: str, version: str, into: Path) -> Path:
        """Write a model's kept file to ``into``; returns it."""
        with self._connection.fetch(f"{_path(name, version)}/file") as pieces:
            _write(pieces, into)
        return into


def _path(name: str, version: str) -> str:
    return f"/models/{segment(name)}/{segment(version)}"


def _write(pieces: Iterable[bytes], into: Path) -> None:
    """Write all pieces; where one is missing, the file is not left behind."""
    begun = into.with_name(f"{into.name}.part")
    try:
        with begun.open("wb") as opened:
            for piece in pieces:
                opened.write(piece)
        begun.replace(into)
    finally:
        begun.unlink(missing_ok=True)
