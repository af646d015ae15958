"""Capacity plan: what every pool has, what groups were promised of it, what they hold and held at most."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from allotment.model.documents import CapacityPlan, PlannedPool, PlannedShare, PlanSum
from allotment.model.planning import Fit
from allotment_widgets.columns import Column, State
from allotment_widgets.cost_views import csv_link
from allotment_widgets.fields import put, row, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.period_panel import PeriodPanel
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import counted_as

PERIODS = (
    ("Last 30 days", "30"),
    ("Last 7 days", "7"),
    ("Last 90 days", "90"),
    ("Last 365 days", "365"),
)
_TONES = {Fit.OVERCOMMITTED: "bad", Fit.FULL: "warn", Fit.LENT: "info", Fit.FITS: "ok"}
STATES = {
    str(fit): State(fit.words, _TONES[fit])  # type: ignore[arg-type]  # tones of _TONES
    for fit in Fit
}
COLUMNS = (
    Column("pool", "Pool", flex=1.1, width=110),
    Column("group", "Group", flex=1.1, width=110, hover="department"),
    Column("available", "Devices", kind="number", width=92, hover="capacity"),
    Column("guaranteed", "Guaranteed", kind="number", width=112),
    Column("ceiling", "Ceiling", kind="number", width=88),
    Column("held", "Held now", kind="meter", flex=1, width=120),
    Column("peak", "Peak", kind="meter", flex=1, width=120, hover="peak_words"),
    Column("average", "Average", kind="number", decimals=1, width=96, hide_narrow=True),
    Column("fit", "Plan", kind="state", states=STATES, words="fit_words", flex=1.4, width=170),
)


class CapacityPlanPanel(PeriodPanel):
    """What is over-committed, figures, one table of pools and the groups in them."""

    key = "capacity"
    title = "Capacity plan"
    section = "Money"
    topics = frozenset({Topic.OVERVIEW})

    def build(self) -> tuple[Any, ...]:
        """The period, what is wrong, figures, the table."""
        self.choose_period("Peak and average of", PERIODS, "30")
        self._over = words()
        self._facts = words("", "sheet", "facts", "num")
        self._grid = Grid(
            COLUMNS,
            title="Capacity plan",
            noun=("line", "lines"),
            filter_hint="Filter by pool or group",
            empty="There is no pool with devices yet.",
            selection="none",
            max_height=640,
        )
        return (row(self.period, self.link), self.problem, self._over, self._facts, self._grid)

    def show(self, changed: Changed) -> None:
        """Read it when the panel is opened, when pools or groups changed, and each minute."""
        if changed.touches(Topic.OVERVIEW) or (changed.touches(Topic.CLOCK) and self.late):
            self.again()

    def about(self, what: str) -> None:
        """Show the lines of this name."""
        self._grid.filter_text = what

    async def read(self) -> tuple[CapacityPlan, str]:
        """Ask for the plan, as a document and as a table for spreadsheets."""
        begin, _ = self.days()
        asking, call = self.desk.client.planning, self.desk.call
        return await call(asking.plan, begin=begin), await call(asking.csv, begin=begin)

    def show_answers(self, answers: tuple[CapacityPlan, str]) -> None:
        """Show the plan."""
        plan, saved = answers
        self.zone = plan.time_zone
        put(self._over, over_html(plan))
        put(self._facts, facts_html(plan.total))
        put(self.link, csv_link(saved, f"capacity-plan-{plan.end:%Y-%m-%d}.csv"))
        self._grid.replace(plan_rows(plan))


def plan_rows(plan: CapacityPlan) -> list[dict[str, object]]:
    """A row for each pool, and below it one for each group in it."""
    rows = []
    for pool in plan.items:
        rows.append(_pool_row(pool))
        rows += [_share_row(pool, share) for share in pool.shares]
    return rows


def _pool_row(pool: PlannedPool) -> dict[str, object]:
    over = f"Over by {pool.overcommitted}" if pool.overcommitted else pool.fit.words
    away = pool.capacity - pool.available
    return {
        "id": pool.name,
        "pool": pool.name,
        "group": "all together",
        "available": pool.available,
        "capacity": f"{pool.capacity}, {away} of them out of order" if away else str(pool.capacity),
        "guaranteed": pool.guaranteed,
        "ceiling": pool.ceilings,
        "held": (pool.held, pool.available),
        "peak": (pool.peak, pool.available),
        "peak_words": _peak_words(pool.peak_at),
        "average": pool.average,
        "fit": str(pool.fit),
        "fit_words": over,
    }


def _share_row(pool: PlannedPool, share: PlannedShare) -> dict[str, object]:
    ceiling = share.ceiling or None
    return {
        "id": f"{pool.name}/{share.group}",
        "pool": pool.name,
        "group": share.group or "no group",
        "available": None,
        "capacity": None,
        "guaranteed": share.guaranteed,
        "ceiling": share.ceiling,
        "held": (share.held, ceiling),
        "peak": (share.peak, ceiling),
        "peak_words": _peak_words(share.peak_at),
        "average": share.average,
        "department": f"Department {share.department}" if share.department else None,
    }


def _peak_words(peak_at: datetime | None) -> str:
    return "" if peak_at is None else f"first at {peak_at:%Y-%m-%d %H:%M} UTC"


def over_html(plan: CapacityPlan) -> str:
    """Which pools promise more than they can give; nothing where none does."""
    over = [pool for pool in plan.items if pool.overcommitted]
    if not over:
        return ""
    lines = "".join(
        f"<li><b>{escape(pool.name)}</b>: {pool.guaranteed} are guaranteed, {pool.available} can be "
        f"given out. Guarantee {pool.overcommitted} fewer, or add devices.</li>"
        for pool in over
    )
    number = counted_as(len(over), "pool is", "pools are")
    return (
        f'<div class="reasons" role="status"><b>{number} over-committed</b><ul>{lines}</ul></div>'
    )


def facts_html(total: PlanSum) -> str:
    """All pools together."""
    known = total.available
    facts = (
        (str(known), f"devices that can be given out, of {total.capacity}"),
        (_part(total.guaranteed, known), f"guaranteed: {total.guaranteed} devices"),
        (_part(total.held, known), f"held now: {total.held} devices"),
        (_part(total.peak, known), f"at the peak: {total.peak} devices"),
        (_part(total.average, known), f"on average: {total.average:,.1f} devices"),
    )
    return "".join(f"<div><b>{escape(n)}</b><span>{escape(said)}</span></div>" for n, said in facts)


def _part(number: float, of: int) -> str:
    return f"{number / of:.0%}" if of else "\N{EN DASH}"
