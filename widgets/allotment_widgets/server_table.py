"""The grid of servers, with what can be done to them; in the overview and in the servers' panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from allotment.model.documents import Server, ServerOutcome
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.columns import Action
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, heading, row, stack, text_field, words
from allotment_widgets.grid import Grid
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import counted_as, devices_count, listed, server_words
from allotment_widgets.server_rows import COLUMNS, is_active, server_row, server_state

SCOPES = (("Running", "active"), ("Stopped", "stopped"), ("All", "all"))
AT_ONCE = 1000
"""Servers in one request."""


class ServerTable:
    """Servers as rows, kept true; only what differs travels to the page."""

    topics = frozenset({Topic.SERVERS, Topic.DEVICES})

    def __init__(self, desk: Desk, *, title: str = "", max_height: int = 520) -> None:
        self.desk, self.picture = desk, desk.picture
        self.slot = Slot(desk)
        self.scope = choice_field("Show", SCOPES, "active")
        self.scope.remove_class("field")
        self.scope.observe(lambda _: desk.backend.soon(self._show_all), "value")
        self.grid = Grid(
            COLUMNS,
            title="Servers",
            noun=("server", "servers"),
            filter_hint="Filter servers: user, group, pool, profile, state",
            empty="No server runs.",
            selection="many",
            actions=self._actions(),
            row_tone="state",
            sort=[("since", "descending")],
            max_height=max_height,
        )
        self.grid.on_action(lambda key, ids: desk.backend.soon(lambda: self._ask(key, ids)))
        self._states: dict[str, str] = {}
        self._charged: dict[str, tuple[Server, datetime]] = {}
        self.view = stack(
            row(heading(title) if title else words(), self.scope, kind="acts-row spread"),
            self.slot.view,
            self.grid,
        )

    def _actions(self) -> list[Action]:
        if not self.desk.may(Permission.STOP_SERVERS):
            return []
        return [
            Action("start", "Start again…", many="Start {n} again…"),
            Action("stop", "Stop…", many="Stop {n}…", tone="risk"),
        ]

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        parts = changed.parts(Topic.SERVERS)
        whole = changed.touches(Topic.SERVERS) and parts is None
        if whole or (changed.touches(Topic.DEVICES) and changed.parts(Topic.DEVICES) is None):
            self._show_all()
        elif changed.touches(Topic.SERVERS, Topic.DEVICES):
            self._show_some((parts or frozenset()) | self._holders(changed))
        elif changed.touches(Topic.CLOCK):
            self._show_some(self._turned())

    def filter(self, words: str) -> None:
        """Show the servers of these words, running or not."""
        self.scope.value = "all" if words else "active"
        self.grid.filter_text = words

    def _holders(self, changed: Changed) -> frozenset[str]:
        devices = (self.picture.devices.get(name) for name in changed.parts(Topic.DEVICES) or ())
        return frozenset(each.holder.server for each in devices if each and each.holder)

    def _turned(self) -> frozenset[str]:
        """Servers that became idle, or were, because time has passed."""
        now = datetime.now(UTC)
        known = self.picture.servers
        return frozenset(
            name
            for name, state in self._states.items()
            if name in known and server_state(known[name], now) != state
        )

    def _wanted(self, server: Server) -> bool:
        scope = str(self.scope.value)
        return scope == "all" or is_active(server) == (scope == "active")

    def _rows(self, servers: Iterable[Server]) -> list[dict[str, object]]:
        now = datetime.now(UTC)
        rows = [
            server_row(server, self.picture, now, self._charged_at(server, now))
            for server in servers
            if self._wanted(server)
        ]
        self._states.update((str(each["id"]), str(each["state"])) for each in rows)
        return rows

    def _charged_at(self, server: Server, now: datetime) -> datetime:
        """When a server's cost is told for: when there was news of it. Costs that only grow send no row again."""
        known = self._charged.get(server.id)
        if known is None or known[0] != server:
            self._charged[server.id] = known = (server, now)
        return known[1]

    def _show_all(self) -> None:
        if Topic.SERVERS not in self.picture.known:
            return
        self._states.clear()
        self.grid.empty = _EMPTY[self.scope.value]
        self.grid.replace(self._rows(self.picture.servers.values()))

    def _show_some(self, names: Iterable[str]) -> None:
        known = self.picture.servers
        rows = self._rows(known[name] for name in names if name in known)
        shown = {str(each["id"]) for each in rows}
        gone = [name for name in names if name not in shown]
        for name in gone:
            self._states.pop(name, None)
            self._charged.pop(name, None)
        if rows or gone:
            self.grid.update(rows, gone)

    def _ask(self, key: str, ids: Sequence[str]) -> None:
        chosen = [self.picture.servers[name] for name in ids if name in self.picture.servers]
        if key == "stop":
            stopping(self.desk, self.slot, chosen).open()
        elif key == "start":
            starting(self.desk, self.slot, chosen).open()


_EMPTY = {
    "active": "No server runs.",
    "stopped": "No server is stopped.",
    "all": "Nobody has made a server yet.",
}


def stopping(desk: Desk, slot: Slot, chosen: Sequence[Server]) -> Asking:
    """The form that stops servers, with a reason that reaches their users."""
    ending = [each for each in chosen if is_active(each)]
    number = counted_as(len(ending), "server", "servers")
    reason = text_field(
        "Why? Their users read it.", placeholder="Maintenance of dgx-2 at 18:00", wide=True
    )

    async def act() -> str:
        ids = [each.id for each in ending]
        return await _each(desk, ids, lambda part: desk.client.servers.stop(part, reason.value))

    asking = Asking(
        desk,
        slot,
        f"Stop {number}",
        confirm=f"Stop {number}",
        act=act,
        fields=[reason],
        tone="risk",
    )
    asking.will(*_stop_lines(ending, len(chosen) - len(ending)))
    asking.enable(possible=bool(ending))
    return asking


def _stop_lines(ending: Sequence[Server], stopped: int) -> list[str]:
    devices = sum(len(each.devices) for each in ending)
    lines = []
    if ending:
        names = listed(server_words(each) for each in ending)
        verb = "ends" if len(ending) == 1 else "end"
        lines.append(f"{names} {verb}, with everything that runs there. Files stay.")
        if devices:
            verb = "is" if devices == 1 else "are"
            lines.append(f"{devices_count(devices)} {verb} free as soon as nothing of it is left.")
    if stopped:
        verb = "is" if stopped == 1 else "are"
        lines.append(f"{counted_as(stopped, 'server', 'servers')} of those {verb} stopped already.")
    return lines


def starting(desk: Desk, slot: Slot, chosen: Sequence[Server]) -> Asking:
    """The form that starts stopped servers again."""
    resting = [each for each in chosen if not is_active(each)]
    number = counted_as(len(resting), "server", "servers")

    async def act() -> str:
        return await _each(desk, [each.id for each in resting], desk.client.servers.start)

    title = f"Start {number} again"
    asking = Asking(desk, slot, title, confirm=title, act=act)
    lines = [
        f"{listed(server_words(each) for each in resting)} start as they were launched last.",
        "Every rule is asked again; whatever stands in the way is said here.",
    ]
    asking.will(*(lines if resting else ["All of those run already."]))
    asking.enable(possible=bool(resting))
    return asking


async def _each(desk: Desk, ids: Sequence[str], send: Any) -> str:
    """Send a request for many servers in parts; say what became of them.

    Raises:
        Refusal: for some of them a rule stands in the way; names them.
    """
    outcomes: list[ServerOutcome] = []
    for first in range(0, len(ids), AT_ONCE):
        answer = await desk.call(send, ids[first : first + AT_ONCE])
        outcomes += answer.outcomes
    desk.again(Topic.SERVERS)
    refused = [each for each in outcomes if each.outcome == "refused"]
    if refused:
        raise Refusal(*(_refused(each) for each in refused))
    return outcome_words(outcomes)


def _refused(outcome: ServerOutcome) -> Reason:
    _, person, name = outcome.server.split("~", 2)
    why = " ".join(f"{one.message} {one.remedy}".strip() for one in outcome.reasons)
    return Reason(Rule.REQUEST, f"{person}/{name or 'default'}: {why or outcome.note}")


_OUTCOMES = {
    "stopping": ("is stopping", "are stopping"),
    "stopped": ("has stopped", "have stopped"),
    "not-running": ("did not run", "did not run"),
    "starting": ("is starting", "are starting"),
    "running": ("runs", "run"),
    "later": (
        "is dealt with as soon as the hub answers",
        "are dealt with as soon as the hub answers",
    ),
}


def outcome_words(outcomes: Sequence[ServerOutcome]) -> str:
    """Say what became of servers, as in: 2 servers are stopping, 1 server did not run."""
    parts = []
    for kind, (one, many) in _OUTCOMES.items():
        number = sum(each.outcome == kind for each in outcomes)
        if number:
            verb = one if number == 1 else many
            parts.append(f"{counted_as(number, 'server', 'servers')} {verb}")
    return f"{', '.join(parts)}." if parts else ""
