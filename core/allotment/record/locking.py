"""Locks that several claims need together, each kind in a fixed order, so that nobody waits in a circle.

The order of every transaction: configuration, people, pools, tickets, shares, nodes, devices, and the
counter of events last. A transaction that holds the counter waits for nothing else, so whoever makes
several offers in one locks all the rest before the first. SQLite has one writer and needs none of it.
"""

from __future__ import annotations

from collections.abc import Collection

from allotment.model.tickets import Ticket
from allotment.record.engine import CONFIGURATION_LOCK, Writing

_STATEMENTS = (
    f"SELECT pg_advisory_xact_lock_shared({CONFIGURATION_LOCK})",
    "SELECT 1 FROM people WHERE name = ANY(:people) ORDER BY name FOR UPDATE",
    "SELECT 1 FROM pools WHERE name = ANY(:pools) ORDER BY name FOR UPDATE",
    "SELECT 1 FROM tickets WHERE id = ANY(:tickets) ORDER BY id FOR UPDATE",
    """SELECT 1 FROM shares WHERE pool = ANY(:pools) AND group_name = ANY(:groups)
    ORDER BY group_name, pool FOR UPDATE""",
    "SELECT 1 FROM pool_nodes WHERE pool = ANY(:pools) ORDER BY pool, node, model FOR UPDATE",
)


def lock_turns(writing: Writing, turns: Collection[tuple[Ticket, str]]) -> None:
    """Lock what offers to these tickets rest on, each with the pool in which it is to be served."""
    if writing.dialect != "postgresql":
        return
    asked = {
        "people": sorted({ticket.person for ticket, _ in turns}),
        "pools": sorted({pool for _, pool in turns}),
        "tickets": sorted({ticket.id for ticket, _ in turns}),
        "groups": sorted({ticket.group for ticket, _ in turns if ticket.group is not None}),
    }
    for statement in _STATEMENTS:
        writing.driver(statement, asked)
