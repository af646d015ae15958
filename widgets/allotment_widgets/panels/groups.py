"""Groups: their shares, their people, their leads."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from allotment.model.budgets import BudgetScope
from allotment.model.documents import Group
from allotment.model.people import Permission
from allotment.model.refusals import AllotmentError
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.group_rows import (
    DEPARTMENT_COLUMNS,
    GROUP_COLUMNS,
    MEMBER_COLUMNS,
    department_row,
    group_row,
    member_rows,
    share_words,
    tag_words,
)
from allotment_widgets.panels import department_forms
from allotment_widgets.panels.budget_form import budgeting
from allotment_widgets.panels.department_forms import departments_of
from allotment_widgets.panels.group_forms import adding, deleting, removing, writing
from allotment_widgets.panels.limit_forms import limiting
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.platform_form import choosing
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import listed, problem_lines


class GroupsPanel(Panel):
    """All groups, and the people of the one that is selected."""

    key = "groups"
    title = "Groups"
    section = "People"
    topics = frozenset({Topic.USERS})

    def build(self) -> tuple[Any, ...]:
        """Groups, and below them who is in the selected one."""
        self._slot, self._inside = Slot(self.desk), Slot(self.desk)
        self._groups = self._make_groups()
        self._members = self._make_members()
        self._about = words("")
        self._sheet = stack(self._about, self._inside.view, self._members)
        show(self._sheet, shown=False)
        self._above = Slot(self.desk)
        self._departments = self._make_departments()
        return (self._slot.view, self._groups, self._sheet, self._above.view, self._departments)

    def _make_groups(self) -> Grid:
        actions = [
            Action("new", "New group…", tone="main", needs="none"),
            Action("edit", "Edit…", needs="one"),
            Action("delete", "Delete…", tone="risk", needs="one"),
        ]
        if self.desk.may(Permission.MANAGE_LIMITS):
            actions.insert(2, Action("limits", "Limits…", needs="one"))
            actions.insert(3, Action("budget", "Budget…", needs="one"))
            actions.insert(4, Action("members", "Members' budget…", needs="one"))
        if self.desk.may(Permission.MANAGE_PEOPLE):
            actions.append(Action("platform", "Mode and default…", needs="none"))
        grid = Grid(
            GROUP_COLUMNS,
            title="Groups",
            noun=("group", "groups"),
            filter_hint="Filter groups: name, title, pool, lead, tag",
            empty="There are no groups. A group has people and a share of a pool.",
            selection="one",
            actions=actions if self.desk.may(Permission.MANAGE_GROUPS) else [],
            max_height=420,
        )
        grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        grid.on_select(lambda _: self.desk.backend.soon(self._show_members))
        return grid

    def _make_departments(self) -> Grid:
        actions = [
            Action("new", "New department…", tone="main", needs="none"),
            Action("edit", "Edit…", needs="one"),
            Action("delete", "Delete…", tone="risk", needs="one"),
        ]
        grid = Grid(
            DEPARTMENT_COLUMNS,
            title="Departments",
            noun=("department", "departments"),
            filter_hint="Filter departments: name, title, group, pool",
            empty="There are no departments. A department limits what several groups hold together.",
            selection="one",
            actions=actions if self.desk.may(Permission.MANAGE_GROUPS) else [],
            max_height=330,
        )
        grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask_above(key, ids)))
        return grid

    def _make_members(self) -> Grid:
        actions = []
        if self.desk.may(Permission.MANAGE_PEOPLE):
            actions += [Action("add", "Add people…", tone="main", needs="none")]
        if self.desk.may(Permission.MANAGE_ROLES):
            actions += [Action("lead", "Make lead"), Action("plain", "No longer lead")]
        if self.desk.may(Permission.MANAGE_PEOPLE):
            actions += [Action("remove", "Take out…", many="Take {n} out…", tone="risk")]
        grid = Grid(
            MEMBER_COLUMNS,
            title="Members",
            noun=("member", "members"),
            filter_hint="Filter members",
            empty="Nobody is in this group.",
            actions=actions,
            max_height=420,
        )
        grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask_inside(key, ids)))
        return grid

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        overview = self.picture.overview
        if overview is not None and changed.touches(Topic.OVERVIEW):
            self._groups.replace(group_row(each) for each in overview.groups)
            self._departments.replace(department_row(each) for each in overview.departments)
        if changed.touches(Topic.OVERVIEW, Topic.USERS):
            self._show_members()

    def about(self, what: str) -> None:
        """Choose the group of this name."""
        self._groups.filter_text = ""
        groups = self.picture.overview.groups if self.picture.overview else ()
        self.choose(self._groups, {each.name for each in groups}, what)

    def _group(self, ids: Sequence[str]) -> Group | None:
        groups = self.picture.overview.groups if self.picture.overview else ()
        return next((each for each in groups if each.name in ids), None)

    def _show_members(self) -> None:
        group = self._group(self._groups.selected)
        show(self._sheet, shown=group is not None)
        if group is None:
            self._inside.clear()
            return
        put(self._about, _about_html(group))
        if Topic.USERS in self.picture.known:
            self._members.title = f"Members of {group.name}"
            self._members.replace(member_rows(group.name, self.picture.users.values()))

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        group = self._group(ids)
        if key == "new":
            writing(self.desk, self._slot, None).open()
        elif key == "platform" and self.picture.about is not None:
            choosing(self.desk, self._slot, self.picture.about).open()
        elif key == "edit" and group is not None:
            writing(self.desk, self._slot, group).open()
        elif key == "limits" and group is not None:
            self.desk.begin(limiting(self.desk, self._slot, group.name))
        elif key == "budget" and group is not None:
            self.desk.begin(budgeting(self.desk, self._slot, BudgetScope.GROUP, group.name))
        elif key == "members" and group is not None:
            self.desk.begin(budgeting(self.desk, self._slot, BudgetScope.MEMBERS, group.name))
        elif key == "delete" and group is not None:
            deleting(self.desk, self._slot, group).open()

    def _ask_above(self, key: str, ids: Sequence[str]) -> None:
        known = departments_of(self.picture)
        department = next((each for each in known if each.name in ids), None)
        if key == "new":
            department_forms.writing(self.desk, self._above, None).open()
        elif key == "edit" and department is not None:
            department_forms.writing(self.desk, self._above, department).open()
        elif key == "delete" and department is not None:
            department_forms.deleting(self.desk, self._above, department).open()

    def _ask_inside(self, key: str, ids: Sequence[str]) -> None:
        group = self._group(self._groups.selected)
        if group is None:
            return
        if key == "add":
            adding(self.desk, self._inside, group).open()
        elif key == "remove":
            removing(self.desk, self._inside, group, ids).open()
        else:
            self.desk.begin(self._lead(group.name, ids, lead=key == "lead"))

    async def _lead(self, group: str, names: Sequence[str], *, lead: bool) -> None:
        """Make members leads, or leads plain members: undone as easily, so done at once."""
        put = self.desk.client.groups.put_member
        try:
            for name in names:
                await self.desk.call(put, group, name, lead=lead)
        except AllotmentError as error:
            self.desk.say(" ".join(problem_lines(error)), "bad")
            return
        verb = "leads" if len(names) == 1 else "lead"
        if not lead:
            verb = f"no longer {verb}"
        self.desk.again(Topic.OVERVIEW, Topic.USERS)
        self.desk.say(f"{listed(names)} {verb} {group}.")


def _about_html(group: Group) -> str:
    shares = "; ".join(share_words(each) for each in group.shares) or "no share in any pool"
    tags = f" Tags: {escape(tag_words(group.tags))}." if group.tags else ""
    title = f" · {escape(group.title)}" if group.title else ""
    return f'<h2>{escape(group.name)}{title}</h2><p class="quiet">{escape(shares)}.{tags}</p>'
