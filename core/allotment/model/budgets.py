"""Budgets: how much money a person, a group or a department may use, in which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from allotment.model.durations import Duration
from allotment.model.money import charge_of, money_words
from allotment.model.profiles import Price

MINIMUM_SESSION = timedelta(minutes=30)
GRACE = timedelta(minutes=15)
LEVELS = (80, 95, 100)
"""Percent of a budget at which those concerned are told."""

Amount = Price
"""Money, with at most six places after the point."""
Grace = Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=30))]
Session = Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=7))]


class BudgetScope(StrEnum):
    """Whose budget it is. All that concern a launch must be able to pay for it.

    A person has one: the own, else that of the members of the group that pays, else everybody's.
    """

    PERSON = "person"
    GROUP = "group"
    DEPARTMENT = "department"
    MEMBERS = "members"
    """What each person of a group may use while that group pays, who has no budget of their own."""
    EVERYBODY = "everybody"
    """What each person may use who has no narrower one."""

    @property
    def is_default(self) -> bool:
        """Whether it is a value for many people, each of whom it is counted for."""
        return self in {BudgetScope.MEMBERS, BudgetScope.EVERYBODY}


PLATFORM = "platform"
"""The subject of everybody's budget: there is one."""


class Period(StrEnum):
    """How long a budget is for, in the platform's time zone."""

    MONTH = "month"
    QUARTER = "quarter"
    NONE = "none"
    """Free credit: counted from when it was given, and not renewed."""

    @property
    def words(self) -> str:
        """What a page calls it."""
        return {"month": "a month", "quarter": "a quarter", "none": "in all"}[self.value]


class AtLimit(StrEnum):
    """What happens when a budget is used up."""

    WARN = "warn"
    """Those concerned are told; nothing else."""
    REFUSE = "refuse"
    """Nothing new starts that it would pay for."""
    STOP = "stop"
    """Nothing new starts, and what runs is stopped after a grace period."""

    @property
    def words(self) -> str:
        """What a page says that happens."""
        return {
            "warn": "only a warning",
            "refuse": "nothing new starts",
            "stop": "nothing new starts, and what runs is stopped after a grace period",
        }[self.value]


class BudgetTerms(BaseModel):
    """How much, for how long, and what happens then.

    A launch must be able to pay for ``minimum_session`` of its profile; ``grace`` is what servers
    get before they are stopped, where the policy stops them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Amount
    period: Period = Period.MONTH
    at_limit: AtLimit = AtLimit.REFUSE
    grace: Grace = GRACE
    minimum_session: Session = MINIMUM_SESSION

    @property
    def words(self) -> str:
        """The terms in a few words: ``500.00 a month; at the limit nothing new starts``."""
        return f"{money_words(self.amount)} {self.period.words}; at the limit {self.at_limit.words}"


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget as it was set. ``begins_at`` is when it was given: free credit counts from then."""

    scope: BudgetScope
    subject: str
    terms: BudgetTerms
    begins_at: datetime
    revision: int = 1

    @property
    def whose(self) -> str:
        """Whose it is, in words."""
        return {
            BudgetScope.PERSON: self.subject,
            BudgetScope.MEMBERS: f"each member of group {self.subject}",
            BudgetScope.EVERYBODY: "everybody",
        }.get(self.scope, f"{self.scope} {self.subject}")

    @property
    def source(self) -> str:
        """Where it comes from, in the words of limits."""
        return {
            BudgetScope.PERSON: "set for this person",
            BudgetScope.MEMBERS: f"group {self.subject}",
            BudgetScope.EVERYBODY: "the platform's default",
        }.get(self.scope, f"set for the {self.scope}")


@dataclass(frozen=True, slots=True)
class Spending:
    """What a budget has paid for in its period, as charges (see :mod:`allotment.model.money`).

    ``begin`` and ``end`` (None: none) bound the period, in microseconds since the epoch.
    ``committed`` is what servers that run or start may still use of their minimum session; ``rate``
    is what an hour of those that are charged now costs, in millionths. ``groups`` are those whose
    servers it pays for; of a person's budget, every one. Of a default, ``member`` is the person it is
    counted for (None: nobody), and ``spared`` are groups that have a narrower one.
    """

    budget: Budget
    begin: int
    end: int | None
    spent: int
    committed: int
    rate: int
    groups: frozenset[str] = frozenset()
    member: str | None = None
    spared: frozenset[str] = frozenset()

    @property
    def person(self) -> str | None:
        """The person whom it is counted for; None where it is a group's or a department's."""
        return self.budget.subject if self.budget.scope is BudgetScope.PERSON else self.member

    @property
    def is_personal(self) -> bool:
        """Whether it is counted for one person, rather than for groups."""
        return self.budget.scope is BudgetScope.PERSON or self.budget.scope.is_default

    @property
    def whose(self) -> str:
        """Whose it is, in words; of a default, the person whom it is counted for."""
        return self.member or self.budget.whose

    def binds(self, group: str | None) -> bool:
        """Whether it binds a launch, of the person it is counted for, that this group pays."""
        if self.budget.scope is BudgetScope.PERSON:
            return True
        if self.budget.scope is BudgetScope.EVERYBODY:
            return group not in self.spared
        return group in self.groups

    def pays(self, person: str, group: str | None) -> bool:
        """Whether it pays for this person's servers of this group."""
        return self.binds(group) and (not self.is_personal or self.person == person)

    @property
    def amount(self) -> int:
        """The budget's amount, as a charge."""
        return charge_of(self.budget.terms.amount)

    @property
    def percent(self) -> int:
        """How much of it is spent, in whole percent, never rounded up to 100."""
        return 100 * self.spent // self.amount if self.amount else 100

    @property
    def level(self) -> int:
        """The highest of :data:`LEVELS` that is reached; 0 below all."""
        return max((level for level in LEVELS if self.percent >= level), default=0)
