"""Homes: what is kept of people's files, and what was packed away."""

from __future__ import annotations

from datetime import datetime

from allotment.client.connection import Connection
from allotment.client.paths import segment
from allotment.model.documents import Home, HomeArchive, HomeListing
from allotment.model.homes import ArchiveAsk, HomeEnd


class Homes:
    """``client.homes``. Times are aware."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> HomeListing:
        """Homes by person, and archives, the newest first."""
        return self._connection.read_all(HomeListing, "/homes")

    def keep(self, home: str, until: datetime | None) -> Home:
        """Keep a home until a time at least; None: as long as all others."""
        body = {"until": None if until is None else until.isoformat()}
        return self._connection.send(Home, "POST", f"/homes/{segment(home)}/keep", body)

    def end(self, home: str, what: HomeEnd | str | None) -> Home:
        """Remove a home or pack it away, within a minute; None takes that back."""
        body = {"what": None if what is None else str(what)}
        return self._connection.send(Home, "POST", f"/homes/{segment(home)}/end", body)

    def archive(self, key: str, what: ArchiveAsk | str) -> HomeArchive:
        """Restore or remove an archive, within a minute."""
        path = f"/homes/archives/{segment(key)}"
        return self._connection.send(HomeArchive, "POST", path, {"what": str(what)})
