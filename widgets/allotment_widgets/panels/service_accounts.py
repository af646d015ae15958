"""Service accounts: tokens of programs, made, looked at, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from allotment.model.documents import ServiceAccount
from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.grid import Grid
from allotment_widgets.panels.account_forms import making, revoking
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic

STATES = {
    "active": State("Active", "ok"),
    "ended": State("Ended", "quiet"),
    "powerless": State("May do nothing", "warn"),
}
COLUMNS = (
    Column("id", "Account", flex=1, width=120, hover="note"),
    Column("state", "State", kind="state", states=STATES, hover="why", width=136),
    Column("may", "May", flex=2, width=150, hover="made_for"),
    Column("maker", "Made by", flex=0.8, width=96),
    Column("ends", "Ends", width=108),
    Column("used", "Used", kind="time", width=110),
    Column("note", "For", flex=1.2, width=110, hide_narrow=True),
)
_EMPTY = "There is no service account. Programs use people's tokens, which end with those people."


class ServiceAccountsPanel(Panel):
    """A form where one is open, and the grid."""

    key = "service-accounts"
    title = "Service accounts"
    section = "People"
    topics = frozenset({Topic.ACCOUNTS})

    def build(self) -> tuple[Any, ...]:
        """A form's place, and the grid."""
        self._slot = Slot(self.desk)
        may_change = self.desk.may(Permission.MANAGE_ROLES)
        self._grid = Grid(
            COLUMNS,
            title="Service accounts",
            noun=("service account", "service accounts"),
            filter_hint="Filter: name, permission, maker",
            empty=_EMPTY,
            actions=_ACTIONS if may_change else (),
            sort=[("id", "ascending")],
            selection="one",
        )
        self._grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        return (self._slot.view, self._grid)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        if changed.touches(Topic.ACCOUNTS) and Topic.ACCOUNTS in self.picture.known:
            self._grid.replace(account_row(each) for each in self.picture.accounts)
            self.choose(self._grid, {each.name for each in self.picture.accounts})

    def about(self, what: str) -> None:
        """Choose the account of this name."""
        self._grid.filter_text = ""
        self.choose(self._grid, {each.name for each in self.picture.accounts}, what)

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        account = next((each for each in self.picture.accounts if each.name in ids), None)
        if key == "make":
            making(self.desk, self._slot).open()
        elif account is not None:
            revoking(self.desk, self._slot, account).open()


_ACTIONS = [
    Action("make", "Make…", tone="main", needs="none"),
    Action("revoke", "Revoke…", tone="risk", needs="one"),
]


def account_row(one: ServiceAccount) -> dict[str, object]:
    """One service account as a row."""
    lost = sorted(set(one.permissions) - set(one.effective))
    why = f"{one.maker} may not: {', '.join(lost)}" if lost else None
    return {
        "id": one.name,
        "state": one.state,
        "why": why,
        "may": ", ".join(one.effective) or None,
        "made_for": f"Made for: {', '.join(one.permissions)}",
        "maker": one.maker,
        "ends": f"{one.expires_at:%Y-%m-%d}",
        "used": one.used_at,
        "note": one.note or None,
    }
