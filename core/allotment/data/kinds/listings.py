"""Pages of what is found when browsing a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Entry

DEPTH = 2
"""Schema and table; a column holds nothing."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which entries are asked for: so many after one."""

    after: str
    limit: int

    @property
    def asked(self) -> int:
        """One more than is shown: it tells whether there are more."""
        return self.limit + 1

    @property
    def number(self) -> int:
        """The last column's number, 0 at the beginning.

        Raises:
            SourceProblem: ``after`` did not come from a page before.
        """
        if self.after and not (self.after.isascii() and self.after.isdigit()):
            raise SourceProblem("There is no such page.", remedy="Begin with the first.")
        return min(int(self.after[:9] or "0"), 32_767)


def page(found: Sequence[tuple[str, Entry]], wanted: Page) -> Browsed:
    """A page of entries, each with the mark by which the next page is asked for."""
    shown = found[: wanted.limit]
    more = len(found) > wanted.limit
    return Browsed(tuple(entry for _, entry in shown), shown[-1][0] if more and shown else None)


def must_be_place(path: tuple[str, ...]) -> None:
    """Refuse a place that no database has.

    Raises:
        SourceProblem: it lies deeper than a table, or its name cannot be one.
    """
    if len(path) > DEPTH:
        raise SourceProblem("A column holds nothing to browse.", remedy="Choose a table.")
    if any("\0" in part for part in path):
        raise SourceProblem("No database has a name like this.", remedy="Choose one from the list.")
