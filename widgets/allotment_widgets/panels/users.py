"""Users: who is on board, with which role, in which group, holding what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allotment.model.budgets import PLATFORM, BudgetScope
from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action
from allotment_widgets.grid import Grid
from allotment_widgets.group_rows import USER_COLUMNS, user_row
from allotment_widgets.panels.budget_form import budgeting
from allotment_widgets.panels.limit_forms import limiting
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.user_configuration import configure
from allotment_widgets.panels.user_forms import deleting, moving, onboarding
from allotment_widgets.picture import Changed, Topic


class UsersPanel(Panel):
    """Everybody, and the view of one."""

    key = "users"
    title = "Users"
    section = "People"
    topics = frozenset({Topic.USERS, Topic.ROLES, Topic.SERVERS})

    def build(self) -> tuple[Any, ...]:
        """A form where one is open, and the grid."""
        self._slot = Slot(self.desk)
        self._grid = Grid(
            USER_COLUMNS,
            title="Users",
            noun=("user", "users"),
            filter_hint="Filter users: name, role, group",
            empty="Nobody is on board.",
            actions=self._actions(),
            sort=[("id", "ascending")],
            max_height=620,
        )
        self._grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        self._grid.on_activate(lambda name: self.desk.begin(configure(self.desk, self._slot, name)))
        return (self._slot.view, self._grid)

    def _actions(self) -> list[Action]:
        people = self.desk.may(Permission.MANAGE_PEOPLE)
        changes = people or self.desk.may(Permission.MANAGE_LIMITS)
        look = Action("configure", "Configure…" if changes else "Look at…", needs="one")
        if not people:
            return [look]
        money = [Action("budget", "Budget…", needs="one")]
        everybody = [
            Action("limits", "Limits…", needs="none"),
            Action("everybody", "Everybody's budget…", needs="none"),
        ]
        return [
            Action("onboard", "On-board people…", tone="main", needs="none"),
            look,
            *(money if self.desk.may(Permission.MANAGE_LIMITS) else []),
            Action("move", "Move…", many="Move {n}…"),
            Action("delete", "Remove…", many="Remove {n}…", tone="risk"),
            *(everybody if self.desk.may(Permission.MANAGE_LIMITS) else []),
        ]

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if Topic.USERS not in self.picture.known or not changed.touches(Topic.USERS):
            return
        parts, known = changed.parts(Topic.USERS), self.picture.users
        if parts is None:
            self._grid.replace(user_row(each) for each in known.values())
        else:
            self._grid.update(
                [user_row(known[name]) for name in parts if name in known],
                [name for name in parts if name not in known],
            )
        self.choose(self._grid, known)

    def about(self, what: str) -> None:
        """Choose the person of this name."""
        self._grid.filter_text = what
        self.choose(self._grid, self.picture.users, what)

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        users = [self.picture.users[name] for name in ids if name in self.picture.users]
        if key == "onboard":
            onboarding(self.desk, self._slot).open()
        elif key == "limits":
            self.desk.begin(limiting(self.desk, self._slot))
        elif key == "everybody":
            self.desk.begin(budgeting(self.desk, self._slot, BudgetScope.EVERYBODY, PLATFORM))
        elif not users:
            return
        elif key == "configure":
            self.desk.begin(configure(self.desk, self._slot, users[0].name))
        elif key == "budget":
            whose = (BudgetScope.PERSON, users[0].name)
            self.desk.begin(budgeting(self.desk, self._slot, *whose))
        elif key == "move":
            moving(self.desk, self._slot, users).open()
        elif key == "delete":
            deleting(self.desk, self._slot, users).open()
