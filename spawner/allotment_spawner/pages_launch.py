"""What the launch page shows: every profile that a person may see, and what the rules say of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache

from allotment.model.amounts import counted, format_memory
from allotment.model.claims import Claim, Waits
from allotment.model.limits import LimitKind, effective_limit
from allotment.model.money import price_words
from allotment.model.names import CONSOLE_PROFILE
from allotment.model.profiles import PoolByModel, Priority, Profile
from allotment.model.reasons import WAITING_RULES, Reason, Rule
from allotment.record import allotments, page_facts
from allotment.record.engine import Reading
from allotment.record.page_facts import GroupFacts, PersonFacts
from allotment.record.prospects import Outlook, Question
from allotment.rules.admission import Admitted, Decision, admit
from allotment.rules.sooner import Kind, Prospect, Way
from allotment.rules.standing import PoolFacts, Standing
from allotment.rules.succession import Successor
from allotment_spawner.foreseen import Look
from allotment_spawner.pages_pieces import (
    BudgetMeter,
    Meter,
    Plots,
    budget_meters,
    drawn_plots,
    limit_meter,
    share_meter,
)
from allotment_spawner.pages_software import SoftwareChoice, software_choices, wished_software
from allotment_spawner.pages_waiting import Lines

MANY = 8
"""From this many cards on the page offers a filter."""
REASONS_SHOWN = 6


class Readiness(StrEnum):
    """Whether a card can be launched now."""

    NOW = "now"
    FULL = "full"
    """Only shares and free devices stand in the way: later it could."""
    NO = "no"


_HEADLINES = {
    Rule.SERVER_NAME: "Name in use",
    Rule.PROFILE_VISIBLE: "Not offered to you",
    Rule.SOFTWARE_OFFERED: "Not with this software",
    Rule.PERSON_ONBOARDED: "You are not on-boarded",
    Rule.GROUP_CHOSEN: "Choose who pays",
    Rule.LIMIT_SERVERS: "Over your limit of servers",
    Rule.LIMIT_SERVERS_EXISTING: "Over your limit of servers",
    Rule.LIMIT_DEVICES: "Over your limit of devices",
    Rule.LIMIT_INSTANCES: "Over your limit of cloud instances",
    Rule.STORAGE_PERSON: "Over your limit of storage",
    Rule.BUDGET_PERSON: "Your budget cannot pay for it",
    Rule.BUDGET_GROUP: "The group's budget cannot pay for it",
    Rule.BUDGET_DEPARTMENT: "The department's budget cannot pay for it",
    Rule.TYPE_ENABLED: "Instance type disabled",
    Rule.TYPE_LIMIT: "Instance type at its limit",
    Rule.SHARE_POOL: "Not in your pools",
    Rule.SHARE_GUARANTEE: "Your group's share is used up",
    Rule.SHARE_CEILING: "Your group's share is used up",
    Rule.DEVICES_FREE: "Full",
    Rule.QUEUE_TURN: "Others come first",
}


@dataclass(frozen=True)
class Card:
    """One profile as a choice: what it is, what is free, and why it cannot be launched now, if so."""

    profile: Profile
    readiness: Readiness
    headline: str
    plots: Plots | None
    pool: str | None
    reasons: tuple[Reason, ...] = ()
    successor: Successor | None = None
    """What its users are to use instead, before long."""
    expect: str = ""
    """What a wait begins with, where one can wait."""
    prospect: Prospect | None = None
    """When it would start, where it does not start now."""
    ways: tuple[Way, ...] = ()
    """What would let it in sooner, or at all."""

    @property
    def stops(self) -> tuple[Way, ...]:
        """The ways that other cards do not show: stopping servers of one's own."""
        return tuple(way for way in self.ways if way.kind is Kind.STOP)

    @cached_property
    def price(self) -> str:
        """The price per hour in words, or nothing where none is set."""
        return "" if self.profile.price is None else f"{price_words(self.profile.price)} / h"

    @cached_property
    def spec(self) -> str:
        """Devices, processors and memory in one line."""
        return _spec(self.profile, self.plots.model if self.plots else "")

    @property
    def low_priority(self) -> bool:
        """Whether what it holds may be taken back."""
        return self.profile.priority is Priority.LOW

    @property
    def search(self) -> str:
        """What a filter looks through, in lower case."""
        parts = (self.profile.title, self.profile.name, self.profile.description, self.spec)
        return " ".join(" ".join(parts).lower().split())


@dataclass(frozen=True, slots=True)
class LaunchView:
    """The launch page of one person, for one paying group. ``sequence`` is the newest event in it."""

    person: str
    onboarded: bool
    groups: tuple[GroupFacts, ...]
    group: str | None
    cards: tuple[Card, ...]
    meters: tuple[Meter, ...]
    budgets: tuple[BudgetMeter, ...]
    chosen: str
    taken: tuple[tuple[str, str], ...]
    """Names of servers that exist, with their states."""
    ask: tuple[str, ...]
    """Whom to ask where there is nothing to launch."""
    sequence: int
    software: tuple[SoftwareChoice, ...] = ()
    """What can be chosen apart from the size, each once; empty: nothing."""

    @property
    def software_available(self) -> bool:
        """Whether the size that is chosen at first leaves a choice of software."""
        return any(one.available for one in self.software)

    @property
    def summary(self) -> str:
        """One sentence that changes when what is free changes."""
        now = sum(card.readiness is Readiness.NOW for card in self.cards)
        drawn = {(c.plots.pool, c.plots.model): c.plots for c in self.cards if c.plots}
        free = [
            f"{p.free} of {counted(p.total, 'device')} free in {p.pool}" for p in drawn.values()
        ]
        sizes = f"{now} of {len(self.cards)} can start now"
        return f"{sizes}; {', '.join(free[:3])}." if free else f"{sizes}."

    @property
    def labels(self) -> tuple[str, ...]:
        """What the labels on the cards mean, each once."""
        drawn = [label for card in self.cards if card.plots for label in card.plots.labels]
        return tuple(dict.fromkeys(sentence for _, sentence in drawn))

    def card(self, profile: str) -> Card | None:
        """The card of a profile, where it is offered."""
        return next((card for card in self.cards if card.profile.name == profile), None)

    @property
    def many(self) -> bool:
        """Whether the cards need a filter."""
        return len(self.cards) > MANY


def launch_view(
    reading: Reading,
    claim: Claim,
    now: datetime,
    look: Look = lambda _question: None,
) -> LaunchView:
    """Read the launch page of ``claim.person``.

    ``claim`` says the hub, the server's name and the group asked for; its ``profile`` is the card to
    have chosen, or empty. ``look`` says what is known of when it would start.
    """
    facts = page_facts.read(reading, claim.person, now)
    group = _paying_group(facts, claim.group)
    claim = replace(claim, group=group)
    background = _Background(reading, facts, now)
    offered = [profile for profile in facts.offered() if profile.name != CONSOLE_PROFILE]
    cards = tuple(
        replace(_card(facts, profile, claim, background), successor=facts.successor(profile.name))
        for profile in offered
    )
    cards = _with_prospects(cards, claim, look)
    chosen = _chosen(cards, claim.profile, facts)
    return LaunchView(
        person=facts.person,
        onboarded=facts.onboarded,
        groups=facts.groups,
        group=group,
        cards=cards,
        meters=_meters(facts, group),
        budgets=budget_meters(facts, group or "", now),
        chosen=chosen,
        software=software_choices(offered, chosen, wished_software(facts, claim)),
        taken=tuple(sorted((server.name, server.state) for server in facts.servers)),
        ask=() if cards and facts.onboarded else page_facts.operators(reading),
        sequence=facts.sequence,
    )


def _with_prospects(cards: tuple[Card, ...], claim: Claim, look: Look) -> tuple[Card, ...]:
    """The same cards; those that cannot start now say when they would, and what would be sooner."""
    if all(card.readiness is Readiness.NOW or not card.profile.devices for card in cards):
        return cards
    outlook = look(Question(claim.hub, claim.person, claim.server, claim.group))
    return cards if outlook is None else tuple(_with_prospect(card, outlook) for card in cards)


def _with_prospect(card: Card, outlook: Outlook) -> Card:
    if card.readiness is Readiness.NOW:
        return card
    found = outlook.prospects.get(card.profile.name)
    if found is not None and found.at_once:
        return card  # what was found last is older than what the card says
    return replace(card, prospect=found, ways=outlook.ways.get(card.profile.name, ()))


def _paying_group(facts: PersonFacts, asked: str | None) -> str | None:
    names = facts.group_names
    if asked in names:
        return asked
    return names[0] if names else None


class _Background:
    """What many cards have in common, made once: who holds a pool's devices, and their plots."""

    def __init__(self, reading: Reading, facts: PersonFacts, now: datetime) -> None:
        self._reading, self._facts = reading, facts
        self.lines = Lines(reading, now, contested=facts.contested)
        self._holders: dict[str, tuple[str, ...]] = {}
        self._plots: dict[tuple[str, str, int], Plots] = {}

    def holders(self, pool: str) -> tuple[str, ...]:
        """Who holds devices of a pool; the record is asked only where a card needs it."""
        if pool not in self._holders:
            facts = self._facts
            self._holders[pool] = allotments.holders(
                self._reading, {pool}, facts.group_names, facts.person
            )
        return self._holders[pool]

    def plots(self, pool: PoolFacts | None, wanted: int = 0) -> Plots | None:
        """The plots of a pool, with those that a launch would take."""
        if pool is None:
            return None
        key = (pool.pool, pool.model, wanted)
        if key not in self._plots:
            self._plots[key] = drawn_plots(self._facts, pool, wanted)
        return self._plots[key]


def _card(facts: PersonFacts, profile: Profile, claim: Claim, background: _Background) -> Card:
    # Whether a size can be launched is the same with any of its software.
    standing = facts.standing(profile, replace(claim, profile=profile.name, software=""))
    decision = _in_turn(admit(standing), standing, background)
    if isinstance(decision, Admitted):
        pool = _pool(standing, decision.pool, decision.model)
        plots = background.plots(pool, profile.devices)
        headline = f"{plots.free} free" if plots else "Starts now"
        return Card(profile, Readiness.NOW, headline, plots, pool.pool if pool else None)
    nearest = _nearest(standing)
    waits = isinstance(decision, Waits)
    reasons = tuple(_with_holders(reason, nearest, background) for reason in decision.reasons)
    return Card(
        profile,
        Readiness.FULL if waits else Readiness.NO,
        _HEADLINES.get(reasons[0].rule, "Cannot be launched now"),
        background.plots(nearest),
        nearest.pool if nearest else None,
        reasons[:REASONS_SHOWN],
        expect=background.lines.expect((nearest.pool, nearest.model)) if waits and nearest else "",
    )


def _in_turn(decision: Decision, standing: Standing, background: _Background) -> Decision:
    """The same decision, unless others who wait come first."""
    profile = standing.profile
    if not isinstance(decision, Admitted) or profile is None or not decision.pool:
        return decision
    key = (decision.pool, decision.model or "")
    turn = background.lines.turn(key, profile, standing.claim, decision.group)
    return Waits((turn,)) if isinstance(turn, Reason) else decision


def _pool(standing: Standing, pool: str | None, model: str | None) -> PoolFacts | None:
    matches = (facts for facts in standing.pools if (facts.pool, facts.model) == (pool, model))
    return next(matches, None)


def _nearest(standing: Standing) -> PoolFacts | None:
    """The pool whose devices a card shows that cannot be launched: the first that fits the profile."""
    profile, group = standing.profile, standing.claim.group
    if profile is None or not profile.devices:
        return None
    own = {share.share.pool for share in standing.shares if share.share.group == group}
    fitting = [pool for pool in standing.pools if _fits(pool, profile)]
    return next((pool for pool in fitting if pool.pool in own), fitting[0] if fitting else None)


def _fits(pool: PoolFacts, profile: Profile) -> bool:
    if isinstance(profile.pool, PoolByModel):
        return profile.pool.model == pool.model
    return profile.pool in {"any", pool.pool}


def _with_holders(reason: Reason, pool: PoolFacts | None, background: _Background) -> Reason:
    if pool is None or reason.rule not in WAITING_RULES:
        return reason
    return replace(reason, details=reason.details + background.holders(pool.pool))


def _meters(facts: PersonFacts, group: str | None) -> tuple[Meter, ...]:
    # A server takes no models.
    kinds = [kind for kind in LimitKind if kind is not LimitKind.MODELS]
    limits = [limit_meter(facts, effective_limit(kind, facts.limits, group)) for kind in kinds]
    shown = [m for m in limits if m.limit is not None or m.key == LimitKind.DEVICES]
    shares = [share_meter(share) for share in facts.shares if share.share.group == group]
    return tuple(shown + shares)


def _chosen(cards: tuple[Card, ...], asked: str, facts: PersonFacts) -> str:
    """The card that is chosen at first: the one asked for, the one used last, or the first that can start."""
    ready = [card.profile.name for card in cards if card.readiness is Readiness.NOW]
    newest = sorted(facts.servers, key=lambda server: server.allotment.admitted_at, reverse=True)
    wishes: list[str] = [asked] if asked in {card.profile.name for card in cards} else []
    wishes += [server.profile for server in newest if server.profile in ready]
    return (wishes + ready + [""])[0]


@lru_cache(maxsize=4096)
def _device_words(number: int, model: str) -> str:
    return f"{number} \N{MULTIPLICATION SIGN} {model}" if model else counted(number, "device")


def _spec(profile: Profile, model: str) -> str:
    if isinstance(profile.pool, PoolByModel):
        model = profile.pool.model
    parts: list[str] = [_device_words(profile.devices, model)] if profile.devices else []
    if profile.cpu is not None:
        parts.append(f"{profile.cpu:g} CPU")
    if profile.memory is not None:
        parts.append(format_memory(profile.memory))
    return " · ".join(parts) if parts else "No device"
