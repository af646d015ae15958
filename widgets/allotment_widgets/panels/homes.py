"""Homes: what is kept of people's files, until when, and what was packed away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allotment.model.documents import Home, HomeArchive
from allotment.model.homes import ArchiveAsk, HomeEnd
from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.grid import Grid
from allotment_widgets.panels.home_forms import archive_form, ending_form, keeping_form
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic

STATES = {
    "used": State("Used", "ok"),
    "unused": State("Unused", "plain"),
    "ends": State("Ends soon", "warn"),
    "due": State("Due to an heir", "warn"),
    "busy": State("On its way", "info"),
    "problem": State("Problem", "bad"),
}
COLUMNS = (
    Column("person", "Person", flex=1, width=104),
    Column("place", "Home", flex=1.2, width=120, extra=True),
    Column("used", "Holds", kind="bytes", width=104, hide_narrow=True),
    Column("size", "Of", kind="bytes", width=96, extra=True),
    Column("since", "Unused since", kind="time", width=130, hide_narrow=True),
    Column("ends", "Ends", width=112),
    Column("state", "State", kind="state", states=STATES, hover="why", width=128),
)
ARCHIVE_STATES = {
    "kept": State("Kept", "plain"),
    "restored": State("Restored", "ok"),
    "busy": State("On its way", "info"),
    "problem": State("Problem", "bad"),
}
ARCHIVE_COLUMNS = (
    Column("person", "Person", flex=1, width=104),
    Column("file", "File", flex=2, width=150, hide_narrow=True),
    Column("size", "Size", kind="bytes", width=104, hide_narrow=True),
    Column("entries", "Files", kind="number", width=92, hide_narrow=True),
    Column("made", "Packed", kind="time", width=120),
    Column("state", "State", kind="state", states=ARCHIVE_STATES, hover="why", width=128),
)
HOMES, ARCHIVES = "Homes", "Packed away"
_EMPTY = "There is no home yet. A home is made by its person's first server."
_NO_ARCHIVES = "Nothing was packed away."


class HomesPanel(Panel):
    """A form where one is open, the homes, and the archives."""

    key = "homes"
    title = "Homes"
    section = "People"
    topics = frozenset({Topic.HOMES})

    def build(self) -> tuple[Any, ...]:
        """A form's place, and the two grids."""
        self._slot = Slot(self.desk)
        may_change = self.desk.may(Permission.MANAGE_PEOPLE, Permission.STOP_SERVERS)
        self._homes = Grid(
            COLUMNS,
            title=HOMES,
            noun=("home", "homes"),
            filter_hint="Filter: person, state",
            empty=_EMPTY,
            actions=_ACTIONS if may_change else (),
            sort=[("person", "ascending")],
            selection="one",
            max_height=520,
        )
        self._archives = Grid(
            ARCHIVE_COLUMNS,
            title=ARCHIVES,
            noun=("archive", "archives"),
            filter_hint="Filter: person, file",
            empty=_NO_ARCHIVES,
            actions=_ARCHIVE_ACTIONS if may_change else (),
            sort=[("made", "descending")],
            selection="one",
            max_height=360,
        )
        for grid in (self._homes, self._archives):
            grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        return (self._slot.view, self._homes, self._archives)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        listing = self.picture.homes
        if changed.touches(Topic.HOMES) and listing is not None:
            self._homes.replace(home_row(each) for each in listing.items)
            self._archives.replace(archive_row(each) for each in listing.archives)
            self.choose(self._homes, {each.id for each in listing.items})

    def about(self, what: str) -> None:
        """Show the homes of this person."""
        self._homes.filter_text = what

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        listing = self.picture.homes
        if listing is None:
            return
        home = next((one for one in listing.items if one.id in ids), None)
        archive = next((one for one in listing.archives if one.id in ids), None)
        if home is not None and key == "keep":
            keeping_form(self.desk, self._slot, home).open()
        elif home is not None:
            ending_form(self.desk, self._slot, home, HomeEnd(key)).open()
        elif archive is not None:
            what = ArchiveAsk.RESTORE if key == "restore" else ArchiveAsk.REMOVE
            archive_form(self.desk, self._slot, archive, what).open()


_ACTIONS = [
    Action("keep", "Keep…", needs="one"),
    Action(HomeEnd.ARCHIVE, "Pack away…", needs="one"),
    Action(HomeEnd.REMOVE, "Remove…", tone="risk", needs="one"),
]
_ARCHIVE_ACTIONS = [
    Action("restore", "Restore…", needs="one"),
    Action("delete", "Delete…", tone="risk", needs="one"),
]


def home_row(one: Home) -> dict[str, object]:
    """One home as a row."""
    state, why = "used", f"{one.person} has a server on {one.hub}"
    if one.problem:
        state, why = "problem", one.problem
    elif one.asked is not None:
        state, why = "busy", f"It is being {one.asked.words}."
    elif one.heir is not None and not one.in_use:
        state = "due"
        why = f"{one.person} has left. Move what is in it to {one.heir}, then remove it."
    elif one.ends_at is not None and one.warned_at is not None:
        state, why = "ends", f"{one.person} was told {one.warned_at:%Y-%m-%d}"
    elif not one.in_use:
        state, why = "unused", f"{one.person} has no server on {one.hub}"
    return {
        "id": one.id,
        "person": one.person,
        "place": None if one.place == one.person else one.place,
        "used": one.used,
        "size": one.size,
        "since": one.unused_since,
        "ends": None if one.ends_at is None else f"{one.ends_at:%Y-%m-%d}",
        "state": state,
        "why": why,
    }


def archive_row(one: HomeArchive) -> dict[str, object]:
    """One archive as a row."""
    state, why = "kept", f"Packed by {one.made_by}"
    if one.problem:
        state, why = "problem", one.problem
    elif one.asked is not None:
        state, why = "busy", f"To {one.asked}, within a minute"
    elif one.restored_at is not None:
        state, why = "restored", f"Restored {one.restored_at:%Y-%m-%d %H:%M} UTC"
    return {
        "id": one.id,
        "person": one.person,
        "file": one.file,
        "size": one.size,
        "entries": one.entries,
        "made": one.made_at,
        "state": state,
        "why": why,
    }
