"""Datasets: registered, read, attached to, and opened by the server that asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.client.sources import audience_body
from allotment.model.documents import Dataset, DatasetAccess, DatasetListing
from allotment.model.sources import Audience

VersionName = int | str | datetime
"""A version by its number, its tag, the moment (the newest before it), or ``"promised"``."""
_READING = 180.0
"""Seconds to wait where files are listed and read: the control plane ends that after two minutes."""


class Datasets:
    """``client.datasets``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reading = connection.patient(_READING)

    def all(self) -> DatasetListing:
        """Datasets that the caller manages or may use, and public ones, by name."""
        return self._connection.read_all(DatasetListing, "/datasets")

    def get(self, name: str) -> Dataset:
        """One dataset."""
        return self._connection.read(Dataset, dataset_path(name))

    def create(
        self, name: str, uris: Sequence[str], *, audience: Audience | None = None, **more: Any
    ) -> Dataset:
        """Register files under a name; they are read at once.

        ``more``: ``format`` (else it is told by the files' names), ``source`` (else the one that
        covers the URIs), ``title``, ``description``, ``options``, ``label``, ``group``, ``target``.
        No audience: the caller.
        """
        body = {"name": name, "uris": list(uris), **more}
        return self._reading.send(Dataset, "POST", "/datasets", _with(body, audience))

    def edit(
        self, name: str, *, revision: Revision, audience: Audience | None = None, **more: Any
    ) -> Dataset:
        """Change what is given (as for :meth:`create`, and ``enabled``). Files are read again where that needs it."""
        return self._reading.send(
            Dataset, "PATCH", dataset_path(name), _with(more, audience), revision=revision
        )

    def delete(self, name: str, *, revision: Revision) -> None:
        """Forget a dataset, its attachments and versions. Its files stay where they are."""
        self._connection.delete(dataset_path(name), revision=revision)

    def read(self, name: str) -> Dataset:
        """Have its files read again, now."""
        return self._reading.send(Dataset, "POST", f"{dataset_path(name)}/read")

    def revoke(self, name: str) -> Dataset:
        """Disable a dataset and take it back at once from every server that was promised it."""
        return self._connection.send(Dataset, "POST", f"{dataset_path(name)}/revoke")

    def access(
        self, name: str, version: VersionName | None = None, *, files: bool = True
    ) -> DatasetAccess:
        """What this server needs to load a dataset. Only a server's own token can ask.

        Without ``files`` they are not listed: it only renews what opens them.
        """
        named = version.isoformat() if isinstance(version, datetime) else version
        body: dict[str, Any] = {} if named is None else {"version": named}
        body |= {} if files else {"files": False}
        return self._reading.send(DatasetAccess, "POST", f"{dataset_path(name)}/access", body)

    def attach(self, name: str, attachment: str, content: bytes) -> Dataset:
        """Keep a document beside a dataset, in place of one of the same name."""
        return self._connection.keep(Dataset, _attachment(name, attachment), content)

    def attachment(self, name: str, attachment: str) -> bytes:
        """A document that is kept beside a dataset."""
        return self._connection.request("GET", _attachment(name, attachment)).content

    def detach(self, name: str, attachment: str) -> None:
        """Keep a document no longer."""
        self._connection.delete(_attachment(name, attachment))


def dataset_path(name: str) -> str:
    """Where a dataset is asked."""
    return f"/datasets/{segment(name)}"


def _attachment(name: str, attachment: str) -> str:
    return f"{dataset_path(name)}/attachments/{segment(attachment)}"


def _with(body: dict[str, Any], audience: Audience | None) -> dict[str, Any]:
    return body if audience is None else body | {"audience": audience_body(audience)}
