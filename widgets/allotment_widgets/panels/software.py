"""Software: what profiles name, its versions, and which servers are behind."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from allotment.model.documents import Software, SoftwareRelease
from allotment.model.releases import Build
from allotment_widgets.columns import Column, State
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Picture, Topic
from allotment_widgets.sentences import counted_as, server_words

STATES = {
    "current": State("Up to date", "ok"),
    "behind": State("Behind", "warn"),
    "unused": State("Not in use", "quiet"),
}
COLUMNS = (
    Column("profile", "Profile", flex=1.6, width=150),
    Column("title", "Software", flex=1.2, width=110, hide_narrow=True),
    Column("version", "Version", flex=1.2, width=104, hover="from"),
    Column("published", "Published", kind="time", width=112, hide_narrow=True),
    Column("servers", "Servers", kind="number", width=92, hide_narrow=True),
    Column("behind", "Behind", kind="number", width=104),
    Column("by", "Update by", kind="time", width=112, hide_narrow=True),
    Column("state", "State", kind="state", states=STATES, width=132, hide_narrow=True),
)
MOST = 20
"""Servers that are named of one version."""


class SoftwarePanel(Panel):
    """Every choice of software with its version, and the chosen one with its releases."""

    key = "software"
    title = "Software"
    section = "Compute"
    topics = frozenset({Topic.SOFTWARE, Topic.SERVERS})

    def build(self) -> tuple[Any, ...]:
        """The list, and the selected one."""
        self._grid = Grid(
            COLUMNS,
            title="Software",
            noun=("choice of software", "choices of software"),
            filter_hint="Filter by profile, software, version",
            empty="No profile is published. Put a file into the folder of profiles.",
            selection="one",
            row_tone="state",
            sort=[("behind", "descending")],
            max_height=520,
        )
        self._grid.on_select(lambda _: self.desk.backend.soon(self._show_details))
        self._details = words("")
        self._sheet = stack(self._details, kind="sheet pad")
        show(self._sheet, shown=False)
        return (self._grid, self._sheet)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.SOFTWARE) and Topic.SOFTWARE in self.picture.known:
            self._grid.replace(software_row(each) for each in self.picture.software)
            self.choose(self._grid, {software_id(each) for each in self.picture.software})
        if changed.touches(Topic.SOFTWARE, Topic.SERVERS):
            self._show_details()

    def about(self, what: str) -> None:
        """Choose the software of this id."""
        self._grid.filter_text = ""
        self.choose(self._grid, {software_id(each) for each in self.picture.software}, what)

    def _show_details(self) -> None:
        chosen = [one for one in self.picture.software if software_id(one) in self._grid.selected]
        show(self._sheet, shown=bool(chosen))
        if chosen:
            put(self._details, details_html(chosen[0], self.picture))


def software_id(one: Software) -> str:
    """What names a row."""
    return f"{one.profile}/{one.software}" if one.software else one.profile


def _is_named(one: Software) -> bool:
    """Whether its file says a version, an image or a folder."""
    return one.version != Build().words


def software_row(one: Software) -> dict[str, object]:
    """One choice of software as a row."""
    number = one.current + len(one.behind)
    return {
        "id": software_id(one),
        "profile": one.profile_title,
        "title": one.title if one.software else None,
        "version": one.version if _is_named(one) else None,
        "from": one.image or one.python_environment,
        "published": one.releases[0].published_at if one.releases else None,
        "servers": number,
        "behind": len(one.behind),
        "by": one.update_by,
        "state": "behind" if one.behind else "current" if number else "unused",
    }


def details_html(one: Software, picture: Picture) -> str:
    """Its releases, newest first, each with its notes and the servers that run it."""
    place = one.image or one.python_environment
    came = f"<p class=quiet>From {escape(place)}</p>" if place else ""
    if not one.releases:
        text = "<p>It was published before versions were counted: name a version in its file.</p>"
        return f"<h2>{escape(one.title)}</h2>{came}{text}"
    items = "".join(_release_html(each, picture) for each in one.releases)
    return f"<h2>{escape(one.title)}</h2>{came}{items}"


def _release_html(one: SoftwareRelease, picture: Picture) -> str:
    notes = f"<p>{escape(one.notes)}</p>" if one.notes else ""
    held = counted_as(len(one.servers), "server runs it", "servers run it")
    names = _names(one.servers, picture)
    by = f" Older ones are stopped {one.update_by:%Y-%m-%d %H:%M} UTC." if one.update_by else ""
    at = f"{one.published_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"<div class=release><h3>{escape(one.version)} <span class=quiet>published {at}</span></h3>"
        f"{notes}<p>{held}{names}.{by}</p></div>"
    )


def _names(ids: Sequence[str], picture: Picture) -> str:
    if not ids:
        return ""
    known = [server_words(picture.servers[one]) for one in ids if one in picture.servers]
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return f": {escape(', '.join(known[:MOST]))}{more}" if known else ""
