"""What every panel is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container
from typing import Any, ClassVar

from allotment_widgets.desk import Desk
from allotment_widgets.fields import stack
from allotment_widgets.grid import Grid
from allotment_widgets.picture import Changed, Topic


class Panel(ABC):
    """One entry of the rail and what it opens. Used in the backend's thread only.

    ``topics`` are what the panel needs to be kept true while it is open. ``whole_platform`` is whether
    it is for those who see everything; other panels are for whoever manages data too.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    section: ClassVar[str] = ""
    whole_platform: ClassVar[bool] = True
    topics: ClassVar[frozenset[Topic]]

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.picture = desk.picture
        self._meant = ""
        self.view = stack(*self.build(), kind="panel")

    @abstractmethod
    def build(self) -> tuple[Any, ...]:
        """Make the panel's parts, from top to bottom."""

    @abstractmethod
    def show(self, changed: Changed) -> None:
        """Show what is new; when the panel is opened, everything is."""

    def choose(self, grid: Grid, known: Container[str], what: str = "") -> None:
        """Select the row that a link meant; where it has not been read yet, as soon as it is."""
        self._meant = what or self._meant
        if self._meant and self._meant in known:
            grid.select([self._meant])
            self._meant = ""

    @abstractmethod
    def about(self, what: str) -> None:
        """Show what a link meant: a name, or words to filter by."""
