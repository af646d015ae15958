"""Tickets: servers that wait for their turn."""

from __future__ import annotations

from typing import Literal

from allotment.client.connection import Connection
from allotment.client.paths import segment
from allotment.model.documents import Ticket, TicketListing


class Tickets:
    """``client.tickets``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, *, person: str | None = None, ended: bool = False) -> TicketListing:
        """Who waits, the oldest first; with ``ended`` those instead that ended this week."""
        return self._connection.read_all(
            TicketListing, "/tickets", person=person, ended=ended or None, limit=20_000
        )

    def get(self, ticket: str) -> Ticket:
        """One ticket, live or ended."""
        return self._connection.read(Ticket, f"/tickets/{segment(ticket)}")

    def create(
        self,
        profile: str,
        server: str = "",
        *,
        group: str | None = None,
        display_name: str = "",
        note: str = "",
        software: str | None = None,
    ) -> Ticket:
        """Let a server of one's own wait; it starts by itself when its turn comes."""
        body = {"profile": profile, "server": server, "display_name": display_name, "note": note}
        if group is not None:
            body["group"] = group
        if software is not None:
            body["software"] = software
        return self._connection.send(Ticket, "POST", "/tickets", body)

    def cancel(self, ticket: str, reason: str = "") -> None:
        """Take a ticket out of the queue; the reason reaches its owner."""
        self._connection.delete(f"/tickets/{segment(ticket)}", reason=reason or None)

    def move(self, ticket: str, to: Literal["front", "back", "own"]) -> Ticket:
        """Let a ticket go before all others, after them, or take its own place again."""
        path = f"/tickets/{segment(ticket)}/move"
        return self._connection.send(Ticket, "POST", path, {"to": to})
