"""Costs and usage: figures, charts and tables that are what the API says, and a file to save."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

import example_platform
from allotment.model.documents import UsageListing
from allotment.model.money import Dimension, money_words
from allotment_widgets.chart import Chart
from allotment_widgets.cost_views import NO_GROUP, OTHERS, daily, period_days, usage_table
from allotment_widgets.plot import Palette
from control_planes import Platform

OpenConsole = Callable[..., Any]
SUM = {"hours": "1", "device_hours": "2", "cost": "3"}


def listing(**fields: Any) -> UsageListing:
    asked = {
        "items": [],
        "by": ["group", "day"],
        "begin": "2026-03-27T23:00:00Z",
        "end": "2026-03-30T10:00:00Z",
        "time_zone": "Europe/Berlin",
        "total": SUM,
    }
    return UsageListing.model_validate(asked | fields)


def line(group: str, day: str, cost: str, device_hours: str = "23") -> dict[str, Any]:
    numbers = {"hours": "23", "device_hours": device_hours, "cost": cost, "sessions": 1}
    return {"group": group, "day": day} | numbers


@pytest.mark.promise("MONEY-2", "ADMIN-4")
def test_the_panel_shows_what_the_api_says_and_can_save_it(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="costs")
    page.fill("Period", "30")
    page.fill("Add up by", Dimension.PERSON)
    page.has_row("Use", "mei")

    found = platform.client("operator").usage.all(
        ["person"], begin=period_days("30", datetime.now(UTC), "UTC")[0]
    )
    rows = page.rows("Use")
    mei = next(row for row in found.items if row.person == "mei")
    assert set(rows) == {row.person for row in found.items}
    assert rows["mei"]["cost"] == pytest.approx(float(mei.cost), rel=0.01)
    saved = re.search(r"base64,([^\"]+)", page.text())
    assert saved is not None
    assert base64.b64decode(saved[1]).decode().startswith("person,hours,device_hours,cost")
    assert money_words(found.total.cost).split(".")[0] in page.text()


@pytest.mark.promise("MONEY-2")
def test_use_is_shown_for_every_dimension_that_can_be_chosen(open_console: OpenConsole) -> None:
    page = open_console(panel="costs")
    page.fill("Period", "30")

    page.fill("Add up by", Dimension.POOL)
    page.has_row("Use", "h100")
    page.fill("Add up by", Dimension.DAY)
    page.lacks_row("Use", "h100")
    page.fill("Add up by", Dimension.PROFILE)
    page.has_row("Use", "pytorch-quad")


@pytest.mark.promise("ADMIN-4")
def test_the_charts_have_a_point_a_day_and_a_limit(open_console: OpenConsole) -> None:
    page = open_console(panel="costs")
    page.fill("Period", "7")
    charts = [each for each in page.shown() if isinstance(each, Chart)]

    page.until(lambda: len(charts[1]._times) == 7, "seven days")
    assert {spec["title"] for spec in charts[1].series} >= {"nlp", "vision"}
    assert set(charts[0]._values["capacity"]) == {48.0}


@pytest.mark.promise("ADMIN-4", "MONEY-2")
def test_one_pool_is_looked_at_alone(open_console: OpenConsole) -> None:
    page = open_console(panel="costs")
    page.fill("Period", "7")
    page.fill("Pool", "h100")
    page.has_row("Use", "nlp")
    page.lacks_row("Use", "vision")
    charts = [each for each in page.shown() if isinstance(each, Chart)]

    page.until(lambda: {16.0} == set(charts[0]._values["capacity"]), "the pool's capacity")
    assert [spec["title"] for spec in charts[1].series] == ["nlp"]


@pytest.mark.promise("ADMIN-4", "QUEUE-7")
def test_waiting_is_drawn_over_the_same_time(open_console: OpenConsole, platform: Platform) -> None:
    example_platform.let_wait(platform.record, datetime.now(UTC))
    page = open_console(panel="costs")
    page.fill("Period", "7")
    charts = [each for each in page.shown() if isinstance(each, Chart)]

    page.until(lambda: len(charts[2]._times) == 7, "seven days")
    assert charts[2]._values["most"][-1] == 2.0
    page.fill("Pool", "l4")
    page.until(lambda: not charts[2]._times, "nobody waits for l4")


def test_days_are_those_of_the_platform_and_one_without_use_is_a_point_at_nothing() -> None:
    found = daily(
        listing(items=[line("vision", "2026-03-29", "2.40"), line("", "2026-03-29", "0")]),
        Palette(),
    )

    assert [each.date() for each in found.times] == [date(2026, 3, day) for day in (28, 29, 30)]
    assert found.devices == (0.0, 2.0, 0.0)  # of a day of 23 hours
    assert [(one.title, found.costs[one.key]) for one in found.series] == [
        ("vision", [0.0, 2.4, 0.0])
    ]


def test_beyond_eight_groups_the_others_are_one_line_and_no_cost_is_lost() -> None:
    lines = [line(f"group-{n}", "2026-03-28", str(n + 1)) for n in range(12)]
    found = daily(listing(items=[*lines, line("", "2026-03-28", "0.5")]), Palette())

    assert [one.title for one in found.series][-1] == OTHERS
    assert len(found.series) == 9
    assert sum(found.costs[one.key][0] for one in found.series) == pytest.approx(78.5)
    assert NO_GROUP not in {one.title for one in found.series}


def test_a_line_says_its_part_of_the_cost_and_of_what_it_is_none() -> None:
    rows = usage_table(
        listing(
            by=["pool"],
            items=[
                {"pool": "", **SUM, "sessions": 1},
                {"pool": "a", **SUM, "cost": "0", "sessions": 1},
            ],
        )
    )

    assert [(row["name"], row["part"]) for row in rows] == [("no devices", 100.0), ("a", 0.0)]
    assert rows[1]["cost"] == Decimal(0)


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("month", (None, None)),
        ("last-month", (date(2026, 3, 1), date(2026, 3, 31))),
        ("7", (date(2026, 3, 26), None)),
    ],
)
def test_periods_are_of_the_platforms_time_zone(
    period: str, days: tuple[date | None, date | None]
) -> None:
    now = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # the first of April in Berlin

    assert period_days(period, now, "Europe/Berlin") == days
