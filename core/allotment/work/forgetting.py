"""Servers that were deleted in the hub while the record was away are forgotten here, too.

A server that its owner deletes counts no more among those that exist; the hub says so at once, unless
the record did not answer then.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from allotment.record import Record, servers
from allotment.work.hub_api import HubServer


class HubView(Protocol):
    """What the hub has. A call that fails raises, and nothing is forgotten."""

    def existing_servers(self) -> AbstractSet[tuple[str, str]]:
        """Every server that the hub knows, stopped ones too, by person and name."""

    def server(self, person: str, name: str) -> HubServer | None:
        """One server now; None where the hub has none of that name."""


def forget_deleted(
    record: Record, hub_view: HubView, *, hub: str, now: datetime
) -> tuple[str, ...]:
    """Forget the stopped servers of a hub that the hub does not know. Returns them as ``person/server``.

    The hub's list comes in pages and may miss one that moved between two of them, so each is asked
    about once more.

    Raises:
        RecordUnavailable: the record did not answer.
        AllotmentError: the hub did not answer; nothing was forgotten.
    """
    with record.reading() as reading:
        stopped = [
            (one.person, one.name)
            for one in servers.all_servers(reading)
            if one.hub == hub and not one.allotment.active
        ]
    existing = hub_view.existing_servers() if stopped else frozenset()
    gone = [key for key in stopped if key not in existing and hub_view.server(*key) is None]
    if not gone:
        return ()
    with record.writing("reconciling", now) as writing:
        return tuple(
            "/".join(key) for key in gone if servers.forget(writing, hub, *key, stopped_only=True)
        )
