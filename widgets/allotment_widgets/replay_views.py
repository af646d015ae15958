"""What a replay found, as pieces of a page: two runs beside each other, groups as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Literal

from allotment.model.documents import Simulation
from allotment.model.money import money_words
from allotment.model.reasons import refused_words
from allotment.model.simulation import GroupResult, Outcome, PoolResult, Result
from allotment_widgets.columns import Column

_HOUR, _DAY = 60.0, 1440.0
_NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
Better = Literal["less", "more", ""]


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the comparison. ``better``: which direction is an improvement; empty: neither."""

    title: str
    of: Callable[[Outcome], float]
    words: Callable[[float], str]
    better: Better = "less"
    hint: str = ""


def minutes_words(minutes: float) -> str:
    """A wait as people read it: ``12 min``, ``3.5 h``, ``2.1 d``."""
    if minutes < _HOUR:
        return f"{minutes:.0f} min"
    return f"{minutes / _HOUR:.1f} h" if minutes < 2 * _DAY else f"{minutes / _DAY:.1f} d"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _hours(value: float) -> str:
    return f"{value:,.1f}"


def _idle(found: Outcome) -> float:
    return found.idle_device_hours if isinstance(found, Result | PoolResult) else 0.0


MEASURES = (
    Measure("Waited a minute or longer", lambda f: f.waits.noticed, _count, hint="launches"),
    Measure("Gave up", lambda f: f.gave_up, _count, hint="launches that nobody waited for longer"),
    Measure(
        "Can never be served", lambda f: f.never, _count, hint="larger than the share or a node"
    ),
    Measure(
        "Refused by a budget",
        lambda found: found.over_budget,
        _count,
        "",
        "launches that it could not pay for",
    ),
    Measure("Wait, 50 %", lambda f: f.waits.half, minutes_words),
    Measure("Wait, 90 %", lambda f: f.waits.ninety, minutes_words),
    Measure("Wait, 99 %", lambda f: f.waits.ninety_nine, minutes_words),
    Measure("Hours of waiting in all", lambda f: f.hours_waited, _hours),
    Measure("Idle while somebody waited", _idle, _hours, hint="device hours"),
    Measure(
        "Held by idle servers", lambda f: f.held_idle_device_hours, _hours, hint="device hours"
    ),
    Measure("Used", lambda f: f.device_hours, _hours, "", "device hours"),
    Measure("Stopped for borrowed devices", lambda f: f.reclaimed, _count, hint="servers"),
    Measure("Stopped for idleness", lambda f: f.stopped_idle, _count, "", "servers"),
    Measure("Stopped at the lifetime's end", lambda f: f.stopped_lifetime, _count, "", "servers"),
    Measure("Cost", lambda f: float(f.cost), lambda value: money_words(Decimal(str(value))), ""),
)


def comparison_html(found: Simulation) -> str:
    """Both runs beside each other, with what is better and what is worse said in words."""
    if found.present is None:
        return '<p class="quiet">Nothing was launched in this time.</p>'
    both = found.changed is not None
    heads = ["", "Present", *(["Changed", "Difference"] if both else [])]
    head = "".join(
        f'<th{" class=num" if title else ""} scope="col">{title}</th>' for title in heads
    )
    lines = "".join(_line(measure, found.present, found.changed) for measure in MEASURES)
    caption = f"{found.present.waits.launches:,} launches began"
    return (
        f'<table class="plain compare"><caption class="quiet">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    )


def _line(measure: Measure, present: Result, changed: Result | None) -> str:
    hint = f' <span class="quiet small">({escape(measure.hint)})</span>' if measure.hint else ""
    before = measure.of(present)
    cells = [f'<th scope="row">{escape(measure.title)}{hint}</th>', _cell(measure.words(before))]
    if changed is not None:
        after = measure.of(changed)
        cells += [_cell(measure.words(after)), _difference(measure, before, after)]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(words: str) -> str:
    return f'<td class="num">{escape(words)}</td>'


def _difference(measure: Measure, before: float, after: float) -> str:
    """The difference with its sign; whether it is better is said, not only coloured."""
    if measure.words(before) == measure.words(after):
        return f'<td class="num quiet">{_NOTHING}</td>'
    sign = "+" if after > before else _MINUS
    words = f"{sign}{measure.words(abs(after - before))}"
    if not measure.better:
        return _cell(words)
    good = (after < before) is (measure.better == "less")
    tone, said = ("ok", "better") if good else ("warn", "worse")
    return f'<td class="num">{escape(words)} <span class="tag {tone}">{said}</span></td>'


GROUP_COLUMNS = (
    Column("pool", "Pool", flex=1, width=84),
    Column("group", "Group", flex=1, width=92),
    Column("guaranteed", "Guaranteed", kind="number", width=116, hide_narrow=True),
    Column("launches", "Launches", kind="number", width=104, hide_narrow=True),
    Column("present", "Present", kind="number", decimals=1, width=100),
    Column("changed", "Changed", kind="number", decimals=1, width=104),
    Column("difference", "Difference", kind="number", decimals=1, width=116, hide_narrow=True),
)
BY_GROUP: dict[str, Callable[[GroupResult], float]] = {
    "Wait in minutes, 50 %": lambda part: part.waits.half,
    "Wait in minutes, 90 %": lambda part: part.waits.ninety,
    "Wait in minutes, 99 %": lambda part: part.waits.ninety_nine,
    "Launches that were not served": lambda part: part.gave_up + part.never,
    "Device hours used": lambda part: part.device_hours,
    "Device hours held by idle servers": lambda part: part.held_idle_device_hours,
    "Servers stopped for borrowed devices": lambda part: part.reclaimed,
    "Cost": lambda part: float(part.cost),
}
"""What groups can be compared by."""


def group_rows(found: Simulation, measure: str) -> list[dict[str, object]]:
    """A row for each group of each pool: one measure, present, changed, and the difference."""
    of = BY_GROUP[measure]
    rows: dict[str, dict[str, object]] = {}
    for key, result in (("present", found.present), ("changed", found.changed)):
        for pool, group in _parts(result):
            name = f"{pool}/{group.group}"
            new = {"id": name, "pool": pool, "group": group.group or "no group"}
            row = rows.setdefault(name, new | {"launches": group.waits.launches})
            row |= {"guaranteed": group.guaranteed, key: of(group)}
            if key == "changed" and "present" in row:
                row["difference"] = of(group) - float(str(row["present"]))
    return list(rows.values())


def _parts(result: Result | None) -> Iterator[tuple[str, GroupResult]]:
    for pool in result.pools if result else ():
        for group in pool.groups:
            yield pool.pool, group


def refused_html(found: Simulation) -> str:
    """Refusals that are no part of a replay, by their rule."""
    if not found.refused_otherwise:
        return ""
    said = ", ".join(
        f"{count} by {escape(refused_words(rule))}"
        for rule, count in found.refused_otherwise.items()
    )
    return (
        f'<p class="quiet">Refused for other reasons than devices, and no part of this: {said}.</p>'
    )


def progress_html(found: Simulation | None) -> str:
    """How far a replay is."""
    if found is None or found.state.ended:
        return ""
    if not found.launches:
        words = "It waits for its turn…" if found.state == "waiting" else "Reading the past…"
    else:
        words = f"Replaying {found.launches:,} launches: {found.progress:.0%}"
    return (
        f'<p role="status">{words}</p>'
        f'<progress max="1" value="{found.progress:.3f}" aria-label="Progress"></progress>'
    )
