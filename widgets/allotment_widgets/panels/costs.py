"""Costs and usage: against capacity over time, by group, who waited, and as a table of whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from allotment.model import currency
from allotment.model.budgets import BudgetScope
from allotment.model.documents import BudgetListing, UsageListing, Waiting
from allotment.model.money import Dimension
from allotment.model.people import Permission
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
    usage_table,
    waited_html,
    waiting_times,
)
from allotment_widgets.fields import heading, put, row, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.budget_form import COLUMNS as BUDGET_COLUMNS
from allotment_widgets.panels.budget_form import budget_row, budgeting
from allotment_widgets.panels.period_panel import PeriodPanel
from allotment_widgets.picture import Changed, Topic

EVERY_POOL = ""
CHART_HEIGHT, WAITING_HEIGHT = 224, 160

COLUMNS = (
    Column("name", "Name", flex=2, width=140),
    Column("cost", "Cost", kind="money", flex=1, width=110),
    Column("part", "Of all", kind="percent", width=84),
    Column("device_hours", "Device hours", kind="number", decimals=1, flex=1, width=120),
    Column("hours", "Server hours", kind="number", decimals=1, flex=1, width=120, hide_narrow=True),
    Column("sessions", "Sessions", kind="number", width=100, hide_narrow=True),
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the panel shows, of one period."""

    whole: UsageListing
    lines: UsageListing
    saved: str
    waiting: Waiting
    budgets: BudgetListing


class CostsPanel(PeriodPanel):
    """Figures, charts, a table; for a period, a pool and a dimension that are chosen; and budgets."""

    key = "costs"
    title = "Costs and usage"
    section = "Money"
    topics = frozenset()

    def build(self) -> tuple[Any, ...]:
        """What is asked for, figures, charts, the table, budgets."""
        self.choose_period("Period", PERIODS, "month")
        self._by = self.choice("Add up by", self._dimensions(), Dimension.GROUP)
        self._pool = self.choice("Pool", self._pools(), EVERY_POOL)
        self._facts = words("", "sheet", "facts", "num")
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
        return (
            row(self.period, self._pool, self._by, self.link),
            self.problem,
            self._facts,
            self._make_charts(),
            self._make_waiting(),
            self._grid,
            self._make_budgets(),
        )

    def _make_charts(self) -> Any:
        """Devices and money, day by day."""
        self._devices = Chart(
            [
                Series("used", "In use, average of the day", kind="area"),
                Series("capacity", "Devices there now", kind="limit"),
            ],
            title="Devices in use against capacity, day by day",
            unit="devices",
            height=CHART_HEIGHT,
            empty="Nothing was used in this time.",
        )
        self._costs = Chart(
            [],
            title="Cost by group, day by day",
            unit=currency.in_force().sign,
            height=CHART_HEIGHT,
            empty="Nothing with a price ran in this time.",
        )
        return row(
            stack(heading("Devices in use"), self._devices, kind="sheet pad"),
            stack(heading("Cost by group"), self._costs, kind="sheet pad"),
            kind="cols",
        )

    def _make_waiting(self) -> Any:
        """Who waited, over the same time."""
        self._waiting = Chart(
            [
                Series("average", "Waiting, on average", kind="area"),
                Series("most", "At once, at most", kind="line", colour="quiet"),
            ],
            title="Servers that waited for their turn",
            unit="servers",
            height=WAITING_HEIGHT,
            empty="Nobody waited in this time.",
        )
        self._waited = words("", "quiet")
        return stack(heading("Waiting"), self._waited, self._waiting, kind="sheet pad")

    def _make_budgets(self) -> Any:
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
        return stack(heading("Budgets"), self._slot.view, self._budgets)

    def _dimensions(self) -> list[tuple[str, str]]:
        """Beside what is always there, each tag that some group has."""
        overview = self.picture.overview
        tags = {name for each in overview.groups for name in each.tags} if overview else set()
        return [*DIMENSIONS, *((f"Tag {name}", f"tag:{name}") for name in sorted(tags))]

    def _pools(self) -> list[tuple[str, str]]:
        """All pools together, or one of them."""
        pools = self.picture.overview.pools if self.picture.overview else ()
        return [("All", EVERY_POOL), *((each.name, each.name) for each in pools)]

    def show(self, changed: Changed) -> None:
        """Read it when the panel is opened, and again each minute."""
        if self.late and changed.touches(Topic.CLOCK):
            self.again()

    def about(self, what: str) -> None:
        """Show the use of this name."""
        self._grid.filter_text = what

    async def read(self) -> Answers:
        """Ask for use, waiting and budgets."""
        by, tag = _dimension(str(self._by.value))
        begin, end = self.days()
        pool = str(self._pool.value) or None
        asking, call, client = self.desk.client.usage, self.desk.call, self.desk.client
        daily_by = [Dimension.GROUP, Dimension.DAY]
        return Answers(
            await call(asking.all, daily_by, begin=begin, end=end, pool=pool),
            await call(asking.all, [by], begin=begin, end=end, tag=tag, pool=pool),
            await call(asking.csv, [by], begin=begin, end=end, tag=tag, pool=pool),
            await call(client.planning.waiting, begin=begin, end=end, pool=pool),
            await call(client.budgets.all),
        )

    def show_answers(self, answers: Answers) -> None:
        """Show use, waiting and budgets."""
        whole, lines = answers.whole, answers.lines
        self.zone = whole.time_zone
        capacity, days = self._capacity(), daily(whole, self.picture.palette)
        put(self._facts, facts_html(whole, capacity, days))
        name = f"use-by-{lines.by[0]}-{whole.begin:%Y-%m-%d}.csv"
        put(self.link, csv_link(answers.saved, name))
        self._draw(days, capacity)
        self._draw_waiting(answers.waiting)
        self._grid.replace(usage_table(lines))
        self._budgets.replace(budget_row(one) for one in answers.budgets.items)

    def _capacity(self) -> int:
        """Devices that are there now, of the pool that is chosen."""
        overview = self.picture.overview
        if overview is None:
            return 0
        chosen = self._pool.value
        if chosen == EVERY_POOL:
            return overview.capacity.total
        return sum(each.total for each in overview.pools if each.name == chosen)

    def _ask(self, ids: Sequence[str]) -> None:
        """Open the form of the budget that is selected."""
        if ids:
            scope, _, subject = ids[0].partition("/")
            form = budgeting(self.desk, self._slot, BudgetScope(scope), subject, self.again)
            self.desk.begin(form)

    def _draw(self, days: Daily, capacity: int) -> None:
        self._devices.replace(
            days.times, {"used": days.devices, "capacity": [capacity] * len(days.times)}
        )
        self._costs.show_series(days.series)
        self._costs.replace(days.times if days.series else (), days.costs)

    def _draw_waiting(self, found: Waiting) -> None:
        points = found.items if any(one.most for one in found.items) else ()
        put(self._waited, waited_html(found))
        self._waiting.replace(
            waiting_times(found, points),
            {
                "average": [one.average for one in points],
                "most": [one.most for one in points],
            },
        )


def _dimension(chosen: str) -> tuple[Dimension, str | None]:
    """The dimension of a choice, and the tag's name where it is one."""
    name, _, tag = chosen.partition(":")
    return Dimension(name), tag or None
