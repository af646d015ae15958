"""Panels whose figures are read for a period that is chosen."""

from __future__ import annotations

import time
from abc import abstractmethod
from datetime import UTC, date, datetime
from typing import Any

from allotment.model.refusals import AllotmentError
from allotment_widgets.cost_views import period_days
from allotment_widgets.fields import Options, choice_field, put, words
from allotment_widgets.panels.panel import Panel
from allotment_widgets.sentences import problem_html

AGAIN_AFTER = 60.0
"""Seconds after which what is shown is read again, though nothing was said to have changed."""


class PeriodPanel(Panel):
    """Reads when it is opened, when something else is chosen, and each minute; the last answer is shown."""

    def choose_period(self, label: str, periods: Options, value: str) -> None:
        """Make what every such panel has: the choice of a period, and places for a link and for trouble."""
        self.zone, self._read_at, self._asked = "UTC", 0.0, 0
        self.link, self._problem = words(), words()
        self.period = self.choice(label, periods, value)

    def choice(self, label: str, options: Options, value: Any) -> Any:
        """A choice on whose change everything is read again."""
        field = choice_field(label, options, value)
        field.remove_class("field")
        field.observe(lambda _: self.desk.backend.soon(self.again), "value")
        return field

    @property
    def problem(self) -> Any:
        """Where it is said that nothing could be read."""
        return self._problem

    @property
    def late(self) -> bool:
        """Whether it is time to read again."""
        return time.monotonic() - self._read_at >= AGAIN_AFTER

    def again(self) -> None:
        """Read again."""
        self._read_at = time.monotonic()
        self._asked += 1
        self.desk.begin(self._read(self._asked))

    def days(self) -> tuple[date | None, date | None]:
        """First and last day that are asked for."""
        return period_days(str(self.period.value), datetime.now(UTC), self.zone)

    async def _read(self, asked: int) -> None:
        try:
            answers = await self.read()
        except AllotmentError as error:
            put(self._problem, problem_html(error))
            return
        if asked == self._asked:
            put(self._problem, "")
            self.show_answers(answers)

    @abstractmethod
    async def read(self) -> Any:
        """Ask for everything.

        Raises:
            AllotmentError: it could not be read.
        """

    @abstractmethod
    def show_answers(self, answers: Any) -> None:
        """Show what was answered."""
