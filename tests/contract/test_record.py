"""The record as a whole: schema, events, credentials, leases, on both stores."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext

from allotment.model.budgets import BudgetScope
from allotment.model.claims import Claim, Granted
from allotment.model.groups import Share
from allotment.model.reasons import Rule
from allotment.model.refusals import AllotmentError, RecordTooNew, RecordUnavailable, Refusal
from allotment.record import (
    allotments,
    budgets,
    claims,
    credentials,
    declared,
    drift,
    events,
    groups,
    idempotency,
    leases,
    migrating,
    open_record,
    pools,
    reports,
    servers,
)
from allotment.record.schema import metadata
from allotment.record.turnstile import FairLock


@pytest.mark.promise("OPS-5")
def test_a_record_of_a_newer_schema_is_refused_and_not_touched(empty_url: str) -> None:
    open_record(empty_url, migrate=True).close()
    engine = sa.create_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RecordTooNew, match="'9999', which is newer"):
        open_record(empty_url, migrate=True)
    with engine.begin() as connection:
        assert (
            connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
        )


@pytest.mark.promise("OPS-5")
def test_an_empty_record_is_migrated_only_when_asked(empty_url: str) -> None:
    with pytest.raises(AllotmentError, match="allotment migrate"):
        open_record(empty_url)
    open_record(empty_url, migrate=True).close()
    open_record(empty_url).close()


def test_migrations_make_the_schema_that_the_code_reads(empty_url: str) -> None:
    open_record(empty_url, migrate=True).close()
    with sa.create_engine(empty_url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, metadata)
    assert differences == []
    assert len(migrating.scripts().get_heads()) == 1


def test_two_processes_that_open_an_empty_record_at_once_both_succeed(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(lambda _: open_record(empty_url, migrate=True), range(4)))
    for record in opened:
        with record.reading() as reading:
            assert pools.get(reading, "default").name == "default"
        record.close()


def test_an_address_where_nothing_answers_is_unavailable() -> None:
    with pytest.raises(RecordUnavailable):
        open_record("postgresql://nobody@127.0.0.1:1/none", migrate=True)


def test_a_writer_that_waits_too_long_is_told(tmp_path: Path, world: Any) -> None:
    url = f"sqlite:///{tmp_path}/busy.sqlite"
    open_record(url, migrate=True).close()
    record = open_record(url, patience=0.2)
    other = sqlite3.connect(tmp_path / "busy.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordUnavailable), record.writing("hub", world.now):
        pass
    other.execute("ROLLBACK")
    with record.writing("hub", world.now):
        pass
    record.close()


def test_writers_are_served_in_the_order_of_arrival() -> None:
    lock, served = FairLock(), []
    assert lock.acquire(1)
    threads = []
    for number in range(5):
        arrived = len(lock._waiting)

        def work(number: int = number) -> None:
            assert lock.acquire(10)
            served.append(number)
            lock.release()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        while len(lock._waiting) == arrived:
            threading.Event().wait(0.001)
    lock.release()
    for thread in threads:
        thread.join(10)
    assert served == [0, 1, 2, 3, 4]
    assert lock.acquire(0.01)
    assert not lock.acquire(0.01)


@pytest.mark.promise("OPS-2")
def test_transactions_that_interleave_never_hide_an_event_from_a_reader_that_resumes(
    record: Any, world: Any
) -> None:
    """A reader follows while writers commit in any order: it must see every sequence once, in order."""
    writers, each = 6, 15
    seen: list[int] = []
    done = threading.Event()

    def write(writer: int) -> None:
        for number in range(each):
            with record.writing(f"w{writer}", world.now, configuration=False) as writing:
                writing.event("test.happened", f"{writer}/{number}")

    def follow() -> None:
        while True:
            finished = done.is_set()
            with record.reading() as reading:
                seen.extend(
                    event.sequence for event in events.after(reading, seen[-1] if seen else 0)
                )
            if finished:
                return

    follower = threading.Thread(target=follow)
    follower.start()
    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(write, range(writers)))
    done.set()
    follower.join(30)
    assert seen == list(range(1, writers * each + 1))


def test_a_transaction_that_began_first_and_commits_last_is_not_skipped(
    record: Any, world: Any, store: str
) -> None:
    """On PostgreSQL two writers overlap and the last to commit has the higher sequence; SQLite lets in one at a time."""
    first_is_open, second_done = threading.Event(), threading.Event()

    def slow() -> None:
        with record.writing("slow", world.now, configuration=False) as writing:
            writing.event("test.happened", "slow")
            first_is_open.set()
            second_done.wait(1 if store == "sqlite" else 10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert first_is_open.wait(10)
    with record.writing("fast", world.now, configuration=False) as writing:
        writing.event("test.happened", "fast")
    second_done.set()
    thread.join(30)
    with record.reading() as reading:
        order = [event.subject for event in events.after(reading, 0)]
    assert order == (["slow", "fast"] if store == "sqlite" else ["fast", "slow"])


def test_events_are_read_by_person_group_and_kind(lab: Any) -> None:
    lab.granted("ann", "cpu")
    lab.granted("zoe", "cpu")
    with lab.record.reading() as reading:
        assert {e.person for e in events.after(reading, 0, person="zoe")} == {"zoe"}
        assert {e.person for e in events.after(reading, 0, person="zoe", groups=("vision",))} >= {
            "ann",
            "zoe",
        }
        newest = events.newest(reading, "allotment.admitted", limit=1)
        assert newest[0].person == "zoe"
        assert (
            events.newest(reading, "allotment.admitted", limit=1, before=newest[0].sequence)[
                0
            ].person
            == "ann"
        )
        assert events.latest_sequence(reading) == events.after(reading, 0)[-1].sequence


def test_a_reset_link_works_once_until_it_ends_and_only_the_newest(lab: Any) -> None:
    soon = lab.now + timedelta(hours=1)
    with lab.write() as writing:
        credentials.create_reset(writing, "ann", "a" * 64, soon)
        credentials.create_reset(writing, "ann", "b" * 64, soon)
    with pytest.raises(Refusal), lab.write() as writing:
        credentials.use_reset(writing, "a" * 64)
    with lab.write() as writing:
        assert credentials.use_reset(writing, "b" * 64) == "ann"
    with pytest.raises(Refusal), lab.write() as writing:
        credentials.use_reset(writing, "b" * 64)
    with lab.write() as writing:
        credentials.create_reset(writing, "ann", "c" * 64, writing.now + timedelta(minutes=1))
    lab.later(minutes=2)
    with pytest.raises(Refusal), lab.write() as writing:
        credentials.use_reset(writing, "c" * 64)


def test_a_password_hash_is_in_no_event_and_no_text(lab: Any) -> None:
    with lab.write() as writing:
        credentials.set_password(writing, "ann", "$argon2id$secret")
    with lab.record.reading() as reading:
        found = credentials.get(reading, "ann")
        assert found is not None
        assert found.hash == "$argon2id$secret"
        assert "secret" not in repr(found)
        assert "argon2" not in repr(events.after(reading, 0))


def test_a_lease_has_one_holder_until_it_ends(lab: Any) -> None:
    with lab.write() as writing:
        lasting = timedelta(seconds=30)
        assert leases.take(writing, "work:hub", "one", lasting)
        assert leases.take(writing, "work:hub", "one", timedelta(0))
        assert not leases.held(writing, "work:hub")
        assert leases.take(writing, "work:hub", "two", lasting)
        assert not leases.take(writing, "work:hub", "one", lasting)
        assert leases.holder_of(writing, "work:hub") == "two"
        leases.give_up(writing, "work:hub", "two")
        assert leases.take(writing, "work:hub", "one", lasting)


def test_a_lease_ends_by_the_databases_clock_whatever_that_of_the_machine_says(lab: Any) -> None:
    with lab.write() as writing:
        assert leases.take(writing, "work:hub", "one", timedelta(minutes=5))
    lab.later(days=400)
    with lab.write() as writing:
        assert not leases.take(writing, "work:hub", "two", timedelta(minutes=5))


def test_the_lease_of_a_process_that_is_known_to_have_ended_is_free(lab: Any) -> None:
    with lab.write() as writing:
        assert leases.take(writing, "work:hub", "one", timedelta(minutes=5))
        lasting = timedelta(minutes=5)
        assert not leases.take(writing, "work:hub", "two", lasting, gone=lambda _: False)
        assert leases.take(writing, "work:hub", "two", lasting, gone=lambda one: one == "one")


def test_an_answer_is_recalled_for_its_caller_only(lab: Any) -> None:
    answer = idempotency.Answer("d" * 64, 201, {"name": "a100"})
    with lab.write() as writing:
        idempotency.remember(writing, "olga", "key-1", answer)
    with lab.record.reading() as reading:
        assert idempotency.recall(reading, "olga", "key-1") == answer
        assert idempotency.recall(reading, "ann", "key-1") is None
    lab.later(days=2)
    with lab.write() as writing:
        assert idempotency.forget_before(writing, writing.now - timedelta(days=1)) == 1


def test_minutes_add_up(lab: Any) -> None:
    minute = lab.now.replace(second=0)
    with lab.write() as writing:
        reports.add_device_minutes(writing, [reports.DeviceMinute("gpu-0", minute, 1, 40.0, 10)])
        reports.add_device_minutes(writing, [reports.DeviceMinute("gpu-0", minute, 1, 60.0, 5)])
        reports.add_server_minutes(writing, [reports.ServerMinute("x", minute, 2, 1, 3, 7)] * 2)
    with lab.record.reading() as reading:
        device = reports.read_device_minutes(reading, minute, "gpu-0")[0]
        server = reports.read_server_minutes(reading, minute, "x")[0]
    assert (device.samples, device.utilisation, device.memory_most) == (2, 50.0, 10)
    assert (server.samples, server.busy_samples, server.kernels_most, server.memory_most) == (
        4,
        2,
        3,
        7,
    )


def test_drift_is_noted_once_and_resolved(lab: Any) -> None:
    for _ in range(2):
        with lab.write() as writing:
            entry = drift.note(
                writing,
                claims.new_id(writing.now),
                "hub",
                "ann",
                "x",
                ["gpu-0"],
                "its device is held",
            )
    with lab.record.reading() as reading:
        assert [found.devices for found in drift.open_entries(reading)] == [("gpu-0",)]
        assert len([e for e in events.after(reading, 0) if e.kind == "drift.noted"]) == 1
    with lab.write() as writing:
        drift.resolve(writing, drift.open_entries(writing)[0].id)
        drift.resolve(writing, entry.id)
    with lab.record.reading() as reading:
        assert drift.open_entries(reading) == ()


def test_what_was_declared_is_remembered(lab: Any) -> None:
    with lab.write() as writing:
        declared.remember(writing, "pool", "a100", {"devices": ["gpu-0"]})
        declared.remember(writing, "pool", "a100", {"devices": ["gpu-1"]})
        assert declared.all_declared(writing) == {("pool", "a100"): {"devices": ["gpu-1"]}}
        declared.forget(writing, "pool", "a100")
        assert declared.all_declared(writing) == {}


def test_a_server_is_known_by_its_token_while_it_runs(lab: Any) -> None:
    digest = claims.hash_token("a-server-token")
    running = lab.granted("ann", "gpu", "one", token_hash=digest)
    with lab.record.reading() as reading:
        found = allotments.of_token(reading, digest)
        assert found is not None
        assert found.id == running
        assert allotments.of_token(reading, "") is None
    lab.end(running)
    with lab.record.reading() as reading:
        assert allotments.of_token(reading, digest) is None


@pytest.mark.promise("SERVER-3")
def test_a_stopped_server_is_still_there_with_its_reason_until_it_is_deleted(lab: Any) -> None:
    lab.end(lab.granted("ann", "gpu", "one", display_name="Training"), "maintenance", "olga")
    lab.granted("ann", "cpu", "two")
    with lab.record.reading() as reading:
        one, two = servers.all_servers(reading, person="ann")
        running = servers.all_servers(reading, running_only=True)
        of_group = servers.all_servers(reading, groups=("vision",))
    assert (one.state, one.display_name, one.allotment.stop_reason, one.allotment.stopped_by) == (
        "stopped",
        "Training",
        "maintenance",
        "olga",
    )
    assert (two.state, two.profile) == ("starting", "cpu")
    assert [server.name for server in running] == ["two"]
    assert {server.name for server in of_group} == {"one", "two"}
    with lab.write() as writing:
        assert servers.forget(writing, "hub", "ann", "one")
        assert not servers.forget(writing, "hub", "ann", "one")
    with lab.record.reading() as reading:
        assert allotments.latest(reading, "hub", "ann", "one") is not None


def test_a_server_started_again_keeps_its_name_and_what_it_is_for(lab: Any) -> None:
    lab.end(lab.granted("ann", "cpu", "one", display_name="Training", note="cells"))
    lab.granted("ann", "gpu", "one")
    with lab.record.reading() as reading:
        server = servers.all_servers(reading, person="ann")[0]
    assert (server.display_name, server.note, server.profile) == ("Training", "cells", "gpu")


def test_two_hubs_keep_servers_of_the_same_name_apart(lab: Any) -> None:
    first = claims.admit(lab.record, Claim("north", "ann", "one", "cpu"), lab.now)
    second = claims.admit(lab.record, Claim("south", "ann", "one", "cpu"), lab.now)
    assert {type(first).__name__, type(second).__name__} == {"Granted"}
    with lab.record.reading() as reading:
        assert [a.hub for a in allotments.active(reading, hub="north")] == ["north"]
        assert Rule.SERVER_NAME in {
            r.rule
            for r in claims.foresee(reading, Claim("north", "ann", "one", "cpu"), lab.now).reasons
        }  # type: ignore[union-attr]  # it is refused


@pytest.mark.promise("GROUP-5")
def test_what_is_only_tried_is_seen_inside_and_undone_at_the_end(lab: Any) -> None:
    with lab.record.trying("operator", lab.now) as trial:
        groups.edit(trial, "vision", wanted=[Share("vision", "a100", 1, 1)])
        assert groups.held(trial) == {("vision", "a100"): 0}
        assert [one.guaranteed for one in groups.all_shares(trial)] == [1]

    with lab.record.reading() as reading:
        assert [one.guaranteed for one in groups.all_shares(reading)] == [2]
    assert isinstance(lab.claim("ann", "gpu"), Granted)
    assert lab.sound()


@pytest.mark.promise("OPS-5", "LIMIT-1")
def test_budgets_that_are_there_stay_when_there_are_budgets_of_many(empty_url: str) -> None:
    directory = migrating.scripts()
    with sa.create_engine(empty_url).begin() as connection:
        with EnvironmentContext(
            Config(),
            directory,
            fn=lambda found, _: directory._upgrade_revs("0007", found),
        ) as context:
            context.configure(connection=connection, transaction_per_migration=False)
            context.run_migrations()
        connection.execute(
            sa.text(
                "INSERT INTO budgets (scope, subject, amount, period, begins_at, at_limit, grace, "
                "minimum_session, settled, settled_from, settled_until, warned, revision) VALUES "
                "('person', 'ann', 7000000, 'month', 1, 'stop', 900, 1800, '42', 1, 2, 80, 3)"
            )
        )
    record = open_record(empty_url, migrate=True)
    with record.reading() as reading:
        row = budgets.get(reading, BudgetScope.PERSON, "ann")
    record.close()
    assert (row.budget.terms.amount, row.budget.revision) == (7, 3)
    assert (row.settled, row.settled_from, row.settled_until, row.warned) == (42, 1, 2, 80)
