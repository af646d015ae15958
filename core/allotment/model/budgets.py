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
    """Whose budget it is. All that concern a launch must be able to pay for it."""

    PERSON = "person"
    GROUP = "group"
    DEPARTMENT = "department"


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
        return self.subject if self.scope is BudgetScope.PERSON else f"{self.scope} {self.subject}"


@dataclass(frozen=True, slots=True)
class Spending:
    """What a budget has paid for in its period, as charges (see :mod:`allotment.model.money`).

    ``begin`` and ``end`` (None: none) bound the period, in microseconds since the epoch.
    ``committed`` is what servers that run or start may still use of their minimum session; ``rate``
    is what an hour of those that are charged now costs, in millionths. ``groups`` are those whose
    servers it pays for; of a person's budget, every one.
    """

    budget: Budget
    begin: int
    end: int | None
    spent: int
    committed: int
    rate: int
    groups: frozenset[str] = frozenset()

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
