"""Replay: the past, or a trace, under the present policy and a changed one, before it is applied."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import ipywidgets
from pydantic import ValidationError

from allotment.model.documents import Simulation
from allotment.model.people import Permission
from allotment.model.policy_changes import policy_changes
from allotment.model.refusals import AllotmentError
from allotment.model.simulation import SimulationPolicy
from allotment_widgets.asking import Slot
from allotment_widgets.cost_views import period_days
from allotment_widgets.fields import (
    button,
    choice_field,
    day_field,
    put,
    row,
    show,
    stack,
    tick_field,
    words,
)
from allotment_widgets.following import Following
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.replay_apply import Applying
from allotment_widgets.picture import Changed
from allotment_widgets.policy_fields import PolicyFields
from allotment_widgets.replay_views import (
    BY_GROUP,
    GROUP_COLUMNS,
    comparison_html,
    group_rows,
    refused_html,
)
from allotment_widgets.sentences import bullets, problem_html

TRACE, DAYS = "trace", "days"
SOURCES = (
    ("The last 7 days", "7"),
    ("The last 30 days", "30"),
    ("The last 90 days", "90"),
    ("Other days", DAYS),
    ("A trace (CSV)", TRACE),
)
LARGEST_TRACE = 7 * 2**20
_HINT = (
    "A trace has the columns submitted_at, duration (seconds), devices and group of each launch, and "
    "where they are known pool, priority, profile, price and idle."
)


class ReplayPanel(Panel):
    """What is replayed, the changed policy, both runs beside each other, groups."""

    key = "replay"
    title = "Replay"
    section = "Platform"
    topics = frozenset()

    def build(self) -> tuple[Any, ...]:
        """Source and policy in one form, what was found below it."""
        self._present: SimulationPolicy | None = None
        self._shown: tuple[SimulationPolicy, SimulationPolicy] | None = None
        self._last: Simulation | None = None
        self._trace = ""
        self._slot = Slot(self.desk)
        self._problem, self._changes = words(), words()
        self._fields = PolicyFields(self.desk, self._refresh)
        self._follow = Following(self.desk, "Run", self._begin, self._found)
        self._table, self._refused = words("", "sheet", "pad"), words()
        self._grid = Grid(
            GROUP_COLUMNS,
            title="Groups",
            noun=("group", "groups"),
            filter_hint="Filter by group or pool",
            empty="No group launched anything.",
            selection="none",
            sort=[("present", "descending")],
            max_height=520,
        )
        self._apply = button("Apply\N{HORIZONTAL ELLIPSIS}")
        self._apply.on_click(lambda _: self.desk.backend.soon(self._ask_apply))
        self._by = choice_field("Groups by", list(BY_GROUP), next(iter(BY_GROUP)))
        self._by.remove_class("field")
        self._by.observe(lambda _: self.desk.backend.soon(self._show_groups), "value")
        self._outcome = stack(
            self._table, row(self._apply), self._slot.view, row(self._by), self._grid, self._refused
        )
        show(self._outcome, shown=False)
        form = stack(*self._source(), self._fields.view, self._undo(), self._follow.view)
        form.add_class("sheet")
        form.add_class("asking")
        return (self._problem, form, self._outcome)

    def _source(self) -> tuple[Any, ...]:
        self._period = choice_field("Replay", SOURCES, "7")
        self._period.observe(lambda _: self.desk.backend.soon(self._refresh), "value")
        self._file = ipywidgets.FileUpload(
            accept=".csv", multiple=False, description="Choose a file"
        )
        self._file.observe(lambda _: self.desk.backend.soon(self._take_file), "value")
        self._by_use = tick_field("Shares in proportion to the use in the trace", value=True)
        self._by_use.observe(lambda _: self.desk.backend.soon(self._refresh), "value")
        self._sent = stack(words(f"<p>{_HINT}</p>", "hint"), self._file, self._by_use)
        show(self._sent, shown=False)
        self._first, self._last_day = (day_field(label) for label in ("From", "To"))
        self._days = stack(self._first, self._last_day, kind="fields")
        show(self._days, shown=False)
        return (stack(self._period, kind="fields"), self._days, self._sent)

    def _undo(self) -> Any:
        self._again = button("Undo all")
        self._again.on_click(lambda _: self.desk.backend.soon(self._start))
        return row(self._changes, self._again)

    def show(self, changed: Changed) -> None:
        """Read the present policy when the panel is opened for the first time."""
        del changed
        if self._present is None:
            self.desk.begin(self._read())

    def about(self, what: str) -> None:
        """Try a policy that another panel found, as JSON."""
        self._meant = what
        if self._present is not None:
            self._start_meant()

    async def _read(self) -> None:
        try:
            self._present = await self.desk.call(self.desk.client.simulations.present_policy)
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            return
        put(self._problem, "" if self._present else "<p>No pool has devices yet.</p>")
        self._start_meant()

    def _start_meant(self) -> None:
        """Begin with what was meant; a link that means no policy begins with the present one."""
        try:
            policy = SimulationPolicy.model_validate_json(self._meant) if self._meant else None
        except ValidationError:
            policy = None
        self._start(policy)

    def _start(self, policy: SimulationPolicy | None = None) -> None:
        self._meant = ""
        if self._present is not None:
            self._fields.start(policy or self._present)
        self._refresh()

    def _refresh(self) -> None:
        """Say what is changed, and whether it can be replayed."""
        sent = self._period.value == TRACE
        show(self._sent, shown=sent)
        show(self._days, shown=self._period.value == DAYS)
        policy = self._fields.policy
        lines = policy_changes(self._present, policy) if self._present and policy else ()
        lines = (*lines, *(_promised(policy) if policy else ()))
        put(self._changes, bullets(lines) if lines else "<p>Nothing is changed yet.</p>")
        show(self._again, shown=bool(lines))
        ready = policy is not None and not self._fields.wrong
        self._follow.enable(possible=ready and (bool(self._trace) or not sent))

    def _take_file(self) -> None:
        chosen = self._file.value
        content = bytes(chosen[0]["content"]) if chosen else b""
        self._trace = ""
        if len(content) > LARGEST_TRACE:
            put(self._problem, "<p>This file is larger than 7 MiB: use allotment simulate.</p>")
        else:
            put(self._problem, "")
            self._trace = content.decode("utf-8-sig", "replace")
        self._refresh()

    def _begin(self) -> Simulation:
        """Ask for the replay; the present policy alone where nothing is changed."""
        present, policy = self._present, self._fields.policy
        asking = self.desk.client.simulations
        if self._period.value == TRACE:
            present, policy = self._as_used(present), self._as_used(policy)
            return asking.begin(
                trace=self._trace, present=present, changed=_if_other(present, policy)
            )
        begin, end = self._first.value, self._last_day.value
        if self._period.value != DAYS:
            begin, end = period_days(str(self._period.value), datetime.now(UTC), "UTC")
        return asking.begin(begin=begin, end=end, changed=_if_other(present, policy))

    def _as_used(self, policy: SimulationPolicy | None) -> SimulationPolicy | None:
        if policy is None or not self._by_use.value:
            return policy
        pools = tuple(pool.model_copy(update={"shares": "by-use"}) for pool in policy.pools)
        return policy.model_copy(update={"pools": pools})

    def _found(self, found: Simulation) -> None:
        show(self._outcome, shown=True)
        put(self._table, comparison_html(found))
        put(self._refused, refused_html(found))
        self._last = found
        self._show_groups()
        present, changed = found.present_policy, found.changed_policy
        self._shown = (present, changed) if present and changed and found.own else None
        allowed = self.desk.may(Permission.MANAGE_POOLS, Permission.MANAGE_GROUPS)
        show(self._apply, shown=allowed and self._shown is not None)

    def _show_groups(self) -> None:
        if self._last is not None:
            self._grid.replace(group_rows(self._last, str(self._by.value)))

    def _ask_apply(self) -> None:
        if self._shown is not None:
            Applying(self.desk, *self._shown, self._read_again).form(self._slot).open()

    def _read_again(self) -> None:
        """What was changed is the present policy now."""
        self.desk.begin(self._read())


def _promised(policy: SimulationPolicy) -> list[str]:
    """Pools that guarantee more than they have."""
    found = []
    for pool in policy.pools:
        promised = sum(one.guaranteed for one in pool.written_shares)
        if promised > pool.devices:
            found.append(f"{pool.name} would guarantee {promised} devices and has {pool.devices}.")
    return found


def _if_other(
    present: SimulationPolicy | None, policy: SimulationPolicy | None
) -> SimulationPolicy | None:
    return None if policy == present else policy
