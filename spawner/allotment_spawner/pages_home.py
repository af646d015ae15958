"""What the home page shows: the servers of one person, with limits and what the groups hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from allotment.model.homes import Home
from allotment.model.limits import LimitKind, effective_limit
from allotment.model.names import CONSOLE_SERVER
from allotment.record import endings, extending, homes, page_facts, source_news
from allotment.record.engine import Reading
from allotment.record.page_facts import GroupFacts, PersonFacts
from allotment.record.source_news import SourceNews
from allotment.record.waits import WaitOver
from allotment_spawner.foreseen import Look
from allotment_spawner.pages_pieces import (
    BudgetMeter,
    Meter,
    budget_meters,
    limit_meter,
    share_meter,
)
from allotment_spawner.pages_rows import (
    Said,
    ServerRow,
    never_launched_row,
    server_row,
    waiting_row,
)
from allotment_spawner.pages_updates import update_lines
from allotment_spawner.pages_waiting import MOST_TOLD, waiting_words, waits_over


@dataclass(frozen=True, slots=True)
class HomeView:
    """The home page of one person. ``sequence`` is the newest event in it."""

    person: str
    known: bool
    onboarded: bool
    groups: tuple[GroupFacts, ...]
    servers: tuple[ServerRow, ...]
    console: ServerRow | None
    may_use_console: bool
    meters: tuple[Meter, ...]
    budgets: tuple[BudgetMeter, ...]
    must_change_password: bool
    sequence: int
    waits_over: tuple[WaitOver, ...] = ()
    """Servers that waited and have started, or did not, and why."""
    news: tuple[SourceNews, ...] = ()
    """Sources that the person may use and that were added or changed lately."""
    ending: tuple[Home, ...] = ()
    """Homes of the person whose end was announced, for they have no server there."""

    @property
    def tester(self) -> ServerRow | None:
        """A server from which sources can be tested now."""
        return next((row for row in self.servers if row.openable), None)

    @property
    def summary(self) -> str:
        """How many servers are in which state."""
        running = sum(row.state == "running" for row in self.servers)
        waiting = sum(row.state == "waiting" for row in self.servers)
        stopped = sum(not row.active for row in self.servers) - waiting
        between = len(self.servers) - running - stopped - waiting
        parts = [f"{running} running"] if running else []
        parts += [f"{between} starting or stopping"] if between else []
        parts += [f"{waiting} waiting"] if waiting else []
        parts += [f"{stopped} stopped"] if stopped else []
        return ", ".join(parts) or "None yet"


def home_view(
    reading: Reading,
    hub: str,
    person: str,
    known_to_hub: Collection[tuple[str, str]],
    now: datetime,
    look: Look = lambda _question: None,
) -> HomeView:
    """Read the home page of one person on one hub.

    ``known_to_hub`` are names and titles of the servers that the hub knows: one that was made but
    never launched is in no record yet. ``look`` says what is known of when servers that wait start.
    """
    facts = page_facts.read(reading, person, now)
    titles = dict(known_to_hub)
    said = Said(
        endings.of_allotments(reading, [one.id for one in facts.active]),
        extending.keeps_of(reading, hub=hub) if facts.active else {},
        now,
        update_lines(reading, facts.active, facts.profiles, now),
    )
    rows = {
        server.name: server_row(facts, server, titles.get(server.name, ""), said)
        for server in facts.servers
        if server.hub == hub
    }
    for name, title in known_to_hub:
        if name and name not in rows:
            rows[name] = never_launched_row(name, title)
    for ticket in facts.tickets:
        if ticket.hub == hub:
            rows[ticket.server] = waiting_row(
                facts, ticket, rows.get(ticket.server), waiting_words(reading, ticket, look)
            )
    console = rows.pop(CONSOLE_SERVER, None)
    return HomeView(
        person=person,
        known=facts.known,
        onboarded=facts.onboarded,
        groups=facts.groups,
        servers=tuple(
            sorted(rows.values(), key=lambda row: (not (row.active or row.ticket), row.name))
        ),
        console=console,
        may_use_console=facts.may_use_console,
        meters=_meters(facts),
        budgets=budget_meters(facts, None, now),
        must_change_password=facts.must_change_password,
        sequence=facts.sequence,
        waits_over=waits_over(reading, person, now),
        news=source_news.of_person(reading, person, now)[:MOST_TOLD],
        ending=tuple(one for one in homes.all_homes(reading, person=person) if one.warned_at),
    )


_ALWAYS = frozenset({LimitKind.DEVICES, LimitKind.SERVERS})
"""What is shown though nobody set a limit of it."""


def _meters(facts: PersonFacts) -> tuple[Meter, ...]:
    paying = facts.group_names[0] if len(facts.groups) == 1 else None
    limits = [limit_meter(facts, effective_limit(kind, facts.limits, paying)) for kind in LimitKind]
    measured = {LimitKind.STORAGE} if facts.storage is not None else set()
    always = _ALWAYS | measured
    shown = [each for each in limits if each.limit is not None or each.key in always]
    return tuple(shown) + tuple(share_meter(share) for share in facts.shares)
