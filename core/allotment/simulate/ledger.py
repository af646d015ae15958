"""Budgets while launches are replayed: what each group has spent in the period that it is in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from math import inf

from allotment.model.budgets import AtLimit, Period
from allotment.model.money import MILLION
from allotment.model.simulation import BudgetPlan
from allotment.rules.budget import bounds

_HOUR = 3600.0


class Account:
    """One budget. Times are POSIX seconds; they only rise."""

    def __init__(self, plan: BudgetPlan, begins: float, zone: tzinfo) -> None:
        self._amount, self._period, self._zone = float(plan.amount), plan.period, zone
        self._least = plan.minimum_session.total_seconds() / _HOUR
        self._spent, self._rate, self._at = float(plan.spent), 0.0, begins
        self._until = self._period_end(begins)

    def _period_end(self, clock: float) -> float:
        if self._period is Period.NONE:
            return inf
        _, end = bounds(self._period, 0, int(clock * MILLION), self._zone)
        return inf if end is None else end / MILLION

    def pays(self, price: float, clock: float) -> bool:
        """Whether a minimum session at this price an hour can be paid for now."""
        self._pass_time(clock)
        return not price or self._spent + price * self._least <= self._amount

    def change(self, by: float, clock: float) -> None:
        """A server of this price an hour begins, or ends (below zero)."""
        self._pass_time(clock)
        self._rate += by

    def _pass_time(self, clock: float) -> None:
        """Charge what runs; each period begins with nothing spent."""
        while self._until <= clock:
            self._spent, self._at = 0.0, self._until
            self._until = self._period_end(self._until)
        self._spent += self._rate * max(0.0, clock - self._at) / _HOUR
        self._at = max(self._at, clock)


class Ledger:
    """The budgets of a replay, over all its pools."""

    def __init__(self, plans: Sequence[BudgetPlan], begins: float, zone: tzinfo) -> None:
        binding = (plan for plan in plans if plan.at_limit is not AtLimit.WARN)
        self._of = {plan.group: Account(plan, begins, zone) for plan in binding}

    def __bool__(self) -> bool:
        return bool(self._of)

    def pays(self, group: str, price: float, clock: float) -> bool:
        """Whether a launch of a group can be paid for now."""
        account = self._of.get(group)
        return account is None or account.pays(price, clock)

    def change(self, group: str, by: float, clock: float) -> None:
        """What an hour of a group's servers costs rises or falls."""
        account = self._of.get(group)
        if account is not None and by:
            account.change(by, clock)
