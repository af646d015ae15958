"""What use and cost look like: points of the charts, rows of the table, figures in words."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html import escape
from zoneinfo import ZoneInfo

from allotment.model.documents import UsageListing, Waiting, WaitingPoint
from allotment.model.durations import format_duration
from allotment.model.money import Dimension, money_words
from allotment_widgets.chart import Series
from allotment_widgets.plot import Palette
from allotment_widgets.sentences import counted_as

MOST_LINES = 8
"""Groups with a colour of their own in the chart of cost; the others are one together."""
OTHERS = "others"
NO_GROUP = "no group"
_DAY_HOURS = 24
HOURLY_UP_TO = timedelta(days=3)
"""Waiting over so long a time is told hour by hour."""

PERIODS = (
    ("This month", "month"),
    ("Last month", "last-month"),
    ("Last 7 days", "7"),
    ("Last 30 days", "30"),
    ("Last 90 days", "90"),
)
DIMENSIONS = (
    ("Group", Dimension.GROUP),
    ("Person", Dimension.PERSON),
    ("Department", Dimension.DEPARTMENT),
    ("Pool", Dimension.POOL),
    ("Profile", Dimension.PROFILE),
    ("Day", Dimension.DAY),
    ("Month", Dimension.MONTH),
)


def period_days(period: str, now: datetime, zone: str) -> tuple[date | None, date | None]:
    """First and last day of a choice, in the platform's time zone; None: as the API begins and ends."""
    today = now.astimezone(UTC if zone == "UTC" else ZoneInfo(zone)).date()
    if period == "month":
        return None, None
    if period == "last-month":
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    return today - timedelta(days=int(period) - 1), None


@dataclass(frozen=True, slots=True)
class Daily:
    """Points of both charts, a point a day at noon: devices in use on average, and cost by line."""

    times: tuple[datetime, ...]
    devices: tuple[float, ...]
    series: tuple[Series, ...]
    costs: dict[str, list[float]]


def daily(listing: UsageListing, palette: Palette) -> Daily:
    """Read a listing by group and day. A day without use is a point at nothing, not a gap."""
    days = _days(listing)
    devices: dict[str, float] = defaultdict(float)
    costs: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for row in listing.items:
        devices[row.day or ""] += float(row.device_hours)
        costs[row.group or NO_GROUP][row.day or ""] += row.cost
    lines = _lines(costs)
    series, points = [], {}
    for place, (name, groups) in enumerate(lines):
        key = f"line-{place}"
        colour = "quiet" if name in {NO_GROUP, OTHERS} else palette.colour(name)
        series.append(Series(key, name, kind="stacked", colour=colour or "quiet"))
        points[key] = [float(sum(costs[group][day] for group in groups)) for day in days]
    hours = _hours(listing, days)
    return Daily(
        times=tuple(datetime.combine(date.fromisoformat(day), time(12), UTC) for day in days),
        devices=tuple(devices[day] / hours[day] if hours[day] else 0.0 for day in days),
        series=tuple(series),
        costs=points,
    )


def _days(listing: UsageListing) -> list[str]:
    zone = UTC if listing.time_zone == "UTC" else ZoneInfo(listing.time_zone)
    day, last = listing.begin.astimezone(zone).date(), listing.end.astimezone(zone)
    days = []
    while datetime.combine(day, time(), zone) < last:
        days.append(day.isoformat())
        day += timedelta(days=1)
    return days


def _hours(listing: UsageListing, days: Sequence[str]) -> dict[str, float]:
    """How many hours of each day the listing covers: of today, those until now."""
    zone = UTC if listing.time_zone == "UTC" else ZoneInfo(listing.time_zone)
    found = {}
    for day in days:
        begin = datetime.combine(date.fromisoformat(day), time(), zone)
        end = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), zone)
        span = min(end.astimezone(UTC), listing.end) - max(begin.astimezone(UTC), listing.begin)
        found[day] = max(0.0, span.total_seconds() / 3600)
    return found


def _lines(costs: dict[str, dict[str, Decimal]]) -> list[tuple[str, list[str]]]:
    """The dearest groups each as a line, all others together as the last."""
    totals = {group: sum(each.values(), Decimal()) for group, each in costs.items()}
    order = sorted((g for g, total in totals.items() if total), key=lambda g: (-totals[g], g))
    lines = [(group, [group]) for group in order[:MOST_LINES]]
    rest = order[MOST_LINES:]
    return [*lines, (OTHERS, rest)] if rest else lines


def usage_table(listing: UsageListing) -> list[dict[str, object]]:
    """One row for each line, with its part of the cost."""
    total = listing.total.cost
    (dimension,) = listing.by
    rows = []
    for row in listing.items:
        name = getattr(row, str(dimension)) or ""
        rows.append(
            {
                "id": name or "\N{EN DASH}",
                "name": name or _nothing(dimension),
                "hours": row.hours,
                "device_hours": row.device_hours,
                "cost": row.cost,
                "part": float(100 * row.cost / total) if total else None,
                "sessions": row.sessions,
            }
        )
    return rows


def _nothing(dimension: Dimension) -> str:
    return "no devices" if dimension is Dimension.POOL else f"no {dimension}"


def facts_html(listing: UsageListing, capacity: int, days: Daily) -> str:
    """What was used in all."""
    total = listing.total
    span = (listing.end - listing.begin).total_seconds() / 3600
    possible = capacity * span
    used = f"{float(total.device_hours) / possible:.0%}" if possible else "\N{EN DASH}"
    per_day = total.cost / Decimal(str(span / _DAY_HOURS)) if span else Decimal()
    facts = (
        (money_words(total.cost), "cost in this time"),
        (money_words(per_day), "a day on average"),
        (f"{total.device_hours:,.1f}", "device hours"),
        (used, f"of {capacity} devices that are there now"),
        (f"{total.hours:,.1f}", f"server hours over {len(days.times)} days"),
    )
    return "".join(f"<div><b>{escape(n)}</b><span>{escape(said)}</span></div>" for n, said in facts)


def waited_html(found: Waiting) -> str:
    """How long those waited whose turn came; nothing where nobody's did."""
    if found.half is None or found.most is None:
        return ""
    half, most = (
        format_duration(timedelta(seconds=round(one))) for one in (found.half, found.most)
    )
    turns = counted_as(found.served, "server got its turn", "servers got their turn")
    return f"<p>{turns}: 50 % within {half}, 90 % within {most}.</p>"


def waiting_times(found: Waiting, points: Sequence[WaitingPoint]) -> list[datetime]:
    """Where to draw each part: a day at noon, as the other charts do, an hour where it begins."""
    zone = UTC if found.time_zone == "UTC" else ZoneInfo(found.time_zone)
    if found.end - found.begin <= HOURLY_UP_TO:
        return [one.begin for one in points]
    return [datetime.combine(one.begin.astimezone(zone).date(), time(12), UTC) for one in points]


def csv_link(text: str, name: str) -> str:
    """A link that saves a table as a file."""
    encoded = base64.b64encode(text.encode()).decode()
    return f'<a download="{escape(name)}" href="data:text/csv;base64,{encoded}">Save as CSV</a>'
