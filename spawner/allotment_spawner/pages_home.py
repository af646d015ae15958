"""What the home page shows: the servers of one person, with limits and what the groups hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from allotment.model.allotments import Allotment, HeldDevice
from allotment.model.devices import Isolation
from allotment.model.endings import Cause, Ending
from allotment.model.idleness import duration_words
from allotment.model.limits import LimitKind, effective_limit
from allotment.model.money import cost_of, money_words
from allotment.model.names import CONSOLE_SERVER
from allotment.model.profiles import Profile
from allotment.model.terms import EndTerms
from allotment.model.tickets import Ticket, TicketState
from allotment.record import endings, page_facts
from allotment.record.engine import Reading
from allotment.record.page_facts import GroupFacts, PersonFacts
from allotment.record.servers import Server
from allotment.rules.ending import may_put_off
from allotment.rules.succession import Successor
from allotment_spawner.pages_launch import price_words
from allotment_spawner.pages_pieces import (
    BudgetMeter,
    Meter,
    budget_meters,
    limit_meter,
    share_meter,
)
from allotment_spawner.pages_software import software_title
from allotment_spawner.pages_waiting import not_started, waiting_words

PLAIN_STOP = "It was stopped."
"""What the hub writes when a person stopped the server and said nothing: the state says as much."""
_CAUSES = frozenset(Cause) - {Cause.STOPPED}
"""Causes that say more than that somebody stopped it."""
_STATES = {
    "offered": ("Its turn has come", "info"),
    "starting": ("Starting", "info"),
    "running": ("Running", "ok"),
    "stopping": ("Stopping", "warn"),
    "stopped": ("Stopped", ""),
}


@dataclass(frozen=True, slots=True)
class EndingLine:
    """An announced end of a server. ``extend`` is what the button says that puts it off; empty: it cannot be."""

    stop_at: datetime
    words: str
    message: str
    extend: str


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One server that exists. ``since`` is when it reached its state; ``reason`` why it last stopped."""

    name: str
    title: str
    note: str
    size: str
    group: str
    state: str
    state_words: str
    tone: str
    since: datetime | None
    devices: tuple[HeldDevice, ...]
    ailing: tuple[str, ...]
    reason: str
    price: str
    ending: EndingLine | None = None
    """The announced end that comes first."""
    ticket: str = ""
    """The ticket with which it waits."""
    cost: str = ""
    """What it has cost so far, or cost when it ran last."""
    successor: Successor | None = None
    """What replaces its profile."""
    software: str = ""
    """The software that was chosen with its size."""

    @property
    def active(self) -> bool:
        """Whether it holds devices and counts."""
        return self.state not in {"stopped", "new", "waiting"}

    @property
    def openable(self) -> bool:
        """Whether there is something to open: a page, or its progress."""
        return self.state in {"starting", "running"}

    @property
    def device_words(self) -> str:
        """The devices it holds, each with its node and what keeps its users apart."""
        return "; ".join(
            f"{device.id} on {device.node}: {device.model}, {Isolation(device.isolation).words}"
            for device in self.devices
        )


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
    not_started: tuple[str, ...] = ()
    """Servers that waited and did not start, and why."""

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
) -> HomeView:
    """Read the home page of one person on one hub.

    ``known_to_hub`` are names and titles of the servers that the hub knows: one that was made but
    never launched is in no record yet.
    """
    facts = page_facts.read(reading, person, now)
    titles = dict(known_to_hub)
    announced = endings.of_allotments(reading, [one.id for one in facts.active])
    rows = {
        server.name: _row(facts, server, titles.get(server.name, ""), now, announced)
        for server in facts.servers
        if server.hub == hub
    }
    for name, title in known_to_hub:
        if name and name not in rows:
            rows[name] = _never_launched(name, title)
    for ticket in facts.tickets:
        if ticket.hub == hub:
            rows[ticket.server] = _waiting(reading, facts, ticket, rows.get(ticket.server))
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
        not_started=not_started(reading, person, now),
    )


def _waiting(
    reading: Reading, facts: PersonFacts, ticket: Ticket, known: ServerRow | None
) -> ServerRow:
    """A server that waits: it may have run before, or may never have."""
    words = waiting_words(reading, ticket)
    profile = next((one for one in facts.profiles if one.name == ticket.profile), None)
    row = known or _never_launched(ticket.server, ticket.display_name or ticket.server or "default")
    price = profile.price if profile else None
    offered = ticket.state is TicketState.OFFERED
    return replace(
        row,
        title=ticket.display_name or row.title,
        note=ticket.note or row.note,
        size=profile.title if profile else ticket.profile,
        group=ticket.group or "",
        state="offered" if offered else "waiting",
        state_words=words.state_words,
        tone=words.tone,
        since=words.since,
        devices=row.devices if offered else (),
        reason=words.reason,
        price="" if price is None else f"{price_words(price)} / h",
        cost="",
        ticket=ticket.id,
        software=_software_of(profile, ticket),
    )


def _software_of(profile: Profile | None, ticket: Ticket) -> str:
    """What a server that waits would run, as its size says now."""
    software = profile.chosen_software(ticket.software) if profile else None
    return ticket.software if software is None else software.title


def _row(
    facts: PersonFacts,
    server: Server,
    hub_title: str,
    now: datetime,
    announced: Mapping[str, tuple[Ending, ...]],
) -> ServerRow:
    allotment = server.allotment
    terms = allotment.terms.get("profile", {})
    words, tone = _STATES[server.state]
    stopped = server.state == "stopped"
    if stopped and allotment.stopped_by == facts.person:
        words = "Stopped by you"
    elif stopped and allotment.stop_cause in _CAUSES:
        words = f"Stopped: {Cause(allotment.stop_cause).words.lower()}"
    moment = {
        "offered": allotment.admitted_at,
        "starting": allotment.admitted_at,
        "running": allotment.running_at,
        "stopping": allotment.stopping_at,
        "stopped": allotment.released_at,
    }[server.state]
    price = _price(allotment)
    return ServerRow(
        name=server.name,
        title=server.display_name or hub_title or server.name or "default",
        note=server.note,
        size=str(terms.get("title") or server.profile),
        group=allotment.group or "",
        state=server.state,
        state_words=words,
        tone=tone,
        since=moment,
        devices=() if stopped else allotment.devices,
        ailing=facts.ailing.get(allotment.id, ()),
        reason="" if allotment.stop_reason == PLAIN_STOP else allotment.stop_reason,
        price="" if price is None else f"{price_words(price)} / h",
        cost=_cost(allotment, price, now),
        successor=facts.successor(server.profile),
        ending=_ending(allotment, announced.get(allotment.id, ())),
        software=software_title(allotment.terms),
    )


def _ending(allotment: Allotment, announced: tuple[Ending, ...]) -> EndingLine | None:
    if not announced:
        return None
    first, rule = announced[0], EndTerms.of(allotment.terms).extend
    may = rule is not None and any(may_put_off(one, rule) for one in announced)
    return EndingLine(
        stop_at=first.stop_at,
        words=first.cause.words,
        message=first.message,
        extend=f"Extend by {duration_words(rule.by)}" if rule is not None and may else "",
    )


def _price(allotment: Allotment) -> Decimal | None:
    """The price per hour that was promised at launch."""
    price = allotment.terms.get("profile", {}).get("price")
    return None if price is None else Decimal(str(price))


def _cost(allotment: Allotment, price: Decimal | None, now: datetime) -> str:
    """What it has cost, in words; nothing where it has no price, or has not run."""
    if allotment.running_at is None:
        return ""
    cost = cost_of(price, (allotment.charge_end or now) - allotment.running_at)
    if cost is None:
        return ""
    return f"{money_words(cost)} {'so far' if allotment.charge_end is None else 'in all'}"


def _never_launched(name: str, title: str) -> ServerRow:
    return ServerRow(
        name=name,
        title=title or name,
        note="",
        size="",
        group="",
        state="new",
        state_words="Never launched",
        tone="",
        since=None,
        devices=(),
        ailing=(),
        reason="",
        price="",
    )


def _meters(facts: PersonFacts) -> tuple[Meter, ...]:
    paying = facts.group_names[0] if len(facts.groups) == 1 else None
    limits = [limit_meter(facts, effective_limit(kind, facts.limits, paying)) for kind in LimitKind]
    return tuple(limits) + tuple(share_meter(share) for share in facts.shares)
