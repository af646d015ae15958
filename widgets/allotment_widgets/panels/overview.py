"""Overview: counts, use against capacity, pools as plots, what wants an eye, who runs what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from allotment.model.documents import Alert, Overview, RefusedClaim
from allotment_widgets.chart import Chart, Series
from allotment_widgets.fields import heading, put, row, stack, words
from allotment_widgets.panels.panel import Panel
from allotment_widgets.picture import Changed, Topic
from allotment_widgets.plots import PlotGrid
from allotment_widgets.reading import REFUSALS
from allotment_widgets.sentences import ago, counted_as
from allotment_widgets.server_rows import device_plot, is_idle
from allotment_widgets.server_table import ServerTable

LATELY = timedelta(hours=24)
_LEADS_TO = {
    "device": "pools",
    "drift": "servers",
    "profile": "profiles",
    "share": "groups",
    "type": "instance-types",
    "work": "health",
    "hub": "",
}
_LINKS = {
    "pools": "Look",
    "servers": "Servers",
    "profiles": "Profile",
    "groups": "Group",
    "instance-types": "Types",
    "health": "Health",
}
_REFUSALS_SHOWN = 5


class OverviewPanel(Panel):
    """Everything at one glance."""

    key = "overview"
    title = "Overview"
    topics = ServerTable.topics | {Topic.MOMENTS, Topic.REFUSALS}

    def build(self) -> tuple[Any, ...]:
        """Facts, then what moves, then what stands."""
        self._facts = words("", "sheet", "facts", "num")
        self._chart = Chart(
            [
                Series("held", "Held", kind="area"),
                Series("idle", "Held and idle", colour="idle"),
                Series("capacity", "Capacity", kind="limit"),
            ],
            title="Held against capacity, 24 hours",
            unit="devices",
            height=224,
            empty="No measurements yet.",
            keep=timedelta(hours=24),
        )
        self._eye = words("", "eye-slot")
        self._plots = PlotGrid(title="Pools", selectable=False, empty="No devices were found.")
        self._servers = ServerTable(self.desk, title="Servers", max_height=420)
        return (
            self._facts,
            row(
                stack(heading("Held against capacity, 24 hours"), self._chart, kind="sheet pad"),
                stack(heading("Wants your eye"), self._eye, kind="sheet pad"),
                kind="cols",
            ),
            stack(heading("Pools"), self._plots, kind="sheet pad"),
            self._servers.view,
        )

    def show(self, changed: Changed) -> None:
        """Show what is new."""
        overview = self.picture.overview
        if overview is not None and changed.touches(
            Topic.OVERVIEW, Topic.REFUSALS, Topic.SERVERS, Topic.CLOCK
        ):
            put(self._facts, self._facts_html(overview))
            put(self._eye, _eye_html(overview.alerts, self.picture.refusals, datetime.now(UTC)))
        if changed.touches(Topic.MOMENTS) and Topic.MOMENTS in self.picture.known:
            self._show_moments()
        if changed.touches(Topic.DEVICES, Topic.SERVERS, Topic.CLOCK):
            self._show_plots()
        self._servers.show(changed)

    def about(self, what: str) -> None:
        """Show the servers of these words."""
        self._servers.filter(what)

    def _show_moments(self) -> None:
        moments = self.picture.moments
        self._chart.replace(
            [each.at for each in moments],
            {
                "held": [each.held for each in moments],
                "idle": [each.idle for each in moments],
                "capacity": [each.capacity for each in moments],
            },
        )

    def _show_plots(self) -> None:
        if Topic.DEVICES not in self.picture.known:
            return
        now = datetime.now(UTC)
        devices = sorted(self.picture.devices.values(), key=lambda each: (each.pool, each.id))
        self._plots.replace(
            device_plot(each, self.picture, now, section=each.pool) for each in devices
        )

    def _facts_html(self, overview: Overview) -> str:
        now = datetime.now(UTC)
        return "".join(
            _fact(*fact)
            for fact in (
                _devices_fact(overview),
                _held_fact(overview),
                _idle_fact(
                    sum(
                        len(each.devices)
                        for each in self.picture.servers.values()
                        if is_idle(each, now)
                    )
                ),
                _refused_fact(self.picture.refusals, now),
                _servers_fact(overview),
            )
        )


def _fact(number: str, said: str, tone: str = "") -> str:
    return f'<div><b class="{tone}">{number}</b><span>{escape(said)}</span></div>'


def _devices_fact(overview: Overview) -> tuple[str, str]:
    capacity = overview.capacity
    ailing = capacity.unhealthy + capacity.missing
    said = f"devices, {capacity.total - ailing} healthy" if capacity.total else "no devices found"
    if capacity.simulated:
        some = "all" if capacity.simulated == capacity.total else str(capacity.simulated)
        said += f"; {some} simulated"
    return f"{capacity.total:,}", said


def _held_fact(overview: Overview) -> tuple[str, str]:
    capacity = overview.capacity
    share = f" <small>{capacity.held / capacity.total:.0%}</small>" if capacity.total else ""
    parts = ["held", f"{capacity.free:,} free"]
    parts += [f"{capacity.taken:,} used by others"] if capacity.taken else []
    parts += [f"{capacity.cordoned:,} out of use"] if capacity.cordoned else []
    return f"{capacity.held:,}{share}", ", ".join(parts)


def _idle_fact(number: int) -> tuple[str, str, str]:
    return f"{number:,}", "held but idle over 30 min", "warn" if number else ""


def _refused_fact(refusals: tuple[RefusedClaim, ...], now: datetime) -> tuple[str, str]:
    lately = [each for each in refusals if now - each.at <= LATELY]
    waited = sum(each.would_wait for each in lately)
    number = f"{len(lately)}{'+' if len(lately) >= REFUSALS else ''}"
    return number, f"launches refused in 24 h, {waited} for want of free devices"


def _servers_fact(overview: Overview) -> tuple[str, str]:
    states = overview.servers
    running = states.get("running", 0)
    others = [
        f"{states[state]} {state}"
        for state in ("starting", "stopping", "offered")
        if states.get(state)
    ]
    people = counted_as(overview.people, "person", "people")
    return f"{running:,}", ", ".join(["servers running", *others, f"{people} on board"])


def _eye_html(alerts: tuple[Alert, ...], refusals: tuple[RefusedClaim, ...], now: datetime) -> str:
    lines = [_alert_html(each) for each in alerts]
    lines += [_refusal_html(each, now) for each in refusals[:_REFUSALS_SHOWN]]
    if not lines:
        return '<p class="quiet">Nothing. All devices are healthy, and nobody was refused.</p>'
    inside = "".join(lines)
    return f'<div class="eye" tabindex="0" role="region" aria-label="Wants your eye">{inside}</div>'


def _alert_html(alert: Alert) -> str:
    panel = _LEADS_TO.get(alert.kind, "")
    link = (
        f'<a href="#{panel}" data-go="{panel}" data-about="{escape(alert.subject)}"'
        f' aria-label="{_LINKS[panel]}: {escape(alert.subject)}">{_LINKS[panel]}</a>'
        if panel
        else ""
    )
    return f"<p><span>{_with_subject(alert)}</span>{link}</p>"


def _with_subject(alert: Alert) -> str:
    """The message with its subject in bold, where it begins with it."""
    message = escape(alert.message)
    subject = escape(alert.subject)
    if subject and message.startswith(subject):
        return f"<b>{subject}</b>{message.removeprefix(subject)}"
    return message


def _refusal_html(refused: RefusedClaim, now: datetime) -> str:
    verb = "would have had to wait" if refused.would_wait else "was refused"
    why = " ".join(escape(each.message) for each in refused.reasons[:2])
    moment = f'<time datetime="{refused.at.isoformat()}">{ago(refused.at, now)}</time>'
    return (
        f"<p><span><b>{escape(refused.person)}</b> {verb} {escape(refused.profile)} {moment}: {why}</span>"
        f'<a href="#users" data-go="users" data-about="{escape(refused.person)}"'
        f' aria-label="User: {escape(refused.person)}">User</a></p>'
    )
