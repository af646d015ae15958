"""Costs and usage: against capacity over time, by group, and as a table of whatever is asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from allotment.model.budgets import BudgetScope
from allotment.model.documents import UsageListing
from allotment.model.money import Dimension
from allotment.model.people import Permission
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Slot
from allotment_widgets.chart import Chart, Series
from allotment_widgets.columns import Action, Column
from allotment_widgets.cost_views import (
    DIMENSIONS,
    PERIODS,
    Daily,
    csv_link,
    daily,
    facts_html,
    period_days,
    usage_table,
)
from allotment_widgets.fields import choice_field, heading, put, row, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.budget_form import COLUMNS as BUDGET_COLUMNS
from allotment_widgets.panels.budget_form import budget_row, budgeting
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import problem_html

AGAIN_AFTER = 60.0
"""Seconds after which what is shown is read again."""

COLUMNS = (
    Column("name", "Name", flex=2, width=140),
    Column("cost", "Cost", kind="money", flex=1, width=110),
    Column("part", "Of all", kind="percent", width=84),
    Column("device_hours", "Device hours", kind="number", decimals=1, flex=1, width=120),
    Column("hours", "Server hours", kind="number", decimals=1, flex=1, width=120, hide_narrow=True),
    Column("sessions", "Sessions", kind="number", width=100, hide_narrow=True),
)


class CostsPanel(Panel):
    """Figures, two charts, a table; for a period and by a dimension that are chosen."""

    key = "costs"
    title = "Costs and usage"
    section = "Money"
    topics = frozenset()

    def build(self) -> tuple[Any, ...]:
        """What is asked for, figures, charts, the table."""
        self._zone, self._read_at, self._asked = "UTC", 0.0, 0
        self._period = self._choice("Period", PERIODS, "month")
        self._by = self._choice("Add up by", DIMENSIONS, Dimension.GROUP)
        self._facts, self._problem, self._link = (
            words("", "sheet", "facts", "num"),
            words(),
            words(),
        )
        self._devices = Chart(
            [
                Series("used", "In use, average of the day", kind="area"),
                Series("capacity", "Devices there now", kind="limit"),
            ],
            title="Devices in use against capacity, day by day",
            unit="devices",
            height=224,
            empty="Nothing was used in this time.",
        )
        self._costs = Chart(
            [],
            title="Cost by group, day by day",
            height=224,
            empty="Nothing with a price ran in this time.",
        )
        self._grid = Grid(
            COLUMNS,
            title="Use",
            noun=("line", "lines"),
            filter_hint="Filter by name",
            empty="Nothing was used in this time.",
            selection="none",
            sort=[("cost", "descending")],
            max_height=520,
        )
        self._slot = Slot(self.desk)
        self._budgets = Grid(
            BUDGET_COLUMNS,
            title="Budgets",
            noun=("budget", "budgets"),
            filter_hint="Filter budgets: name, state",
            empty="No budget is set. Groups and users are given one in their panels.",
            selection="one",
            actions=[Action("change", "Change…", needs="one")]
            if self.desk.may(Permission.MANAGE_LIMITS)
            else [],
            row_tone="state",
            sort=[("part", "descending")],
            max_height=420,
        )
        self._budgets.on_action(lambda _, ids: self.desk.backend.soon(lambda: self._ask(ids)))
        return (
            row(self._period, self._by, self._link),
            self._problem,
            self._facts,
            row(
                stack(heading("Devices in use"), self._devices, kind="sheet pad"),
                stack(heading("Cost by group"), self._costs, kind="sheet pad"),
                kind="cols",
            ),
            self._grid,
            stack(heading("Budgets"), self._slot.view, self._budgets),
        )

    def _choice(self, label: str, options: Any, value: Any) -> Any:
        field = choice_field(label, self._tags(options) if label != "Period" else options, value)
        field.remove_class("field")
        field.observe(lambda _: self.desk.backend.soon(self._again), "value")
        return field

    def _tags(self, options: Any) -> list[tuple[str, str]]:
        """Beside what is always there, each tag that some group has."""
        overview = self.picture.overview
        tags = {name for each in overview.groups for name in each.tags} if overview else set()
        return [*options, *((f"Tag {name}", f"tag:{name}") for name in sorted(tags))]

    def show(self, changed: Changed) -> None:
        """Read it when the panel is opened, and again each minute."""
        if time.monotonic() - self._read_at >= AGAIN_AFTER and changed.touches(Topic.CLOCK):
            self._again()

    def about(self, what: str) -> None:
        """Show the use of this name."""
        self._grid.filter_text = what

    def _again(self) -> None:
        self._read_at = time.monotonic()
        self._asked += 1
        self.desk.begin(self._read(self._asked))

    async def _read(self, asked: int) -> None:
        by, tag = _dimension(str(self._by.value))
        begin, end = period_days(str(self._period.value), datetime.now(UTC), self._zone)
        asking, call = self.desk.client.usage, self.desk.call
        try:
            whole = await call(asking.all, [Dimension.GROUP, Dimension.DAY], begin=begin, end=end)
            lines = await call(asking.all, [by], begin=begin, end=end, tag=tag)
            saved = await call(asking.csv, [by], begin=begin, end=end, tag=tag)
            budgets = await call(self.desk.client.budgets.all)
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            return
        if asked == self._asked:
            self._show(whole, lines, saved)
            self._budgets.replace(budget_row(one) for one in budgets.items)

    def _show(self, whole: UsageListing, lines: UsageListing, saved: str) -> None:
        self._zone = whole.time_zone
        overview = self.picture.overview
        capacity = overview.capacity.total if overview else 0
        days = daily(whole, self.picture.palette)
        put(self._problem, "")
        put(self._facts, facts_html(whole, capacity, days))
        put(self._link, csv_link(saved, f"use-by-{lines.by[0]}-{whole.begin:%Y-%m-%d}.csv"))
        self._draw(days, capacity)
        self._grid.replace(usage_table(lines))

    def _ask(self, ids: Sequence[str]) -> None:
        """Open the form of the budget that is selected."""
        if ids:
            scope, _, subject = ids[0].partition("/")
            form = budgeting(self.desk, self._slot, BudgetScope(scope), subject, self._again)
            self.desk.begin(form)

    def _draw(self, days: Daily, capacity: int) -> None:
        self._devices.replace(
            days.times, {"used": days.devices, "capacity": [capacity] * len(days.times)}
        )
        self._costs.show_series(days.series)
        self._costs.replace(days.times if days.series else (), days.costs)


def _dimension(chosen: str) -> tuple[Dimension, str | None]:
    """The dimension of a choice, and the tag's name where it is one."""
    name, _, tag = chosen.partition(":")
    return Dimension(name), tag or None
