"""The queue: who waits for what, since when and why; its order; leaving it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from allotment.model.documents import Ticket
from allotment.model.people import Permission
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action, Column, State
from allotment_widgets.fields import put, text_field, words
from allotment_widgets.grid import Grid
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import counted_as, devices_count, listed

STATES = {"waiting": State("Waiting", "warn"), "offered": State("Its turn", "ok")}
COLUMNS = (
    Column("place", "Place", kind="number", width=96),
    Column("who", "User", flex=1, width=84, hover="server"),
    Column("server", "Server", flex=1, width=92, hover="note", hide_narrow=True),
    Column("group", "Group", flex=0.8, width=80, hide_narrow=True),
    Column("pool", "Pool", flex=0.6, width=68, hide_narrow=True),
    Column("devices", "Devices", kind="number", width=84, hover="profile", hide_narrow=True),
    Column("since", "Waits", kind="since", width=76, hide_narrow=True),
    Column("half", "50 %", kind="time", width=76, hover="half_words", hide_narrow=True),
    Column("most", "90 %", kind="time", width=76, hover="most_words", hide_narrow=True),
    Column("why", "Why", flex=2.4, width=160, hover="why_words"),
    Column(
        "state", "State", kind="state", states=STATES, hover="moved", width=112, hide_narrow=True
    ),
)


class QueuePanel(Panel):
    """Who waits, in the queue's own order."""

    key = "queue"
    title = "Queue"
    section = "Compute"
    topics = frozenset({Topic.TICKETS})

    def build(self) -> tuple[Any, ...]:
        """How estimates hold, and the tickets."""
        self._slot = Slot(self.desk)
        self._said = words("", "quiet")
        self._grid = Grid(
            COLUMNS,
            title="Queue",
            noun=("ticket", "tickets"),
            filter_hint="Filter: user, server, group, pool, why",
            empty="Nobody waits.",
            selection="one",
            actions=self._actions(),
            sort=[("place", "ascending")],
            max_height=620,
        )
        self._grid.on_action(lambda key, ids: self.desk.backend.soon(lambda: self._ask(key, ids)))
        return (self._said, self._slot.view, self._grid)

    def _actions(self) -> list[Action]:
        actions = []
        if self.desk.may(Permission.MANAGE_POOLS):
            actions += [
                Action("front", "To the front…"),
                Action("back", "To the back…"),
                Action("own", "Own place…"),
            ]
        if self.desk.may(Permission.STOP_SERVERS):
            actions.append(Action("cancel", "Take out…", tone="risk"))
        return actions

    def show(self, changed: Changed) -> None:
        """Show what is new; places change without events, so they are read again as time passes."""
        if changed.touches(Topic.TICKETS) and self.picture.tickets is not None:
            listing = self.picture.tickets
            self._grid.replace(ticket_row(each) for each in listing.items)
            put(self._said, _calibration(listing.estimates_told, listing.estimates_held))
        elif changed.touches(Topic.CLOCK):
            self.desk.again(Topic.TICKETS)

    def about(self, what: str) -> None:
        """Show the tickets of these words."""
        self._grid.filter_text = what

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        known = self.picture.tickets.items if self.picture.tickets else ()
        ticket = next((each for each in known if each.id in ids), None)
        if ticket is None:
            return
        if key == "cancel":
            self._cancelling(ticket).open()
        else:
            self._moving(ticket, cast("Literal['front', 'back', 'own']", key)).open()

    def _cancelling(self, ticket: Ticket) -> Asking:
        """The form that takes a ticket out of the queue."""
        reason = text_field("Why? Its owner reads it.", placeholder="dgx-2 is repaired", wide=True)

        async def act() -> str:
            await self.desk.call(self.desk.client.tickets.cancel, ticket.id, reason.value)
            self.desk.again(Topic.TICKETS)
            return f"{_name(ticket)} does not wait any more."

        title = f"Take {_name(ticket)} out of the queue"
        asking = Asking(
            self.desk,
            self._slot,
            title,
            confirm="Take out",
            act=act,
            fields=[reason],
            tone="risk",
        )
        asking.will(f"It does not start by itself any more. {ticket.person} reads why.")
        return asking

    def _moving(self, ticket: Ticket, to: Literal["front", "back", "own"]) -> Asking:
        """The form that changes a ticket's place."""

        async def act() -> str:
            await self.desk.call(self.desk.client.tickets.move, ticket.id, to)
            self.desk.again(Topic.TICKETS)
            return f"{_name(ticket)} {_MOVED[to]}."

        asking = Asking(self.desk, self._slot, f"Move {_name(ticket)}", confirm="Move", act=act)
        pools = listed(ticket.pools)
        asking.will(
            f"It {_MOVED[to]} who wait for {pools}, as soon as {devices_count(ticket.devices)} can be given out."
            if to != "own"
            else f"It {_MOVED[to]} in the queue of {pools}."
        )
        return asking


_MOVED = {
    "front": "goes before all others",
    "back": "goes after all others",
    "own": "has its own place again",
}


def _name(ticket: Ticket) -> str:
    return f"{ticket.person}/{ticket.name or 'default'}"


def _calibration(told: int, held: int) -> str:
    """How well estimates hold on this platform."""
    if not told:
        return "No ticket of the last 60 days whose turn came was told a time."
    number = counted_as(told, "ticket was", "tickets were")
    return f"Of the last 60 days {number} told a time with 90 %; {100 * held / told:.0f} % started by then."


def ticket_row(ticket: Ticket) -> dict[str, object]:
    """One ticket as a row."""
    return {
        "id": ticket.id,
        "place": ticket.position,
        "who": ticket.person,
        "server": ticket.display_name or ticket.name or "default",
        "note": ticket.note,
        "profile": ticket.profile,
        "group": ticket.group,
        "pool": ", ".join(ticket.pools),
        "devices": ticket.devices,
        "since": ticket.since,
        "half": ticket.starts_half,
        "most": ticket.starts_most,
        "half_words": "It starts by then with 50 %." if ticket.starts_half else "",
        "most_words": "It starts by then with 90 %." if ticket.starts_most else "",
        "why": ticket.reason.message if ticket.reason else "",
        "why_words": ticket.reason.message if ticket.reason else "",
        "state": str(ticket.state),
        "moved": "An operator moved it." if ticket.moved else "",
    }
