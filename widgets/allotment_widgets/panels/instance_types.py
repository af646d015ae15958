"""Instance types: what there may be of each, what is used, the account's quotas, who holds one."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from allotment.model.documents import InstanceType, InstanceTypeListing
from allotment.model.people import Permission
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action, Column
from allotment_widgets.fields import button, put, row, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.type_forms import (
    adding,
    changing,
    deleting,
    enabling,
    holders,
    revoking,
)
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import counted_as, server_words
from allotment_widgets.type_rows import (
    QUOTA_STATES,
    TYPE_STATES,
    quota_row,
    reading_html,
    type_row,
    warnings_html,
)

TYPE_COLUMNS = (
    Column("id", "Type", flex=1.1, width=120),
    Column("title", "Title", flex=1.4, width=120, hide_narrow=True),
    Column("price", "Per hour", kind="money", decimals=3, width=100),
    Column("used", "Taken", kind="meter", flex=1.1, width=120, hover="source"),
    Column("origin", "Limit from", width=124, hover="source", hide_narrow=True),
    Column("profiles", "Profiles", flex=1.2, width=110, hide_narrow=True),
    Column("state", "State", kind="state", states=TYPE_STATES, hover="warning", width=152),
)
QUOTA_COLUMNS = (
    Column("title", "Quota of the account", flex=2.2, width=200),
    Column("used", "Account uses", kind="meter", flex=1, width=130),
    Column("held", "User servers", kind="number", width=116, hide_narrow=True),
    Column("unit", "In", width=112, hide_narrow=True),
    Column("read_at", "Read", kind="time", width=112),
    Column("state", "State", kind="state", states=QUOTA_STATES, hover="warning", width=142),
)


class InstanceTypesPanel(Panel):
    """What is wrong, types, the chosen one, and the quotas of the account."""

    key = "instance-types"
    title = "Instance types"
    section = "Compute"
    topics = frozenset({Topic.TYPES, Topic.SERVERS})

    def build(self) -> tuple[Any, ...]:
        """When it was read, what is wrong, the form, types, the selected one, quotas."""
        self._slot = Slot(self.desk)
        self._read, self._warnings = words("", "quiet"), words()
        self._read_now = button("Read now")
        self._read_now.on_click(lambda _: self.desk.begin(self._ask_the_cloud()))
        self._types = Grid(
            TYPE_COLUMNS,
            title="Instance types",
            noun=("instance type", "instance types"),
            filter_hint="Filter by type, title, profile",
            empty="There is no instance type. Profiles that name none need none.",
            selection="one",
            actions=self._actions(),
            row_tone="state",
            sort=[("id", "ascending")],
            max_height=520,
        )
        self._types.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        self._types.on_select(lambda _: self.desk.backend.soon(self._show_details))
        self._details = words("")
        self._sheet = stack(self._details, kind="sheet pad")
        show(self._sheet, shown=False)
        self._quotas = Grid(
            QUOTA_COLUMNS,
            title="Quotas",
            noun=("quota", "quotas"),
            empty="No quota has been read.",
            selection="none",
            row_tone="state",
            max_height=360,
        )
        self._account = stack(row(self._read, self._read_now), self._quotas)
        show(self._account, shown=False)
        show(self._read_now, shown=False)
        return (self._warnings, self._slot.view, self._types, self._sheet, self._account)

    def _actions(self) -> list[Action]:
        may, actions = self.desk.may, []
        if may(Permission.MANAGE_PROFILES, Permission.MANAGE_LIMITS):
            actions += [Action("add", "Add…", tone="main", needs="none")]
        if may(Permission.MANAGE_PROFILES):
            actions += [
                Action("change", "Change…", needs="one"),
                Action("enable", "Enable…", needs="one"),
                Action("disable", "Disable…", needs="one"),
            ]
        if may(Permission.MANAGE_PROFILES, Permission.STOP_SERVERS):
            actions += [Action("revoke", "Revoke…", tone="risk", needs="one")]
        if may(Permission.MANAGE_PROFILES, Permission.MANAGE_LIMITS):
            actions += [Action("delete", "Delete…", tone="risk", needs="one")]
        return actions

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        known = self.picture.types
        if known is not None and changed.touches(Topic.TYPES):
            self._show_types(known)
        if changed.touches(Topic.TYPES, Topic.SERVERS):
            self._show_details()
            self._slot.refresh()

    def _show_types(self, known: InstanceTypeListing) -> None:
        put(self._warnings, warnings_html(known))
        self._types.replace(type_row(each) for each in known.items)
        self.choose(self._types, {each.name for each in known.items})
        self._quotas.replace(quota_row(each) for each in known.quotas)
        put(self._read, reading_html(known))
        show(self._account, shown=bool(known.quotas) or known.region is not None)
        asked = known.region is not None and self.desk.may(Permission.MANAGE_PROFILES)
        show(self._read_now, shown=asked)

    def about(self, what: str) -> None:
        """Choose the type of this name."""
        self._types.filter_text = ""
        known = self.picture.types
        self.choose(self._types, {each.name for each in known.items} if known else (), what)

    async def _ask_the_cloud(self) -> None:
        self._read_now.disabled = True
        try:
            await self.desk.call(self.desk.client.instance_types.read)
        except AllotmentError as error:
            self.desk.say(str(error), "bad")
        finally:
            self._read_now.disabled = False
            self.desk.again(Topic.TYPES, Topic.OVERVIEW)

    def _type(self, ids: Sequence[str]) -> InstanceType | None:
        known = self.picture.types
        return next((each for each in known.items if each.name in ids), None) if known else None

    def _show_details(self) -> None:
        one = self._type(self._types.selected)
        show(self._sheet, shown=one is not None)
        if one is not None:
            held = [server_words(each) for each in holders(self.picture, one.name)]
            put(self._details, _details_html(one, held))

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        one = self._type(ids)
        if key == "add":
            adding(self.desk, self._slot).open()
        elif one is None:
            return
        elif key == "change":
            changing(self.desk, self._slot, one).open()
        elif key == "revoke":
            revoking(self.desk, self._slot, one).open()
        elif key == "delete":
            deleting(self.desk, self._slot, one).open()
        else:
            enabling(self.desk, self._slot, one, enabled=key == "enable").open()


def _details_html(one: InstanceType, held: Sequence[str]) -> str:
    name = escape(one.name)
    title = f"<h2>{escape(one.title or one.name)} <span class=quiet>({name})</span></h2>"
    limit = "Nothing limits it." if one.most is None else f"At most {one.most} ({one.source})."
    own = "" if one.limit in {None, one.most} else f" Typed in: {one.limit}."
    quota = f" One takes {one.vcpus} vCPU of quota {one.quota}." if one.quota and one.vcpus else ""
    facts = f"<p>{escape(limit + own + quota)}</p>"
    links = ", ".join(
        f'<a href="#profiles" data-go="profiles" data-about="{escape(each)}">{escape(each)}</a>'
        for each in one.profiles
    )
    facts += f"<p>Launched by {links}.</p>" if links else "<p>No profile names it.</p>"
    if not held:
        return f"{title}{facts}<p>No server holds it.</p>"
    names = "".join(f"<li>{escape(each)}</li>" for each in held[:20])
    more = f"<li class=quiet>and {len(held) - 20} more</li>" if len(held) > 20 else ""  # noqa: PLR2004 - what fits
    number = counted_as(len(held), "server holds it", "servers hold it")
    return f"{title}{facts}<p>{number}:</p><ul>{names}{more}</ul>"
