"""Users: who is on board, with which role, in which group, holding what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allotment.model.budgets import PLATFORM, BudgetScope
from allotment.model.documents import User
from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action
from allotment_widgets.grid import Grid
from allotment_widgets.group_rows import USER_COLUMNS, user_row
from allotment_widgets.panels.budget_form import budgeting
from allotment_widgets.panels.leaving_forms import foreseeing, letting_go
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
        stops = self.desk.may(Permission.STOP_SERVERS)
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
            *([Action("leave", "Let go…", needs="one", tone="risk")] if stops else []),
            Action("delete", "Remove…", many="Remove {n}…", tone="risk"),
            Action("mapping", "Mapping…", needs="none"),
            *(everybody if self.desk.may(Permission.MANAGE_LIMITS) else []),
        ]

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.SERVERS):
            self._slot.refresh()
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
        if not self._ask_of_everybody(key) and users:
            self._ask_of(key, users)

    def _ask_of_everybody(self, key: str) -> bool:
        """Open a form that is about nobody who is selected. Returns whether it was one."""
        desk, slot = self.desk, self._slot
        if key == "onboard":
            onboarding(desk, slot).open()
        elif key == "limits":
            desk.begin(limiting(desk, slot))
        elif key == "everybody":
            desk.begin(budgeting(desk, slot, BudgetScope.EVERYBODY, PLATFORM))
        elif key == "mapping":
            foreseeing(desk, slot).open()
        else:
            return False
        return True

    def _ask_of(self, key: str, users: Sequence[User]) -> None:
        desk, slot, first = self.desk, self._slot, users[0]
        if key == "configure":
            desk.begin(configure(desk, slot, first.name))
        elif key == "budget":
            desk.begin(budgeting(desk, slot, BudgetScope.PERSON, first.name))
        elif key == "move":
            moving(desk, slot, users).open()
        elif key == "leave":
            desk.begin(letting_go(desk, slot, first))
        elif key == "delete":
            deleting(desk, slot, users).open()
