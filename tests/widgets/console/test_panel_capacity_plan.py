"""Capacity plan: pools and the groups in them in one table, with what is over-committed on top."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from allotment.model.documents import CapacityPlan
from allotment.record import devices
from allotment.record.devices import DeviceOrigin
from allotment_widgets.panels.capacity_plan import over_html, plan_rows
from control_planes import Platform
from example_platform import specs

OpenConsole = Callable[..., Any]
NUMBERS = {"held": 1, "peak": 2, "peak_at": "2026-03-01T12:00:00Z", "average": 1.5}


def plan(**fields: Any) -> CapacityPlan:
    pool = {
        "name": "a<b",
        "model": "A100",
        "sharing": False,
        "capacity": 3,
        "available": 2,
        "guaranteed": 3,
        "ceilings": 3,
        "overcommitted": 1,
        "fit": "overcommitted",
        "shares": [{"group": "", "guaranteed": 0, "ceiling": 0, **NUMBERS}],
        **NUMBERS,
    }
    return CapacityPlan.model_validate(
        {
            "items": [pool | fields],
            "total": pool,
            "begin": "2026-03-01T00:00:00Z",
            "end": "2026-03-02T00:00:00Z",
            "time_zone": "UTC",
        }
    )


@pytest.mark.promise("MONEY-6", "ADMIN-4")
def test_the_panel_shows_what_the_api_says_and_can_save_it(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="capacity")
    page.has_row("Capacity plan", "h100")

    found = platform.client("operator").planning.plan()
    h100 = next(pool for pool in found.items if pool.name == "h100")
    rows = page.rows("Capacity plan")
    assert rows["h100"]["guaranteed"] == h100.guaranteed
    assert rows["h100"]["peak"] == [h100.peak, h100.available]
    assert rows["h100/nlp"]["held"] == [h100.shares[0].held, h100.shares[0].ceiling]
    saved = re.search(r"base64,([^\"]+)", page.text())
    assert saved is not None
    assert base64.b64decode(saved[1]).decode().startswith("pool,group,department,model")


@pytest.mark.promise("MONEY-6", "ADMIN-2")
def test_a_pool_that_promises_more_than_it_can_give_is_named_as_soon_as_it_does(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="capacity")
    page.has_row("Capacity plan", "h100", fit="full")

    with platform.record.writing("devices", platform.plane.now()) as writing:
        left = [one for one in specs() if one.node != "hgx-2"]
        devices.observe(writing, left, DeviceOrigin.SETTINGS)

    page.has_row("Capacity plan", "h100", fit="overcommitted", fit_words="Over by 8")
    page.sees("1 pool is over-committed")


@pytest.mark.promise("MONEY-6")
def test_another_period_has_its_own_peak(open_console: OpenConsole) -> None:
    page = open_console(panel="capacity")
    page.has_row("Capacity plan", "l4")
    page.fill("Peak and average of", "7")

    page.has_row("Capacity plan", "l4")


def test_names_are_escaped_and_people_without_a_group_have_a_row() -> None:
    assert "a&lt;b" in over_html(plan())
    assert over_html(plan(overcommitted=0)) == ""
    rows = plan_rows(plan())
    assert [row["group"] for row in rows] == ["all together", "no group"]
    assert rows[0]["capacity"] == "3, 1 of them out of order"
    assert rows[1]["held"] == (1, None)
