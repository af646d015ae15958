"""The capacity plan through the API, the client and the command line."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.refusals import Refusal
from allotment.record import devices, offers


@pytest.fixture
def plan(lab: Any, api: Any) -> Any:
    """Both devices of a100 were held for an hour ten days ago; ann holds one now; one fell ill."""
    first, second = lab.granted("ann", "gpu", "one"), lab.granted("bob", "gpu", "two")
    lab.later(hours=1)
    lab.end(first)
    lab.end(second)
    lab.later(days=10)
    lab.granted("ann", "gpu", "now")
    lab.later(hours=1)
    return api


@pytest.mark.promise("MONEY-6")
def test_a_pool_tells_what_was_promised_is_held_and_was_held_at_most(plan: Any) -> None:
    found = plan.client("olga+").planning.plan()
    pool = next(one for one in found.items if one.name == "a100")
    (share,) = pool.shares

    assert (pool.capacity, pool.guaranteed, pool.ceilings) == (2, 2, 2)
    assert (pool.held, pool.peak, pool.fit) == (1, 2, "full")
    assert (share.group, share.guaranteed, share.held, share.peak) == ("vision", 2, 1, 2)
    assert pool.average == pytest.approx(3 / (30 * 24), rel=0.01)
    assert found.end - found.begin == timedelta(days=30)
    assert found.total.capacity == 2
    assert found.total.peak == 2


@pytest.mark.promise("MONEY-6")
def test_the_peak_is_that_of_the_period_asked_for(plan: Any, lab: Any) -> None:
    lately = plan.client("olga+").planning.plan(begin=lab.now - timedelta(days=1))

    assert [pool.peak for pool in lately.items if pool.name == "a100"] == [1]
    assert lately.total.peak_at is not None


@pytest.mark.promise("MONEY-6", "POOL-6")
def test_guarantees_beyond_the_devices_that_are_well_are_marked(plan: Any, lab: Any) -> None:
    seen = DeviceSpec("gpu-0", "n1", "A100", 80 << 30, "GPU-gpu-0", DeviceOrigin.SETTINGS)
    with lab.write() as writing:
        devices.observe(writing, [seen], DeviceOrigin.SETTINGS)

    pool = next(p for p in plan.client("olga+").planning.plan().items if p.name == "a100")

    assert (pool.available, pool.overcommitted, pool.fit) == (1, 1, "overcommitted")


@pytest.mark.promise("MONEY-6")
def test_use_without_a_share_has_a_line_of_its_own(plan: Any, lab: Any) -> None:
    lab.devices(1, prefix="spare")
    lab.granted("zoe", "gpu", "free")

    pool = next(p for p in plan.client("olga+").planning.plan().items if p.name == "default")

    assert [(share.group, share.guaranteed, share.held) for share in pool.shares] == [("", 0, 1)]


@pytest.mark.promise("MONEY-6")
def test_a_spreadsheet_reads_the_same(plan: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(plan.client("rita+").planning.csv())))
    of_pool = [row for row in rows if row["pool"] == "a100"]

    assert [(row["group"], row["guaranteed"], row["peak"]) for row in of_pool] == [
        ("", "2", "2"),
        ("vision", "2", "2"),
    ]
    assert of_pool[0]["fit"] == "full"


@pytest.mark.promise("MONEY-6")
def test_pages_hold_all_pools_and_the_same_total(plan: Any, lab: Any) -> None:
    lab.pool("empty", [])
    first = plan.ask("GET", "/capacity-plan?limit=1", "olga+").json()
    second = plan.ask("GET", f"/capacity-plan?limit=1&cursor={first['next']}", "olga+").json()

    assert [first["items"][0]["name"], second["items"][0]["name"]] == ["a100", "default"]
    assert first["total"] == second["total"]


@pytest.mark.promise("MONEY-6", "USER-7")
def test_whoever_may_not_see_the_platform_is_refused(plan: Any) -> None:
    with pytest.raises(Refusal, match="see this part of the platform"):
        plan.client("ann+").planning.plan()


@pytest.mark.promise("MONEY-6")
def test_the_command_line_shows_a_table_a_spreadsheet_and_json(plan: Any) -> None:
    environment = {"ALLOTMENT_API_URL": plan.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["capacity", *words], env=environment)
        assert result.exit_code == 0, result.output
        return result.stdout

    table = run()
    assert "a100" in table
    assert "Full at its peak" in table
    assert run("--csv").startswith("pool,group,department,model,capacity")
    assert json.loads(run("--json"))["total"]["capacity"] == 2


@pytest.mark.promise("QUEUE-7", "ADMIN-4")
def test_waiting_is_told_hour_by_hour_with_how_long_it_took(lab: Any, api: Any) -> None:
    running = lab.granted("ann", "two-gpu", "one")
    waiting = api.client("bob").tickets.create("gpu", server="next")
    lab.later(hours=2)
    lab.end(running)
    offers.offer(lab.record, waiting.id, offers.Place("a100", "A100", "n1"), lab.now)
    lab.later(hours=1)
    asking = api.client("rita+").planning

    found = asking.waiting(begin=lab.now - timedelta(hours=6))

    assert [one.most for one in found.items].count(1) in {2, 3}
    assert sum(
        one.average * (one.end - one.begin).total_seconds() for one in found.items
    ) == pytest.approx(7200, abs=10)
    assert found.served == 1
    assert found.most == pytest.approx(7200, abs=10)
    assert asking.waiting(pool="default").served == 0
    assert len(asking.waiting(begin=lab.now - timedelta(days=10)).items) in {10, 11}
