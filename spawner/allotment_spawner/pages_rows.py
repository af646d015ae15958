"""The rows of the home page: what is said of one server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from allotment.model.allotments import Allotment, HeldDevice, State
from allotment.model.devices import Isolation
from allotment.model.endings import Cause, Ending, Keep
from allotment.model.idleness import duration_words
from allotment.model.money import cost_of, money_words, price_words
from allotment.model.profiles import Profile
from allotment.model.terms import EndTerms
from allotment.model.tickets import Ticket, TicketState
from allotment.record.page_facts import PersonFacts
from allotment.record.servers import Server
from allotment.rules.ending import may_put_off
from allotment.rules.succession import Successor
from allotment_spawner.pages_software import software_title
from allotment_spawner.pages_updates import UpdateLine
from allotment_spawner.pages_waiting import WaitingWords

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
class KeepLine:
    """Somebody's word that a server be left alone, where there is one; ``most``: seconds that may be asked for."""

    most: int
    until: datetime | None = None
    said_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """One server that exists. ``since`` is when it reached its state."""

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
    """Why it last stopped, or what it waits for while it starts."""
    price: str
    ending: EndingLine | None = None
    """The announced end that comes first."""
    ticket: str = ""
    """The ticket with which it waits."""
    waiting: WaitingWords | None = None
    """When its turn comes, and what would be sooner."""
    keep: KeepLine | None = None
    """Until when it is left alone though it looks idle, and how far ahead that may be asked for."""
    cost: str = ""
    """What it has cost so far, or cost when it ran last."""
    successor: Successor | None = None
    """What replaces its profile."""
    software: str = ""
    """The software that was chosen with its size."""
    update: UpdateLine | None = None
    """What a reset would update."""

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
            f"{device.id}{f' on {device.node}' if device.node else ''}: {device.model}, {Isolation(device.isolation).words}"
            for device in self.devices
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What was announced of the person's servers and asked for, by allotment."""

    endings: Mapping[str, tuple[Ending, ...]]
    keeps: Mapping[str, Keep]
    now: datetime
    updates: Mapping[str, UpdateLine] = field(default_factory=dict)


def waiting_row(
    facts: PersonFacts, ticket: Ticket, known: ServerRow | None, words: WaitingWords
) -> ServerRow:
    """A server that waits: it may have run before, or may never have."""
    profile = next((one for one in facts.profiles if one.name == ticket.profile), None)
    row = known or never_launched_row(
        ticket.server, ticket.display_name or ticket.server or "default"
    )
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
        waiting=words,
        software=_software_of(profile, ticket),
    )


def _software_of(profile: Profile | None, ticket: Ticket) -> str:
    """What a server that waits would run, as its size says now."""
    software = profile.chosen_software(ticket.software) if profile else None
    return ticket.software if software is None else software.title


def server_row(
    facts: PersonFacts,
    server: Server,
    hub_title: str,
    said: Said,
) -> ServerRow:
    """A server as its latest allotment left it."""
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
        reason=_reason(allotment),
        price="" if price is None else f"{price_words(price)} / h",
        cost=_cost(allotment, price, said.now),
        successor=facts.successor(server.profile),
        ending=_ending(allotment, said.endings.get(allotment.id, ())),
        keep=_keep(allotment, said.keeps.get(allotment.id), said.now),
        software=software_title(allotment.terms),
        update=said.updates.get(allotment.id),
    )


def _reason(allotment: Allotment) -> str:
    """What is said below its state."""
    if allotment.state is State.STARTING:
        return allotment.awaits
    return "" if allotment.stop_reason == PLAIN_STOP else allotment.stop_reason


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


def _keep(allotment: Allotment, keep: Keep | None, now: datetime) -> KeepLine | None:
    """What may be asked for and was; None where no idleness ends the server, or it does not run."""
    idle = EndTerms.of(allotment.terms).idle
    if idle is None or allotment.state not in {State.STARTING, State.RUNNING}:
        return None
    most = round(idle.keep.total_seconds())
    if keep is None or keep.until <= now:
        return KeepLine(most) if most else None
    return KeepLine(most, keep.until, keep.said_by, keep.note)


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


def never_launched_row(name: str, title: str) -> ServerRow:
    """A server that the hub knows and that was never admitted."""
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
