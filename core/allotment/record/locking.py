"""Locks that several claims need together, each kind in a fixed order, so that nobody waits in a circle.

The order of every transaction: configuration, people, pools, tickets, instance types, budgets, shares,
nodes, devices, and the counter of events last. A transaction that holds the counter waits for nothing
else, so whoever makes several offers in one locks all the rest before the first. SQLite has one writer
and needs none of it.
"""

from __future__ import annotations

from collections.abc import Collection

from allotment.model.tickets import Ticket
from allotment.record.engine import CONFIGURATION_LOCK, Writing

_CONFIGURATION = f"SELECT pg_advisory_xact_lock_shared({CONFIGURATION_LOCK})"
_STATEMENTS = (
    _CONFIGURATION,
    "SELECT 1 FROM people WHERE name = ANY(:people) ORDER BY name FOR UPDATE",
    "SELECT 1 FROM pools WHERE name = ANY(:pools) ORDER BY name FOR UPDATE",
    "SELECT 1 FROM tickets WHERE id = ANY(:tickets) ORDER BY id FOR UPDATE",
    """WITH named AS (
        SELECT t.name, t.quota FROM instance_types t JOIN profiles p
        ON t.name = CAST(p.document AS json) ->> 'instance_type' WHERE p.name = ANY(:profiles)
    ) SELECT 1 FROM instance_types
    WHERE name IN (SELECT name FROM named) OR quota IN (SELECT quota FROM named)
    ORDER BY name FOR UPDATE""",
    """WITH paying AS (
        SELECT g.name, g.department FROM groups g JOIN memberships m ON m.group_name = g.name
        WHERE m.person = ANY(:people)
    ) SELECT 1 FROM budgets
    WHERE scope = 'person' AND subject = ANY(:people)
    OR scope = 'group' AND subject IN (SELECT name FROM paying)
    OR scope = 'department' AND subject IN (SELECT department FROM paying)
    ORDER BY scope, subject FOR UPDATE""",
    """SELECT 1 FROM shares WHERE pool = ANY(:pools) AND group_name = ANY(:groups)
    ORDER BY group_name, pool FOR UPDATE""",
    "SELECT 1 FROM pool_nodes WHERE pool = ANY(:pools) ORDER BY pool, node, model FOR UPDATE",
)


def lock_configuration(writing: Writing) -> None:
    """Keep changes of configuration out until the transaction ends.

    A release does it too. Whoever may release after locking something else does it before that.
    """
    if writing.dialect == "postgresql":
        writing.driver(_CONFIGURATION, {})


def lock_turns(writing: Writing, turns: Collection[tuple[Ticket, str]]) -> None:
    """Lock what offers to these tickets rest on, each with the pool in which it is to be served."""
    if writing.dialect != "postgresql":
        return
    asked = {
        "people": sorted({ticket.person for ticket, _ in turns}),
        "pools": sorted({pool for _, pool in turns}),
        "tickets": sorted({ticket.id for ticket, _ in turns}),
        "profiles": sorted({ticket.profile for ticket, _ in turns}),
        "groups": sorted({ticket.group for ticket, _ in turns if ticket.group is not None}),
    }
    for statement in _STATEMENTS:
        writing.driver(statement, asked)
