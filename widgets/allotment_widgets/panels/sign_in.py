"""Sign-in: what is active, what each hub found of its provider, and another secret of the client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from allotment.model.people import Permission
from allotment_widgets.asking import Slot
from allotment_widgets.columns import Action
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.panels.sign_in_forms import looking, replacing, withdrawing
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sign_in_rows import (
    LOCAL,
    LOOK_COLUMNS,
    look_row,
    mapping_html,
    sign_in_html,
)

AGAIN = timedelta(seconds=30)
"""How old what is shown may be: a hub that looks at its start writes no event."""
_LOOK = Action("look", "Look now…", tone="main", needs="none")
_REPLACE = Action("replace", "Replace secret…", needs="none")
_WITHDRAW = Action("withdraw", "Use the settings' secret…", tone="risk", needs="none")


class SignInPanel(Panel):
    """What is active, the hubs, and what the provider's groups mean."""

    key = "sign-in"
    title = "Sign-in"
    section = "People"
    topics = frozenset({Topic.SIGN_IN})

    def build(self) -> tuple[Any, ...]:
        """The hubs, a form's place, the facts and the mapping."""
        self._slot = Slot(self.desk)
        self._may_change = self.desk.may(*Permission)
        self._read_at = datetime.now(UTC)
        self._facts, self._mapping = words('<p class="quiet">Loading…</p>'), words("")
        self._grid = Grid(
            LOOK_COLUMNS,
            title="Hubs",
            noun=("hub", "hubs"),
            filter_hint="Filter hubs: name, what was found",
            empty="No hub has looked at the provider yet: it does when it starts.",
            actions=(_LOOK, _REPLACE, _WITHDRAW) if self._may_change else (),
            selection="none",
            row_tone="state",
            max_height=320,
        )
        self._grid.on_action(lambda key, _: self.desk.backend.soon(lambda: self._ask(key)))
        self._meaning = stack(self._mapping, kind="sheet pad")
        self._show_provider(shown=False)
        return (
            self._grid,
            self._slot.view,
            stack(self._facts, kind="sheet pad"),
            self._meaning,
        )

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        found = self.picture.sign_in
        if found is not None and changed.touches(Topic.SIGN_IN):
            self._read_at = datetime.now(UTC)
            put(self._facts, sign_in_html(found))
            self._show_provider(shown=found.kind != LOCAL)
            self._grid.replace(look_row(each) for each in found.hubs)
            put(self._mapping, mapping_html(found))
        elif changed.touches(Topic.CLOCK) and datetime.now(UTC) - self._read_at > AGAIN:
            self._read_at = datetime.now(UTC)
            self.desk.again(Topic.SIGN_IN)

    def _show_provider(self, *, shown: bool) -> None:
        for one in (self._grid, self._meaning):
            show(one, shown=shown)

    def about(self, what: str) -> None:
        """Show the hub of this name."""
        self._grid.filter_text = what

    def _ask(self, key: str) -> None:
        for asking in self._form(key):
            asking.open()

    def _form(self, key: str) -> Iterator[Any]:
        found = self.picture.sign_in
        if found is None or found.client_secret is None:
            return
        if key == "look":
            yield looking(self.desk, self._slot)
        elif key == "replace":
            yield replacing(self.desk, self._slot, found.client_id or "the client")
        elif found.client_secret.replaced_at is None:
            self.desk.say("The secret of the settings is in use already.")
        else:
            yield withdrawing(self.desk, self._slot, found.client_secret.settings)
