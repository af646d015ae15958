"""Servers: all that exist; stopping them with a reason, starting them again, and what one is about."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

from allotment.model.amounts import format_memory
from allotment.model.devices import Isolation
from allotment.model.documents import Server
from allotment.model.money import money_words, price_words
from allotment_widgets.fields import put, show, stack, words
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.sentences import server_name
from allotment_widgets.server_rows import STATES, server_cost, server_state
from allotment_widgets.server_table import ServerTable


class ServersPanel(Panel):
    """The grid of servers, and the details of one."""

    key = "servers"
    title = "Servers"
    section = "Compute"
    topics = ServerTable.topics

    def build(self) -> tuple[Any, ...]:
        """The grid, and below it what is selected."""
        self._servers = ServerTable(self.desk, max_height=620)
        self._servers.grid.on_select(lambda _: self.desk.backend.soon(self._show_details))
        self._details = words("")
        self._sheet = stack(self._details, kind="sheet pad")
        show(self._sheet, shown=False)
        return (self._servers.view, self._sheet)

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        self._servers.show(changed)
        if changed.touches(Topic.SERVERS, Topic.DEVICES):
            self._show_details()

    def about(self, what: str) -> None:
        """Show the servers of these words."""
        self._servers.filter(what)

    def _show_details(self) -> None:
        chosen = [self.picture.servers.get(name) for name in self._servers.grid.selected]
        one = chosen[0] if len(chosen) == 1 else None
        show(self._sheet, shown=one is not None)
        if one is not None:
            put(self._details, _details(one))


def _details(server: Server) -> str:
    title = f"<h2>{escape(server.person)} · {escape(server_name(server))}</h2>"
    warnings = "".join(f'<p class="note warn">{escape(each)}</p>' for each in server.warnings)
    note = f'<p class="quiet">{escape(server.note)}</p>' if server.note else ""
    lines = "".join(
        f"<tr><th scope=row>{name}</th><td>{value}</td></tr>"
        for name, value in _facts(server)
        if value
    )
    return f'{title}{warnings}{note}<table class="plain facts-table"><tbody>{lines}</tbody></table>'


def _facts(server: Server) -> list[tuple[str, str]]:
    word = STATES[server_state(server, datetime.now(UTC))].word
    stopped = f", stopped by {server.stopped_by}" if server.stopped_by else ""
    reason = f": {server.stop_reason}" if server.stop_reason else ""
    return [
        ("State", escape(f"{word} since {_utc(server.since)}{stopped}{reason}")),
        ("Launched", escape(f"{_utc(server.admitted_at)}, made {_utc(server.created_at)}")),
        ("Profile", escape(f"{server.profile_title} ({server.profile})")),
        ("Software", escape(server.software_title)),
        ("Group, pool", escape(", ".join(filter(None, (server.group, server.pool))) or "none")),
        (
            "Price",
            escape(f"{price_words(server.price)} per hour, as promised at launch")
            if server.price
            else "",
        ),
        ("Cost", _cost(server)),
        ("Devices", _devices(server)),
        ("Last report", _report(server)),
        ("Id", f"<code>{escape(server.id)}</code>"),
    ]


def _cost(server: Server) -> str:
    cost = server_cost(server, datetime.now(UTC))
    if cost is None:
        return ""
    return f"{money_words(cost)} {'so far' if server.charged_until is None else 'in all'}"


def _devices(server: Server) -> str:
    """Each device with what is known of its use."""
    use = {each.id: each for each in server.use.devices} if server.use else {}
    lines = []
    for device in server.devices:
        said = f"{device.node} {device.id}, {device.model}, {format_memory(device.memory)}, {Isolation(device.isolation).words}"
        known = use.get(device.id)
        if known is not None and known.utilisation is not None:
            said += f": {known.utilisation:.0f} % in use"
            if known.memory_used is not None:
                said += f", {format_memory(known.memory_used)} of its memory"
        elif known is not None:
            said += f": {known.note or known.measured.words}"
        lines.append(escape(said))
    return "<br>".join(lines)


def _report(server: Server) -> str:
    if server.use is None:
        return "none" if server.state == "running" else ""
    use = server.use
    return escape(
        f"{_utc(use.at)}: {use.kernels_busy} of {use.kernels} kernels busy, {use.terminals} terminals, "
        f"last active {_utc(use.last_activity)}"
    )


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %b %H:%M} UTC"
