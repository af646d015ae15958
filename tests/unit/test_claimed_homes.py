"""Homes that are claims of storage: all of a person's are within one limit, and what they hold is what servers measured."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.inventory.homes import Held
from allotment.inventory.kubernetes.claims import size_of
from allotment.model.claims import Claim, Granted, Refused
from allotment.model.homes import FoundHome
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.model.reasons import Rule
from allotment.model.refusals import Refusal
from allotment.model.reports import ServerReport
from allotment.record import (
    Record,
    allotments,
    claims,
    homes,
    limits,
    open_record,
    people,
    profiles,
    servers,
)
from allotment.work.claimed_homes import ClaimedHomes
from allotment.work.live_use import LiveUse
from allotment_server.home_meter import HomeMeter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIB = 2**30


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Ann and bob, who may each hold 25 GiB."""
    opened = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with opened.writing("operator", NOW) as writing:
        people.onboard(writing, ["ann", "bob"], None, "data-scientist")
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.STORAGE, 25)
        profiles.publish(writing, Profile(name="cpu", title="CPU"), "cpu.yaml", "0" * 64)
    yield opened
    opened.close()


def claimed(record: Record, place: str, person: str = "ann", hub: str = "hub") -> int:
    with record.writing("hub", NOW, configuration=False) as writing:
        return homes.claimed(writing, hub, FoundHome(place, person, 10 * GIB, place), None)


@pytest.mark.promise("LIMIT-5")
def test_all_homes_of_a_person_are_within_one_limit_whatever_hub_they_are_on(
    record: Record,
) -> None:
    assert claimed(record, "one") == 10 * GIB
    assert claimed(record, "two", hub="other") == 10 * GIB
    assert claimed(record, "three") == 5 * GIB
    with pytest.raises(Refusal) as refused:
        claimed(record, "four")
    (reason,) = refused.value.reasons
    assert (reason.rule, reason.limit, reason.used, reason.asked) == (
        Rule.STORAGE_PERSON,
        25,
        25,
        1,
    )
    assert claimed(record, "one", "bob", "third") == 10 * GIB


@pytest.mark.promise("LIMIT-5")
def test_a_home_that_is_there_is_used_as_it_is_also_over_the_limit(record: Record) -> None:
    claimed(record, "one")
    with record.writing("operator", NOW) as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.STORAGE, 2)
    assert claimed(record, "one") == 10 * GIB


@pytest.mark.promise("LIMIT-5")
def test_a_limit_of_nothing_asks_for_no_claim_of_nothing(record: Record) -> None:
    with record.writing("operator", NOW) as writing:
        limits.put(writing, LimitScope.PERSON, "ann", LimitKind.STORAGE, 0)
    with pytest.raises(Refusal, match="may have 0 GiB"):
        claimed(record, "one")


def test_a_claim_of_a_start_that_is_under_way_is_not_forgotten(record: Record) -> None:
    outcome = claims.admit(record, Claim("hub", "ann", "one", "cpu"), NOW)
    assert isinstance(outcome, Granted)
    claimed(record, "one")
    with record.writing("homes", NOW, configuration=False) as writing:
        homes.seen(writing, "hub", [])
    with record.reading() as reading:
        assert [one.place for one in homes.all_homes(reading)] == ["one"]


@pytest.mark.promise("SERVER-10")
def test_a_home_of_one_server_is_unused_when_that_server_is_deleted(record: Record) -> None:
    claims.admit(record, Claim("hub", "ann", "one", "cpu"), NOW)
    found = [FoundHome("c-one", "ann", GIB, "one"), FoundHome("c-two", "ann", GIB, "two")]
    with record.writing("homes", NOW, configuration=False) as writing:
        homes.seen(writing, "hub", found)
    with record.reading() as reading:
        assert {one.place: one.used for one in homes.all_homes(reading)} == {
            "c-one": True,
            "c-two": False,
        }


def look(record: Record, *found: FoundHome) -> dict[str, bool]:
    """Look what is there; which homes are used."""
    with record.writing("homes", NOW, configuration=False) as writing:
        homes.seen(writing, "hub", found)
        return {one.place: one.used for one in homes.all_homes(writing, hub="hub")}


def stop_all(record: Record) -> None:
    """Stop what runs."""
    with record.reading() as reading:
        running = allotments.active(reading)
    for held in running:
        claims.mark_stopping(record, held.id, "", "ann", NOW)
        claims.release(record, held.id, "It is gone.", NOW)


@pytest.fixture
def renamed(record: Record) -> FoundHome:
    """The home of ann's server "one", which is called "two" by now; the claim says what it ever said."""
    claims.admit(record, Claim("hub", "ann", "one", "cpu"), NOW)
    found = FoundHome("c-one", "ann", GIB, "one")
    look(record, found)
    stop_all(record)
    with record.writing("ann", NOW) as writing:
        assert servers.rename(writing, "hub", "ann", "one", "two")
    return found


@pytest.mark.promise("SERVER-10")
def test_a_server_that_was_renamed_uses_its_home_on_until_it_is_deleted(
    record: Record, renamed: FoundHome
) -> None:
    assert look(record, renamed) == {"c-one": True}
    with record.writing("ann", NOW) as writing:
        assert not homes.differs(writing, "hub", homes.all_homes(writing), [renamed], NOW)
        servers.forget(writing, "hub", "ann", "two")
    assert look(record, renamed) == {"c-one": False}


@pytest.mark.promise("SERVER-10")
@pytest.mark.parametrize("deleted", ["one", "two"])
def test_a_home_that_a_new_server_of_the_old_name_has_too_is_used_by_either(
    record: Record, renamed: FoundHome, deleted: str
) -> None:
    claims.admit(record, Claim("hub", "ann", "one", "cpu"), NOW)
    with record.writing("hub", NOW, configuration=False) as writing:
        homes.claimed(writing, "hub", renamed, None)
    stop_all(record)

    with record.writing("ann", NOW) as writing:
        servers.forget(writing, "hub", "ann", deleted)
    assert look(record, renamed) == {"c-one": True}


@pytest.mark.promise("LIMIT-5")
def test_what_servers_measure_counts_together_and_over_the_limit_a_launch_is_refused(
    record: Record,
) -> None:
    use = LiveUse()
    for server, used in (("one", 20 * GIB), ("two", 8 * GIB)):
        claims.admit(record, Claim("hub", "ann", server, "cpu"), NOW)
        claimed(record, server)
        with record.reading() as reading:
            (held,) = (one for one in allotments.active(reading) if one.server == server)
        report = ServerReport(
            kernels=0, kernels_busy=0, terminals=0, last_activity=NOW, home_used=used
        )
        use.take(held, f"hub~ann~{server}", report, NOW)

    ClaimedHomes(record, use, "hub").round(NOW)

    outcome = claims.admit(record, Claim("hub", "ann", "three", "cpu"), NOW)
    assert isinstance(outcome, Refused)
    (reason,) = outcome.reasons
    assert reason.message.startswith("Your home holds 28 GiB and may hold 25 GiB")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("10Gi", 10 * GIB),
        ("1500Mi", 1500 * 2**20),
        ("2G", 2 * 10**9),
        ("1.5Ti", 3 * 2**39),
        ("10737418240", 10 * GIB),
        (None, None),
        ("", None),
        ("much", None),
    ],
)
def test_sizes_of_claims_are_read_as_the_cluster_writes_them(
    written: str | None, size: int | None
) -> None:
    assert size_of(written) == size


async def test_a_report_never_waits_for_the_home_to_be_counted() -> None:
    counted = asyncio.Event()
    loop = asyncio.get_running_loop()

    def measuring(_folder: Path, _most: int) -> Held:
        loop.call_soon_threadsafe(counted.set)
        return Held(7, 1, complete=True)

    meter = HomeMeter(Path("/home/ann"), measuring=measuring)
    assert await meter.read() is None
    await counted.wait()
    assert meter._under_way is not None
    await meter._under_way
    assert await meter.read() == 7


async def test_a_home_that_others_measure_is_not_counted() -> None:
    assert await HomeMeter(None).read() is None
