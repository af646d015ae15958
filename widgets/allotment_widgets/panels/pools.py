"""Pools and devices: what there is, how it is, who holds it; plots that are chosen and moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from allotment.model.devices import Isolation
from allotment.model.documents import Device, Pool
from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action
from allotment_widgets.device_rows import DEVICE_COLUMNS, POOL_COLUMNS, device_row, pool_row
from allotment_widgets.fields import button, heading, put, row, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.out_of_use import OutOfUse
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.pool_forms import deleting, editing, making, moving
from allotment_widgets.panels.reservation_forms import (
    RESERVATION_COLUMNS,
    cancelling,
    reservation_row,
    reserving,
    zone_of,
)
from allotment_widgets.panels.sharing_form import sharing
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.plots import PlotGrid
from allotment_widgets.sentences import devices_count
from allotment_widgets.server_rows import device_plot


class PoolsPanel(Panel):
    """Devices as plots and rows that are chosen together, and the pools that they are in."""

    key = "pools"
    title = "Pools and devices"
    section = "Compute"
    topics = frozenset({Topic.DEVICES, Topic.SERVERS})

    def build(self) -> tuple[Any, ...]:
        """Pools, plots of all devices, devices as rows."""
        self._slot = Slot(self.desk)
        self._may = self.desk.may(Permission.MANAGE_POOLS)
        self._plots = PlotGrid(
            title="Devices by pool", selectable=True, empty="No devices were found."
        )
        self._pools = self._make_pools()
        self._devices = Grid(
            DEVICE_COLUMNS,
            title="Devices",
            noun=("device", "devices"),
            filter_hint="Filter devices: id, node, model, pool, holder, state",
            empty="No devices were found. The machine's inventory says why: run “allotment doctor”.",
            row_tone="state",
            max_height=560,
        )
        self._kept, self._reservations = Slot(self.desk), self._make_reservations()
        self._out = OutOfUse(self.desk, may=self._may, chosen=self._selected)
        self._plots.on_select(lambda _: self._chosen(self._plots, self._devices))
        self._devices.on_select(lambda _: self._chosen(self._devices, self._plots))
        return (
            self._slot.view,
            self._pools,
            stack(heading("Devices"), self._plots, self._bar(), kind="sheet pad"),
            self._devices,
            *self._out.views,
            self._kept.view,
            self._reservations,
        )

    def _make_pools(self) -> Grid:
        actions = [
            Action("new", "New pool…", tone="main", needs="none"),
            Action("edit", "Edit…", needs="one"),
            Action("sharing", "Sharing…", needs="one"),
            Action("delete", "Delete…", tone="risk", needs="one"),
        ]
        grid = Grid(
            POOL_COLUMNS,
            title="Pools",
            noun=("pool", "pools"),
            filter_hint="Filter pools: name, model, group",
            selection="one",
            actions=actions if self._may else [],
            max_height=330,
        )
        grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        return grid

    def _make_reservations(self) -> Grid:
        actions = [
            Action("reserve", "Reserve devices…", tone="main", needs="none"),
            Action("cancel", "Cancel…", tone="risk", needs="one"),
        ]
        grid = Grid(
            RESERVATION_COLUMNS,
            title="Reservations",
            noun=("reservation", "reservations"),
            filter_hint="Filter reservations: pool, holder, note",
            empty="Nothing is reserved. A reservation keeps devices for a course or a deadline.",
            selection="one",
            actions=actions if self._may else [],
            max_height=330,
        )
        grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask_kept(key, ids)))
        return grid

    def _ask_kept(self, key: str, ids: Sequence[str]) -> None:
        known = self.picture.overview.reservations if self.picture.overview else ()
        chosen = next((each for each in known if each.id in ids), None)
        if key == "reserve":
            reserving(self.desk, self._kept).open()
        elif chosen is not None:
            cancelling(self.desk, self._kept, chosen).open()

    def _bar(self) -> Any:
        """What can be done with the chosen plots; says so where nothing is chosen."""
        self._said = words("", "hint")
        self._move = button("Move to a pool…")
        self._new = button("New pool of these…")
        self._move.on_click(lambda _: self.desk.backend.soon(self._ask_move))
        self._new.on_click(lambda _: self.desk.backend.soon(lambda: self._ask("new", ())))
        self._take = button("Take out of use…")
        self._take.on_click(lambda _: self.desk.backend.soon(self._out.take))
        self._shared = words("", "quiet")
        acts = row(self._said, *([self._move, self._new, self._take] if self._may else []))
        return stack(acts, self._shared)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.OVERVIEW) and self.picture.overview is not None:
            pools = self.picture.overview.pools
            self._pools.replace(pool_row(each) for each in pools)
            kept = self.picture.overview.reservations
            zone = zone_of(self.picture)
            self._reservations.replace(reservation_row(each, zone) for each in kept)
            self._out.show()
        if Topic.DEVICES not in self.picture.known:
            return
        if changed.touches(Topic.DEVICES, Topic.SERVERS, Topic.CLOCK):
            now = datetime.now(UTC)
            devices = sorted(self.picture.devices.values(), key=lambda each: (each.pool, each.id))
            self._plots.replace(
                device_plot(each, self.picture, now, section=each.pool) for each in devices
            )
            self._devices.replace(device_row(each, self.picture, now) for each in devices)
            self.choose(self._devices, self.picture.devices)
            put(self._shared, shared_html(devices))
        self._show_bar()

    def about(self, what: str) -> None:
        """Show the devices of these words, and choose the one of this name."""
        self._devices.filter_text = what
        self.choose(self._devices, self.picture.devices, what)

    def _chosen(self, here: Grid | PlotGrid, other: Grid | PlotGrid) -> None:
        """What is chosen among the plots is chosen among the rows, and the other way round."""
        self.desk.backend.soon(lambda: self._choose(here, other))

    def _choose(self, here: Grid | PlotGrid, other: Grid | PlotGrid) -> None:
        # What is chosen now, not what was when this was asked for: else two choices in quick
        # succession would chase each other for ever.
        if set(other.selected) != set(here.selected):
            other.select(here.selected)
        self._show_bar()

    def _selected(self) -> list[Device]:
        known = self.picture.devices
        return [known[name] for name in self._plots.selected if name in known]

    def _show_bar(self) -> None:
        chosen = self._selected()
        many = devices_count(len(chosen))
        if self._may:
            said = f"{many} selected." if chosen else "Select plots to move devices between pools."
        else:
            said = (
                f"{many} selected."
                if chosen
                else "Colour by group; amber: idle; orange: unhealthy; hatched: out of use."
            )
        put(self._said, said)
        self._move.disabled = self._new.disabled = self._take.disabled = not chosen
        self._slot.refresh()

    def _pool(self, ids: Sequence[str]) -> Pool | None:
        pools = self.picture.overview.pools if self.picture.overview else ()
        return next((each for each in pools if each.name in ids), None)

    def _ask_move(self) -> None:
        moving(self.desk, self._slot, self._selected).open()

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        pool = self._pool(ids)
        if Topic.DEVICES not in self.picture.known:
            # Editing begins with the pool's own plots selected: without them it would empty the pool.
            self.desk.say("The devices are still being read. Try again in a moment.", "warn")
        elif key == "new":
            making(self.desk, self._slot, self._selected).open()
        elif key == "edit" and pool is not None:
            self._plots.select(pool.devices)
            editing(self.desk, self._slot, pool, self._selected).open()
        elif key == "sharing" and pool is not None:
            sharing(self.desk, self._slot, pool).open()
        elif key == "delete" and pool is not None:
            deleting(self.desk, self._slot, pool).open()


def shared_html(devices: Iterable[Device]) -> str:
    """What it means that some devices are parts of one; nothing where none is."""
    kinds = {each.isolation for each in devices} & {Isolation.MIG, Isolation.TIME_SLICE}
    return "".join(f"<p>{escape(kind.words)}.</p>" for kind in sorted(kinds))
