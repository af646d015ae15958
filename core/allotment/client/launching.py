"""Profiles and servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import (
    Profile,
    ProfileListing,
    ProfileRevocation,
    Server,
    ServerListing,
    ServerOutcomes,
)


class Profiles:
    """``client.profiles``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> ProfileListing:
        """Profiles, by name; with broken and withdrawn ones for those who see all."""
        return self._connection.read_all(ProfileListing, "/profiles")

    def get(self, name: str) -> Profile:
        """One profile."""
        return self._connection.read(Profile, f"/profiles/{segment(name)}")

    def set_enabled(self, name: str, enabled: bool, *, revision: Revision) -> Profile:  # noqa: FBT001 - reads as what it says
        """Offer a profile to new servers, or no longer. Servers that run with it keep it."""
        return self._connection.send(
            Profile, "PATCH", f"/profiles/{segment(name)}", {"enabled": enabled}, revision=revision
        )

    def revoke(self, name: str, reason: str) -> ProfileRevocation:
        """Disable a profile and stop every server that holds it; the reason reaches their users."""
        return self._connection.send(
            ProfileRevocation, "POST", f"/profiles/{segment(name)}/revoke", {"reason": reason}
        )


class Servers:
    """``client.servers``. A server's id is ``hub~person~name``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(
        self,
        *,
        person: str | None = None,
        group: str | None = None,
        profile: str | None = None,
        active: bool | None = None,
        changed_after: int | None = None,
    ) -> ServerListing:
        """Servers that exist, by person and name; ``active``: whether they hold devices and count.

        With ``changed_after`` (a ``sequence``): what changed since, where that is little; look at
        ``complete``.
        """
        return self._connection.read_all(
            ServerListing,
            "/servers",
            person=person,
            group=group,
            profile=profile,
            active=active,
            changed_after=changed_after,
            limit=20_000,
        )

    def get(self, server: str) -> Server:
        """One server, by its id."""
        return self._connection.read(Server, f"/servers/{segment(server)}")

    def stop(self, servers: Sequence[str], reason: str = "") -> ServerOutcomes:
        """Stop servers by their ids; the reason reaches their users."""
        body = {"servers": list(servers), "reason": reason}
        return self._connection.send(ServerOutcomes, "POST", "/servers/stop", body)

    def extend(self, server: str) -> Server:
        """Put off the announced ends of a server, as its profile lets its user."""
        return self._connection.send(Server, "POST", f"/servers/{segment(server)}/extend", {})

    def keep(self, server: str, until: datetime, note: str = "") -> Server:
        """Have a server left alone until a time, though it looks idle; leads and operators see it."""
        body = {"until": until.isoformat(), "note": note}
        return self._connection.send(Server, "POST", f"/servers/{segment(server)}/keep", body)

    def start(self, servers: Sequence[str]) -> ServerOutcomes:
        """Start stopped servers again, as they were launched last. Admission asks every rule again."""
        return self._connection.send(
            ServerOutcomes, "POST", "/servers/start", {"servers": list(servers)}
        )
