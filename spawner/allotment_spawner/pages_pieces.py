"""The pieces that pages are made of: plots for devices, meters for limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from allotment.model.amounts import counted
from allotment.model.budgets import LEVELS, Spending
from allotment.model.devices import DeviceOrigin, Isolation
from allotment.model.limits import EffectiveLimit, LimitKind
from allotment.model.money import money, money_words
from allotment.record.columns import from_stored, to_stored
from allotment.record.page_facts import DeviceFacts, PersonFacts
from allotment.rules.budget import LAST, binding, ends_at
from allotment.rules.limiting import GIB
from allotment.rules.standing import PoolFacts, ShareFacts

SQUARES = 64
"""Past this many devices a row of squares is no longer read at a glance: one bar is."""


class Plot(StrEnum):
    """What one square says of one device."""

    MINE = "mine"
    GROUP = "group"
    OTHER = "other"
    WANTED = "wanted"
    FREE = "free"
    UNHEALTHY = "unhealthy"

    @property
    def words(self) -> str:
        """The square's meaning, for a legend and for who cannot see colours."""
        return _PLOT_WORDS[self]


_PLOT_WORDS = {
    Plot.MINE: "yours",
    Plot.GROUP: "your group's",
    Plot.OTHER: "others'",
    Plot.WANTED: "that this would take",
    Plot.FREE: "free",
    Plot.UNHEALTHY: "out of use",
}


@dataclass(frozen=True)
class Plots:
    """The devices of one pool and model as one person sees them, in devices.

    ``numbers`` are in the order in which the squares stand; their sum is the pool's devices of
    that model. ``labels`` say what keeps users of the devices apart and whether they are simulated,
    each as a word with a sentence. Many cards share one: what it says is put together once.
    """

    pool: str
    model: str
    numbers: tuple[tuple[Plot, int], ...]
    labels: tuple[tuple[str, str], ...] = ()

    @cached_property
    def total(self) -> int:
        """All devices of this pool and model."""
        return sum(number for _, number in self.numbers)

    @cached_property
    def free(self) -> int:
        """Devices that nobody holds and that can be given out, the wanted ones among them."""
        return sum(n for plot, n in self.numbers if plot in {Plot.FREE, Plot.WANTED})

    @cached_property
    def as_squares(self) -> bool:
        """Whether there are few enough for one square each."""
        return 0 < self.total <= SQUARES

    @cached_property
    def segments(self) -> tuple[tuple[Plot, float, float], ...]:
        """The bar that stands for many squares: each plot with its start and width in percent."""
        found, start = [], 0.0
        for plot, number in self.numbers:
            width = 100 * number / self.total if self.total else 0
            found.append((plot, round(start, 3), round(width, 3)))
            start += width
        return tuple(found)

    @cached_property
    def sentence(self) -> str:
        """The same in words."""
        parts = [f"{number} {plot.words}" for plot, number in self.numbers if number]
        return f"{counted(self.total, 'device')} in {self.pool}: {', '.join(parts)}."


def drawn_plots(facts: PersonFacts, pool: PoolFacts, wanted: int = 0) -> Plots:
    """Draw the devices of one pool and model; ``wanted`` of the free ones are what a launch would take."""
    key = (pool.pool, pool.model)
    devices = facts.devices.get(key, DeviceFacts(pool.total, 0, 0, (), ()))
    mine = facts.own_devices.get(key, 0)
    group = sum(
        number for (name, model, _), number in facts.group_devices.items() if (name, model) == key
    )
    # A held device that fell ill is drawn as held: its server still runs on it.
    unhealthy = devices.unavailable - devices.unavailable_held
    other = max(0, devices.total - unhealthy - pool.free - mine - group)
    wanted = min(wanted, pool.free)
    numbers = (
        (Plot.MINE, mine),
        (Plot.GROUP, group),
        (Plot.OTHER, other),
        (Plot.WANTED, wanted),
        (Plot.FREE, pool.free - wanted),
        (Plot.UNHEALTHY, unhealthy),
    )
    return Plots(pool.pool, pool.model, numbers, _labels(devices))


SIMULATED = ("Simulated", "Simulated: no such device is there, and nothing can run on it.")


def _labels(devices: DeviceFacts) -> tuple[tuple[str, str], ...]:
    kinds = [Isolation(name) for name in devices.isolations if name != Isolation.EXCLUSIVE]
    labels = [SIMULATED] if DeviceOrigin.SIMULATED in devices.origins else []
    labels += [(kind.words.partition(":")[0], f"{kind.words}.") for kind in kinds]
    return tuple(labels)


@dataclass(frozen=True, slots=True)
class Meter:
    """What is used of a limit, in counts. ``pool`` is set for a share; ``source`` says what binds."""

    key: str
    label: str
    used: int
    limit: int | None
    source: str
    pool: str = ""

    @property
    def tone(self) -> str:
        """``at-limit``, ``near`` (from 80 %) or nothing."""
        if self.limit is None:
            return ""
        if self.used >= self.limit:
            return "at-limit"
        return "near" if self.used >= 0.8 * self.limit else ""

    @property
    def percent(self) -> float:
        """How much of the bar is used, 0 to 100."""
        if self.limit is None or not self.limit:
            return 100.0 if self.used and self.limit == 0 else 0.0
        return round(min(100.0, 100 * self.used / self.limit), 2)

    @property
    def words(self) -> str:
        """``2 of 4``, or the number alone where nothing limits it."""
        return f"{self.used}, no limit" if self.limit is None else f"{self.used} of {self.limit}"


@dataclass(frozen=True, slots=True)
class BudgetMeter:
    """What is spent of a budget. ``ends`` is when it ends at the present rate, where it does."""

    label: str
    words: str
    percent: int
    tone: str
    source: str
    ends: datetime | None


def budget_meters(facts: PersonFacts, group: str | None, now: datetime) -> tuple[BudgetMeter, ...]:
    """The budgets that pay for a person's servers: their own, and those of a group, or of all own groups."""
    wanted = facts.group_names if group is None else [group]
    return tuple(_budget_meter(one, now) for one in binding(facts.budgets, wanted))


def _budget_meter(one: Spending, now: datetime) -> BudgetMeter:
    terms, end = one.budget.terms, ends_at(one, to_stored(now))
    whose = "Your budget" if one.is_personal else f"Budget of {one.budget.whose}"
    used_up = one.percent >= LAST
    origin = f" ({one.budget.source})" if one.is_personal else ""
    level = "at-limit" if one.percent >= LEVELS[1] else "near" if one.level else ""
    return BudgetMeter(
        f"{whose}, {terms.period.words}",
        f"{money_words(money(one.spent))} of {money_words(terms.amount)}",
        min(100, one.percent),
        level,
        f"Used up: {terms.at_limit.words}{origin}"
        if used_up
        else f"At the limit {terms.at_limit.words}{origin}",
        None if used_up or end is None else from_stored(end),
    )


_LABELS = {
    LimitKind.DEVICES: "Your devices",
    LimitKind.SERVERS: "Your running servers",
    LimitKind.SERVERS_EXISTING: "Your servers, stopped ones too",
    LimitKind.INSTANCES: "Your cloud instances",
    LimitKind.STORAGE: "Your storage, GiB",
    LimitKind.MODELS: "Your registered models",
}


def limit_meter(facts: PersonFacts, limit: EffectiveLimit) -> Meter:
    """A personal limit and what of it is used."""
    used = {
        LimitKind.DEVICES: sum(len(allotment.devices) for allotment in facts.active),
        LimitKind.SERVERS: len(facts.active),
        LimitKind.SERVERS_EXISTING: len(facts.servers),
        LimitKind.INSTANCES: facts.instances,
        LimitKind.STORAGE: -(-(facts.storage or 0) // GIB),
        LimitKind.MODELS: facts.models,
    }[limit.kind]
    return Meter(str(limit.kind), _LABELS[limit.kind], used, limit.value, _source(limit))


def _source(limit: EffectiveLimit) -> str:
    if limit.scope is None:
        return ""
    return limit.source[0].upper() + limit.source[1:]


def share_meter(share: ShareFacts) -> Meter:
    """What a group holds of its share in a pool."""
    group, pool = share.share.group, share.share.pool
    return Meter(
        "share",
        f"{group} in {pool}",
        share.held,
        share.share.guaranteed,
        "Guaranteed to your group",
        pool,
    )
