"""Data sources: registered, proven, browsed, and lent to the server that asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import (
    Source,
    SourceCheck,
    SourceContents,
    SourceCredential,
    SourceFormListing,
    SourceListing,
)
from allotment.model.sources import Audience


class Sources:
    """``client.sources``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def forms(self) -> SourceFormListing:
        """Every kind of source, with the fields that its form asks for."""
        return self._connection.read(SourceFormListing, "/source-kinds")

    def all(self) -> SourceListing:
        """Sources that the caller manages or may use, by name; with a server's own token those that it may use."""
        return self._connection.read_all(SourceListing, "/sources")

    def get(self, name: str) -> Source:
        """One source."""
        return self._connection.read(Source, _path(name))

    def create(
        self,
        name: str,
        kind: str,
        fields: Mapping[str, Any],
        *,
        audience: Audience | None = None,
        **more: Any,
    ) -> Source:
        """Register a source and have it proven. ``fields`` are those of its kind's form, secrets among them.

        ``more``: ``title``, ``description``, ``group``, ``enabled``.
        """
        body = {"name": name, "kind": str(kind), "fields": dict(fields), **more}
        return self._connection.send(Source, "POST", "/sources", _with(body, audience))

    def edit(
        self,
        name: str,
        *,
        revision: Revision,
        fields: Mapping[str, Any] | None = None,
        audience: Audience | None = None,
        **more: Any,
    ) -> Source:
        """Change what is given (as for :meth:`create`).

        Of ``fields`` those that are left out stay, secrets among them; None takes one away.
        """
        body = dict(more) if fields is None else {**more, "fields": dict(fields)}
        return self._connection.send(
            Source, "PATCH", _path(name), _with(body, audience), revision=revision
        )

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete a source that no dataset is read through. What was lent of it ends at once."""
        self._connection.delete(_path(name), revision=revision)

    def check(self, name: str) -> SourceCheck:
        """Test the connection from the control plane."""
        return self._connection.send(SourceCheck, "POST", f"{_path(name)}/check")

    def prove(self, name: str) -> Source:
        """Try to write with what a user would get, now."""
        return self._connection.send(Source, "POST", f"{_path(name)}/prove")

    def accept(self, name: str) -> Source:
        """Let people use a source though it is not proven read-only. It is marked everywhere."""
        return self._connection.send(Source, "POST", f"{_path(name)}/accept")

    def revoke(self, name: str) -> Source:
        """Disable a source and take it back at once from every server that was promised it."""
        return self._connection.send(Source, "POST", f"{_path(name)}/revoke")

    def browse(
        self, name: str, *path: str, after: str | None = None, limit: int = 200
    ) -> SourceContents:
        """What lies at a place in a source. ``after`` is what the answer before said as ``next``."""
        query = {"path": list(path), "after": after, "limit": limit}
        return self._connection.read(SourceContents, f"{_path(name)}/browse", **query)

    def credentials(self, name: str) -> SourceCredential:
        """What this server reads a source with. Only a server's own token can ask."""
        return self._connection.send(SourceCredential, "POST", f"{_path(name)}/credentials")


def _path(name: str) -> str:
    return f"/sources/{segment(name)}"


def _with(body: dict[str, Any], audience: Audience | None) -> dict[str, Any]:
    return body if audience is None else body | {"audience": audience_body(audience)}


def audience_body(audience: Audience) -> dict[str, Any]:
    """An audience as it is sent."""
    return {
        "everyone": audience.everyone,
        "groups": list(audience.groups),
        "people": list(audience.people),
    }
