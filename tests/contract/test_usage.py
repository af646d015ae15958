"""What was used is what the allotments say, on both stores, and every second of it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from allotment.model.allotments import ServerProcess
from allotment.model.money import Dimension, Use, cost_of
from allotment.record import claims, groups, platform, reports, usage
from allotment.record.adopting import RunningServer, adopt
from allotment.record.reports import ServerMinute
from allotment.record.schema import allotments
from allotment.record.usage import Question

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 5, 1, tzinfo=UTC)


def used(world: Any, *by: Dimension, **more: Any) -> dict[tuple[str, ...], Use]:
    asked: dict[str, Any] = {"begin": BEGIN, "end": END, "by": by} | more
    question = Question(**asked)
    with world.record.reading() as reading:
        zone = platform.time_zone(reading)
        found = usage.read(reading, question, world.now, zone)
    return {one.names: one.use for one in found}


def session(world: Any, person: str, profile: str, *, hours: float, **fields: Any) -> str:
    """A server that runs for a time and ends."""
    allotment = world.granted(person, profile, **fields)
    claims.mark_running(world.record, allotment, world.later(seconds=20))
    claims.mark_stopping(world.record, allotment, "", "hub", world.later(hours=hours))
    claims.release(world.record, allotment, "no process is left", world.later(seconds=30))
    return str(allotment)


@pytest.fixture
def priced(lab: Any) -> Any:
    """The lab with prices: a GPU costs 2.40 an hour, two cost 4.50, a server without any nothing."""
    lab.profile("gpu", devices=1, price="2.40")
    lab.profile("two-gpu", devices=2, price="4.50")
    return lab


@pytest.mark.promise("MONEY-2")
def test_use_is_told_by_person_group_pool_and_profile(priced: Any) -> None:
    session(priced, "ann", "gpu", hours=2)
    session(priced, "bob", "two-gpu", hours=1)
    session(priced, "zoe", "cpu", hours=3)

    by_person = used(priced, Dimension.PERSON)
    found = {key[0]: (use.hours, use.device_hours, use.cost) for key, use in by_person.items()}
    assert found == {
        "ann": (Decimal(2), Decimal(2), Decimal("4.80")),
        "bob": (Decimal(1), Decimal(2), Decimal("4.50")),
        "zoe": (Decimal(3), Decimal(0), Decimal(0)),
    }
    assert set(used(priced, Dimension.GROUP)) == {("",), ("vision",)}
    assert used(priced, Dimension.POOL, Dimension.PROFILE)["a100", "two-gpu"].cost == Decimal("4.5")
    assert used(priced)[()].hours == 6
    assert used(priced, person="ann")[()].cost == Decimal("4.80")
    assert used(priced, pool="a100", profile="gpu", group="vision")[()].sessions == 1


@pytest.mark.promise("MONEY-2")
@pytest.mark.parametrize(
    ("leads", "people"), [((), {"ann"}), (("vision",), {"ann", "bob"}), (("other",), {"ann"})]
)
def test_a_person_sees_own_use_and_that_of_led_groups(
    priced: Any, leads: tuple[str, ...], people: set[str]
) -> None:
    for person, profile in (("ann", "gpu"), ("bob", "gpu"), ("zoe", "cpu")):
        session(priced, person, profile, hours=1)

    found = used(priced, Dimension.PERSON, seen_by=("ann", leads))
    assert {key[0] for key in found} == people


@pytest.mark.promise("MONEY-2")
def test_starting_and_stopping_cost_nothing_and_running_costs_to_the_second(priced: Any) -> None:
    never = priced.granted("ann", "gpu")
    priced.later(hours=1)
    priced.end(never)
    allotment = priced.granted("ann", "gpu")
    claims.mark_running(priced.record, allotment, priced.later(minutes=5))
    claims.mark_stopping(priced.record, allotment, "", "hub", priced.later(seconds=3601))
    priced.later(hours=2)

    assert used(priced)[()].time == 3601 * 10**6
    assert used(priced)[()].cost == cost_of(Decimal("2.40"), timedelta(seconds=3601))


@pytest.mark.promise("MONEY-2")
def test_a_night_is_split_at_the_platforms_midnight_not_at_utcs(priced: Any) -> None:
    with priced.write() as writing:
        platform.set_time_zone(writing, "Europe/Berlin")
    priced.now = datetime(
        2026, 3, 28, 22, 0, tzinfo=UTC
    )  # 23:00 there; clocks skip an hour that night
    allotment = priced.granted("ann", "gpu")
    claims.mark_running(priced.record, allotment, datetime(2026, 3, 28, 22, 30, tzinfo=UTC))
    priced.now = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)

    daily = used(priced, Dimension.DAY)
    assert {key[0]: use.hours for key, use in daily.items()} == {
        "2026-03-28": Decimal("0.5"),
        "2026-03-29": 23,
        "2026-03-30": Decimal("1.5"),
    }
    assert set(used(priced, Dimension.MONTH, Dimension.PERSON)) == {("2026-03", "ann")}


@pytest.mark.promise("MONEY-2")
def test_what_runs_is_charged_until_now_and_no_longer(priced: Any) -> None:
    allotment = priced.granted("ann", "gpu")
    claims.mark_running(priced.record, allotment, priced.now)
    priced.later(minutes=30)

    assert used(priced)[()].cost == Decimal("1.20")
    assert used(priced, begin=priced.now) == {}


@pytest.mark.promise("MONEY-5")
def test_use_is_told_by_department_and_by_the_value_of_a_tag(priced: Any) -> None:
    with priced.write() as writing:
        groups.edit(writing, "vision", tags={"project": "atlas"})
        writing.run(sa.text("UPDATE groups SET department = 'research' WHERE name = 'vision'"))
    session(priced, "ann", "gpu", hours=1)
    session(priced, "zoe", "cpu", hours=1)

    assert set(used(priced, Dimension.TAG, tag="project")) == {("",), ("atlas",)}
    assert set(used(priced, Dimension.DEPARTMENT)) == {("",), ("research",)}


@pytest.mark.promise("MONEY-2")
def test_a_price_that_changes_is_not_that_of_a_server_that_runs(priced: Any) -> None:
    allotment = priced.granted("ann", "gpu")
    claims.mark_running(priced.record, allotment, priced.now)
    priced.profile("gpu", devices=1, price="100")
    priced.later(hours=1)

    spent = used(priced)[()].cost
    assert Decimal("2.40") <= spent < Decimal("2.41")


@pytest.mark.promise("MONEY-2")
def test_a_server_that_was_found_gone_is_charged_until_its_last_sign_of_life(priced: Any) -> None:
    allotment = priced.granted("ann", "gpu")
    running = priced.later(seconds=30)
    claims.mark_running(priced.record, allotment, running)
    last = (running + timedelta(hours=2)).replace(second=0)
    with priced.write() as writing:
        reports.add_server_minutes(writing, [ServerMinute(allotment, last, 6, 6, 1, 0)])
    priced.now = last + timedelta(days=2)  # the machine was off
    claims.mark_stopping(priced.record, allotment, "Its server was gone.", "hub", priced.now)
    with priced.write() as writing:
        usage.charge_until_last_seen(writing, allotment)

    assert used(priced)[()].time == (last + timedelta(minutes=1) - running) // timedelta(
        microseconds=1
    )


def test_a_server_that_never_told_anything_is_charged_until_it_was_found_gone(priced: Any) -> None:
    allotment = session(priced, "ann", "gpu", hours=2)
    with priced.write() as writing:
        usage.charge_until_last_seen(writing, allotment)

    assert used(priced)[()].hours == 2


@pytest.mark.promise("MONEY-2")
def test_a_wrong_release_loses_no_second_when_its_server_is_taken_in_again(priced: Any) -> None:
    allotment = priced.granted("ann", "gpu")
    running = priced.later(seconds=30)
    claims.mark_running(priced.record, allotment, running)
    priced.later(hours=1)
    priced.end(allotment)  # but it lives
    priced.later(hours=1)
    process = ServerProcess(4711, running.timestamp())
    server = RunningServer(
        allotment, "hub", "ann", "", "gpu", "vision", ("gpu-0",), process, "0" * 64
    )
    with priced.write() as writing:
        adopt(writing, server)

    priced.later(hours=1)
    assert used(priced)[()].time == (priced.now - running) // timedelta(microseconds=1)


@pytest.mark.promise("MONEY-2")
def test_thousands_of_sessions_add_up_to_what_they_are(priced: Any) -> None:
    random_numbers = random.Random(7)  # noqa: S311 - no secret
    rows = [_row(number, random_numbers) for number in range(5_000)]
    with priced.write() as writing:
        writing.run(allotments.insert(), rows)
    priced.now = END
    daily = used(priced, Dimension.GROUP, Dimension.DAY)

    total = sum((use.time for use in daily.values()), 0)
    assert total == sum(
        (row["stopping_at"] - row["running_at"]) // timedelta(microseconds=1) for row in rows
    )


def _row(number: int, random_numbers: random.Random) -> dict[str, Any]:
    running = BEGIN + timedelta(seconds=random_numbers.randrange(50 * 86_400))
    ended = running + timedelta(seconds=random_numbers.randrange(86_400 * 2))
    return {
        "id": f"{number:032x}",
        "hub": "hub",
        "person": f"person-{number % 500}",
        "server": "",
        "group_name": f"group-{number % 50}",
        "pool": "a100",
        "profile": "gpu",
        "state": "released",
        "device_count": number % 9,
        "terms": {"profile": {"name": "gpu", "title": "Gpu", "devices": 1, "price": "2.40"}},
        "devices": [],
        "token_hash": "",
        "admitted_at": running,
        "running_at": running,
        "stopping_at": ended,
        "released_at": ended,
    }
