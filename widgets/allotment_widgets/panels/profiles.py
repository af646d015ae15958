"""Profiles: what is offered, what is wrong with a file, who still holds one."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from allotment.model.documents import Profile
from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.profile_forms import enabling, holders, revoking
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import counted_as, pool_words, server_words

STATES = {
    "offered": State("Offered", "ok"),
    "kept": State("File broken", "bad"),
    "broken": State("Not offered", "bad"),
    "disabled": State("Disabled", "warn"),
    "unavailable": State("No instance", "warn"),
    "withdrawn": State("Withdrawn", "quiet"),
}

COLUMNS = (
    Column("id", "Profile", flex=1.2, width=110),
    Column("title", "Title", flex=1.5, width=120, hover="description"),
    Column("devices", "Devices", kind="number", width=92),
    Column("pool", "From", flex=0.9, width=84),
    Column("cpu", "CPU", kind="number", width=72, hide_narrow=True),
    Column("memory", "Memory", kind="bytes", width=94, hide_narrow=True),
    Column("price", "Per hour", kind="money", width=100, hide_narrow=True),
    Column("seen", "Seen by", flex=0.9, width=90, hide_narrow=True),
    Column("servers", "Held by", kind="number", width=92),
    Column("state", "State", kind="state", states=STATES, hover="problem", flex=1.2, width=130),
)


class ProfilesPanel(Panel):
    """Broken files first, then all profiles, then what one is about."""

    key = "profiles"
    title = "Profiles"
    section = "Compute"
    topics = frozenset({Topic.PROFILES, Topic.SERVERS})

    def build(self) -> tuple[Any, ...]:
        """What is wrong, the grid, the selected one."""
        self._slot = Slot(self.desk)
        self._broken = words("")
        self._grid = Grid(
            COLUMNS,
            title="Profiles",
            noun=("profile", "profiles"),
            filter_hint="Filter profiles: name, title, pool, state",
            empty="No profile is published. Put files into the folder that the settings name.",
            selection="one",
            actions=self._actions(),
            row_tone="state",
            sort=[("id", "ascending")],
            max_height=520,
        )
        self._grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        self._grid.on_select(lambda _: self.desk.backend.soon(self._show_details))
        self._details = words("")
        self._sheet = stack(self._details, kind="sheet pad")
        show(self._sheet, shown=False)
        return (self._broken, self._slot.view, self._grid, self._sheet)

    def _actions(self) -> list[Action]:
        actions = []
        if self.desk.may(Permission.MANAGE_PROFILES):
            actions += [
                Action("enable", "Enable…", needs="one"),
                Action("disable", "Disable…", needs="one"),
            ]
        if self.desk.may(Permission.MANAGE_PROFILES, Permission.STOP_SERVERS):
            actions += [Action("revoke", "Revoke…", tone="risk", needs="one")]
        return actions

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.PROFILES) and Topic.PROFILES in self.picture.known:
            self._grid.replace(profile_row(each) for each in self.picture.profiles)
            put(
                self._broken, _broken_html([each for each in self.picture.profiles if each.problem])
            )
            self.choose(self._grid, {each.name for each in self.picture.profiles})
        if changed.touches(Topic.PROFILES, Topic.SERVERS):
            self._show_details()

    def about(self, what: str) -> None:
        """Choose the profile of this name."""
        self._grid.filter_text = ""
        self.choose(self._grid, {each.name for each in self.picture.profiles}, what)

    def _profile(self, ids: Sequence[str]) -> Profile | None:
        return next((each for each in self.picture.profiles if each.name in ids), None)

    def _show_details(self) -> None:
        profile = self._profile(self._grid.selected)
        show(self._sheet, shown=profile is not None)
        if profile is not None:
            held = [server_words(each) for each in holders(self.picture, profile.name)]
            put(self._details, _details_html(profile, held))

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        profile = self._profile(ids)
        if profile is None:
            return
        if key == "revoke":
            revoking(self.desk, self._slot, profile).open()
        else:
            enabling(self.desk, self._slot, profile, enabled=key == "enable").open()


def profile_state(profile: Profile) -> str:
    """The state that a row shows."""
    if profile.problem:
        return "kept" if profile.offered else "broken"
    if profile.retired:
        return "withdrawn"
    if not profile.enabled:
        return "disabled"
    return "unavailable" if profile.unavailable else "offered"


def profile_row(profile: Profile) -> dict[str, object]:
    """One profile as a row."""
    return {
        "id": profile.name,
        "title": profile.title,
        "description": profile.description,
        "devices": profile.devices,
        "pool": pool_words(profile) or None,
        "cpu": profile.cpu,
        "memory": profile.memory,
        "price": profile.price,
        "seen": _audience(profile),
        "servers": profile.servers,
        "state": profile_state(profile),
        "problem": profile.problem or profile.unavailable,
    }


def _audience(profile: Profile) -> str:
    if profile.name == "operator-console":
        return "operators"
    seen = profile.visible_to
    if seen is None:
        return "everyone"
    return ", ".join((*seen.groups, *seen.people)) or "nobody"


def _broken_html(broken: Sequence[Profile]) -> str:
    if not broken:
        return ""
    lines = "".join(
        f"<li><b>{escape(each.name)}</b>: {escape(each.problem.rstrip('.'))}."
        f"{' The last good version stays in force.' if each.offered else ' It is not offered.'}</li>"
        for each in broken
    )
    number = counted_as(len(broken), "profile's file is", "profiles' files are")
    return f'<div class="reasons" role="status"><b>{number} broken</b><ul>{lines}</ul></div>'


def _details_html(profile: Profile, held: Sequence[str]) -> str:
    name = escape(profile.name)
    title = f"<h2>{escape(profile.title)} <span class=quiet>({name})</span></h2>"
    about = f"<p>{escape(profile.description)}</p>" if profile.description else ""
    file = f'<p class="quiet small">From {escape(profile.source)}</p>' if profile.source else ""
    if profile.successor:
        said = escape(f"{profile.successor} replaces it. {profile.successor_message}".strip())
        about += f"<p>{said}</p>"
    if profile.software:
        choices = ", ".join(escape(one.title) for one in profile.software)
        about += f"<p>Software to choose: {choices}</p>"
    if profile.instance_type:
        link = f'<a href="#instance-types" data-go="instance-types" data-about="{escape(profile.instance_type)}">{escape(profile.instance_type)}</a>'
        about += f"<p>Instance type {link}. {escape(profile.unavailable)}</p>"
    if not held:
        return f"{title}{about}{file}<p>No server holds it.</p>"
    link = f'<a href="#servers" data-go="servers" data-about="{escape(profile.title)}">Open in Servers</a>'
    names = "".join(f"<li>{escape(each)}</li>" for each in held[:20])
    more = f"<li class=quiet>and {len(held) - 20} more</li>" if len(held) > 20 else ""  # noqa: PLR2004 - what fits
    number = counted_as(len(held), "server still holds it", "servers still hold it")
    return f"{title}{about}{file}<p>{number}. {link}</p><ul>{names}{more}</ul>"
