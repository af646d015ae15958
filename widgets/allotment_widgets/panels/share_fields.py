"""The fields for a group's shares: a line for each pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets

from allotment.client import NewShare
from allotment.model.documents import Group, GroupShare, Pool
from allotment_widgets.desk import Desk
from allotment_widgets.fields import button, choice_field, fraction_field, number_field, row, stack

NONE = ""


@dataclass(frozen=True)
class Line:
    """One share as it is being written."""

    pool: ipywidgets.Dropdown
    guaranteed: ipywidgets.BoundedIntText
    ceiling: ipywidgets.BoundedIntText
    weight: ipywidgets.BoundedFloatText
    view: Any

    def share(self) -> NewShare | None:
        """The share; None where no pool is chosen."""
        if self.pool.value == NONE:
            return None
        return NewShare(
            self.pool.value, self.guaranteed.value, self.ceiling.value, self.weight.value
        )


class ShareFields:
    """Lines that can be added where a group may have several pools. Tells every change."""

    def __init__(self, desk: Desk, group: Group | None) -> None:
        self._desk = desk
        self._listeners: list[Callable[[], None]] = []
        about = desk.picture.about
        self._several = about is not None and about.mode == "flexible"
        self._lines: list[Line] = []
        self._box = stack()
        self._more = button("Another pool")
        self._more.on_click(lambda _: desk.backend.soon(lambda: self._add(None)))
        self.view = stack(self._box, *([self._more] if self._several else []), kind="stack wide")
        self._group = group
        for share in group.shares if group and group.shares else (None,):
            self._add(share)

    def shares(self) -> tuple[NewShare, ...]:
        """What is written now."""
        return tuple(share for line in self._lines if (share := line.share()) is not None)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call back, in the backend's thread, when something was written."""
        self._listeners.append(listener)

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()

    def _add(self, share: GroupShare | None) -> None:
        line = self._line(share)
        self._lines.append(line)
        self._box.children = [each.view for each in self._lines]
        self._changed()

    def _line(self, share: GroupShare | None) -> Line:
        pool = choice_field("Pool", self._options(), share.pool if share else NONE)
        guaranteed = number_field("Guaranteed devices", share.guaranteed if share else 0)
        ceiling = number_field("Ceiling", share.ceiling if share else 0)
        weight = fraction_field("Weight for spare devices", share.weight if share else 1.0)
        line = Line(
            *(pool, guaranteed, ceiling, weight),
            row(pool, guaranteed, ceiling, weight, kind="fields share-line"),
        )
        guaranteed.observe(lambda change: self._lift(line, change["new"]), "value")
        for field in (pool, guaranteed, ceiling, weight):
            field.observe(lambda _: self._desk.backend.soon(self._changed), "value")
        return line

    def _lift(self, line: Line, guaranteed: int) -> None:
        """A ceiling is never below the guarantee."""
        if line.ceiling.value < guaranteed:
            self._desk.backend.soon(lambda: setattr(line.ceiling, "value", guaranteed))

    def _options(self) -> list[tuple[str, str]]:
        overview = self._desk.picture.overview
        pools: Sequence[Pool] = overview.pools if overview else ()
        own = {each.pool: each.guaranteed for each in self._group.shares} if self._group else {}
        return [
            ("none", NONE),
            *((_pool_words(each, own.get(each.name, 0)), each.name) for each in pools),
        ]


def _pool_words(pool: Pool, own: int) -> str:
    left = pool.total - pool.guaranteed + own
    return f"{pool.name}: {left} of {pool.total} can be guaranteed"


def share_lines(group: Group | None, wanted: Sequence[NewShare]) -> list[str]:
    """What changes of a group's shares, in sentences."""
    before = {each.pool: each for each in group.shares} if group else {}
    lines = []
    for share in wanted:
        ceiling = share.guaranteed if share.ceiling is None else share.ceiling
        old = before.pop(share.pool, None)
        now = f"{share.guaranteed} guaranteed, at most {ceiling}"
        if old is None:
            lines.append(f"It gets a share in pool {share.pool}: {now}.")
        elif (old.guaranteed, old.ceiling, old.weight) != (
            share.guaranteed,
            ceiling,
            share.weight,
        ):
            was = f"{old.guaranteed} guaranteed, at most {old.ceiling}"
            lines.append(f"Pool {share.pool}: {now} (was {was}).")
    lines += [
        f"It gives up its share in pool {pool} ({old.guaranteed} guaranteed)."
        for pool, old in before.items()
    ]
    return lines
