"""What would have let people in: single changes, each by a replay of the past."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from allotment.model.amounts import counted
from allotment.model.documents import Simulation, SimulationQuestion
from allotment.model.simulation import LetInTable
from allotment_widgets.columns import Action, Column
from allotment_widgets.cost_views import period_days
from allotment_widgets.fields import choice_field, put, show, stack, words
from allotment_widgets.following import Following
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed
from allotment_widgets.replay_views import minutes_words, refused_html
from allotment_widgets.sentences import counted_as

_LAUNCHES = ("launch", "launches")
PERIODS = (("The last 7 days", "7"), ("The last 30 days", "30"), ("Since yesterday", "2"))
_NEXT = "Choose a longer period, or try several changes together in Replay."
COLUMNS = (
    Column("words", "Change", flex=3, width=200, hover="words"),
    Column("let_in", "Let in", kind="number", width=104),
    Column("hours", "Hours saved", kind="number", decimals=1, width=116, hide_narrow=True),
    Column("reclaimed", "Reclaimed", kind="number", width=104, hide_narrow=True),
    Column("stopped", "Stopped idle", kind="number", width=116, hide_narrow=True),
    Column("cost", "Cost", kind="money", width=100, hide_narrow=True),
)


class LetInPanel(Panel):
    """Who was not let in, and which single change would have let most of them in."""

    key = "let-in"
    title = "What would let in"
    section = "Compute"
    topics = frozenset()

    def build(self) -> tuple[Any, ...]:
        """The period, what is known of it, the changes."""
        self._policies: dict[str, str] = {}
        self._period = choice_field("Period", PERIODS, "7")
        self._follow = Following(self.desk, "Find out", self._begin, self._found)
        self._said, self._refused = words(), words()
        self._grid = Grid(
            COLUMNS,
            title="Single changes",
            noun=("change", "changes"),
            filter_hint="Filter by pool, group or profile",
            empty=f"No single change would have let anybody in. {_NEXT}",
            selection="one",
            actions=[Action("replay", "Look at it in Replay", needs="one")],
            sort=[("let_in", "descending")],
            max_height=620,
        )
        self._grid.on_action(lambda _, ids: self.desk.backend.soon(lambda: self._go(ids)))
        self._table = stack(self._said, self._grid, self._refused)
        show(self._table, shown=False)
        form = stack(stack(self._period, kind="fields"), self._follow.view)
        form.add_class("sheet")
        form.add_class("asking")
        return (form, self._table)

    def show(self, changed: Changed) -> None:
        """What was found stays until it is asked for again."""
        del changed

    def about(self, what: str) -> None:
        """Show the changes of these words."""
        self._grid.filter_text = what

    def _begin(self) -> Simulation:
        begin, _ = period_days(str(self._period.value), datetime.now(UTC), "UTC")
        return self.desk.client.simulations.begin(SimulationQuestion.LET_IN, begin=begin)

    def _found(self, found: Simulation) -> None:
        show(self._table, shown=True)
        put(self._refused, refused_html(found))
        put(self._said, summary_html(found))
        table = found.let_in
        self._policies = (
            {one.words: one.policy.model_dump_json() for one in table.changes} if table else {}
        )
        self._grid.replace(change_rows(table) if table else [])

    def _go(self, ids: Sequence[str]) -> None:
        policy = next((self._policies[name] for name in ids if name in self._policies), None)
        if policy is not None:
            self.desk.go("replay", policy)


def summary_html(found: Simulation) -> str:
    """How many were not let in at once, and what was tried."""
    table = found.let_in
    if table is None:
        return "<p>Nobody launched anything with devices in this time. Choose a longer period.</p>"
    now = table.now
    waited = counted_as(now.waits.noticed, *_LAUNCHES)
    nobody = counted_as(now.gave_up, *_LAUNCHES)
    never = counted_as(now.never, *_LAUNCHES)
    what = (
        f"{waited} waited a minute or longer, {minutes_words(now.waits.ninety)} at 90 %; {nobody} came "
        f"to nothing since nobody waited, and {never} can never be served."
    )
    tried = f"{counted(table.tried, 'change')} tried"
    if table.untried:
        tried += f", {table.untried} not: the time was up. Choose a shorter period to try all"
    lines = [what, f"{tried}. Each line is one change alone; they do not add up."]
    return "".join(f"<p>{line}</p>" for line in lines)


def change_rows(table: LetInTable) -> list[dict[str, object]]:
    """A row for each change."""
    return [
        {
            "id": one.words,
            "words": one.words,
            "let_in": one.let_in,
            "hours": one.hours_saved,
            "reclaimed": one.reclaimed,
            "stopped": one.stopped_idle,
            "cost": one.cost,
        }
        for one in table.changes
    ]
