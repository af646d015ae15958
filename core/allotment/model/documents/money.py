"""Use, what it cost, and budgets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from allotment.model.budgets import AtLimit, BudgetScope, Period
from allotment.model.documents.document import Document, Listing
from allotment.model.durations import Duration
from allotment.model.money import Dimension


class UsageSum(Document):
    """What was used: hours of servers and of devices to a millionth, and what they cost."""

    hours: Decimal = Field(description="Hours in which servers ran")
    device_hours: Decimal = Field(description="The same, times the devices of each")
    cost: Decimal = Field(description="By the prices that were promised at launch")


class UsageRow(UsageSum):
    """One line: what it is of, by each of the dimensions asked for; empty: of none."""

    person: str | None = None
    group: str | None = Field(default=None, description="The group that paid; empty: none")
    department: str | None = None
    tag: str | None = Field(default=None, description="The value of the tag asked for")
    pool: str | None = Field(default=None, description="Empty: servers without devices")
    profile: str | None = None
    day: str | None = Field(default=None, examples=["2026-11-22"])
    month: str | None = Field(default=None, examples=["2026-11"])
    sessions: int = Field(description="Launches that ran in it")


class UsageListing(Listing):
    """Use from ``begin`` until before ``end``, in the order of the names.

    ``total`` is that of everything asked for, whatever page this is.
    """

    items: tuple[UsageRow, ...]
    by: tuple[Dimension, ...]
    begin: datetime
    end: datetime
    time_zone: str = Field(examples=["Europe/Berlin"])
    total: UsageSum


class Budget(Document):
    """A budget with what it has paid for in its period.

    One of everybody, or of a group's members, is counted for each person: it is told of the one who
    used the most. A person without a budget of their own has the default that binds, with revision 0.

    ``committed`` is what servers that run may still use of their minimum session. ``ends_at`` is
    when it ends at the present rate: None where it lasts, or nothing is charged now.
    """

    scope: BudgetScope
    subject: str
    amount: Decimal
    period: Period
    at_limit: AtLimit
    grace: Duration
    minimum_session: Duration
    begins_at: datetime = Field(description="When it was given")
    period_begin: datetime
    period_end: datetime | None = None
    spent: Decimal
    committed: Decimal
    percent: int = Field(description="How much of it is spent, in whole percent")
    rate: Decimal = Field(description="What an hour of what runs now costs")
    ends_at: datetime | None = None
    sentence: str = Field(
        examples=["The budget of group vision is used to 82 %: 410.00 of 500.00 a month."]
    )
    source: str = Field(
        description="Where it comes from: its owner's own, a group's or the platform's default",
        examples=["set for this person", "group vision", "the platform's default"],
    )
    person: str | None = Field(default=None, description="The person for whom it is counted")
    revision: int


class BudgetListing(Listing):
    """Budgets, by scope and subject."""

    items: tuple[Budget, ...]
