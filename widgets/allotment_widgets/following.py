"""A replay from the click that begins it to its end, with how far it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from allotment.model.documents import Simulation, SimulationState
from allotment.model.refusals import AllotmentError, Refusal
from allotment_widgets.desk import Desk
from allotment_widgets.fields import button, put, row, show, stack, words
from allotment_widgets.replay_views import progress_html
from allotment_widgets.sentences import problem_html

LOOK = 1.0
"""Seconds for which the control plane may keep a question about one that still runs."""


class Following:
    """A button that begins a replay, and what is shown until it has ended.

    ``begin`` asks for it and may raise a refusal; ``ended`` is called with what was found.
    """

    def __init__(
        self,
        desk: Desk,
        label: str,
        begin: Callable[[], Simulation],
        ended: Callable[[Simulation], None],
    ) -> None:
        self._desk, self._begin, self._ended = desk, begin, ended
        self._running: Simulation | None = None
        self._run = button(label, "main", kind="confirm")
        self._stop = button("Stop")
        self._said, self._problem = words(), words()
        self._run.on_click(lambda _: desk.begin(self.run()))
        self._stop.on_click(lambda _: desk.begin(self._end()))
        show(self._stop, shown=False)
        self.view = stack(row(self._run, self._stop), self._said, self._problem)

    def enable(self, *, possible: bool) -> None:
        """Whether it can be begun."""
        self._run.disabled = not possible or self._running is not None

    async def run(self) -> None:
        """Begin one, and follow it to its end."""
        if self._running is not None or self._run.disabled:
            return
        self._run.disabled = True
        put(self._problem, "")
        try:
            found = await self._desk.call(self._begin)
            while not found.state.ended:
                self._show(found)
                found = await self._desk.call(
                    partial(self._desk.client.simulations.get, found.id, wait=LOOK)
                )
        except AllotmentError as error:
            put(self._problem, problem_html(error))
        else:
            self._over(found)
        finally:
            self._show(None)
            self._run.disabled = False

    def _over(self, found: Simulation) -> None:
        if found.state is SimulationState.DONE:
            self._ended(found)
        elif found.state is SimulationState.FAILED:
            put(self._problem, problem_html(AllotmentError(found.problem)))

    def _show(self, found: Simulation | None) -> None:
        self._running = found
        put(self._said, progress_html(found))
        show(self._stop, shown=found is not None)

    async def _end(self) -> None:
        running = self._running
        if running is None:
            return
        try:
            await self._desk.call(self._desk.client.simulations.end, running.id)
        except Refusal as refusal:
            put(self._problem, problem_html(refusal))
