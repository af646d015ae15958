"""Versions of software: what a size names, what a server runs, and what a reset would bring."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from allotment.model.endings import Cause
from allotment.record import claims, endings, events, reports
from allotment.record.reports import ServerMinute
from allotment.work.updating import NOTICE, announce_updates
from allotment_spawner.pages_home import home_view
from allotment_spawner.pages_rows import ServerRow

OLD = {"image": "example.org/lab:1", "version": "2026.10", "notes": "The first."}
NEW = {"image": "example.org/lab:2", "version": "2026.11", "notes": "CUDA 13."}


@pytest.fixture
def running(lab: Any) -> Any:
    """The laboratory; ann's server runs what the size ``image`` named first."""
    lab.profile("image", **OLD)
    lab.allotment = lab.granted("ann", "image")
    claims.mark_running(lab.record, lab.allotment, lab.now)
    return lab


def row_of(world: Any, now: datetime | None = None) -> ServerRow:
    with world.record.reading() as reading:
        return home_view(reading, "hub", "ann", (), now or world.now).servers[0]


@pytest.mark.promise("SOFT-2")
def test_a_server_that_runs_what_its_size_names_has_nothing_to_update(running: Any) -> None:
    assert row_of(running).update is None


@pytest.mark.promise("SOFT-1", "SOFT-2")
def test_a_server_on_an_old_version_is_told_what_it_missed(running: Any) -> None:
    running.profile("image", **NEW)
    running.profile("image", **NEW | {"version": "2026.12", "notes": "Faster."})

    update = row_of(running).update

    assert update is not None
    assert update.words == "It runs 2026.10; 2026.12 is there."
    assert update.notes == (("2026.12", "Faster."), ("2026.11", "CUDA 13."))
    assert update.by is None


@pytest.mark.promise("SOFT-2")
def test_a_reset_brings_the_new_version(running: Any) -> None:
    running.profile("image", **NEW)

    running.end(running.allotment)
    again = running.granted("ann", "image")
    claims.mark_running(running.record, again, running.now)

    assert row_of(running).update is None


@pytest.mark.promise("SOFT-1")
def test_of_a_choice_of_software_only_those_who_chose_it_are_told(lab: Any) -> None:
    choices = [{"name": name, "title": name, "image": f"{name}:1"} for name in ("one", "two")]
    lab.profile("flexible", software=choices)
    claims.mark_running(lab.record, lab.granted("ann", "flexible", software="one"), lab.now)

    lab.profile("flexible", software=[choices[0], choices[1] | {"image": "two:2"}])
    untouched = row_of(lab).update
    lab.profile("flexible", software=[choices[0] | {"image": "one:2"}, choices[1]])
    touched = row_of(lab).update

    assert untouched is None
    assert touched is not None
    assert touched.words == "It runs one:1; one:2 is there."


@pytest.mark.promise("SOFT-1")
def test_a_release_is_an_event_and_mended_notes_are_none(running: Any) -> None:
    running.profile("image", **NEW)
    running.profile("image", **NEW | {"notes": "CUDA 13, at last."})

    with running.record.reading() as reading:
        told = [one for one in events.after(reading, 0) if one.kind == "software.released"]
    update = row_of(running).update

    assert [(one.subject, one.before, one.after) for one in told] == [
        ("image", {"version": "2026.10"}, {"version": "2026.11", "notes": "CUDA 13."})
    ]
    assert update is not None
    assert update.notes == (("2026.11", "CUDA 13, at last."),)


@pytest.mark.promise("SOFT-2")
@pytest.mark.parametrize(
    ("kernels", "busy", "words"),
    [
        (2, 1, "Something is running in it now, and 2 kernels are open in it: all of that ends."),
        (1, 0, "1 kernel is open in it: what they hold in memory is lost."),
        (0, 0, "Nothing runs in it."),
    ],
)
def test_the_confirmation_names_the_work_that_runs(
    running: Any, kernels: int, busy: int, words: str
) -> None:
    running.profile("image", **NEW)
    minute = running.now.replace(second=0, microsecond=0)
    with running.write() as writing:
        reports.add_server_minutes(
            writing, [ServerMinute(running.allotment, minute, 2, busy, kernels, 0)]
        )

    update = row_of(running).update

    assert update is not None
    assert update.work == words


def open_end(world: Any) -> tuple[Any, ...]:
    with world.record.reading() as reading:
        return endings.open_endings(reading, hub="hub").get(world.allotment, ())


@pytest.mark.promise("SOFT-2")
def test_without_a_date_nobody_is_made_to_update(running: Any) -> None:
    running.profile("image", **NEW)

    done = announce_updates(running.record, "hub", running.now)

    assert done == ""
    assert open_end(running) == ()


@pytest.mark.promise("SOFT-2")
def test_from_an_operators_date_on_an_old_server_is_stopped_and_told_before(running: Any) -> None:
    by = running.now + timedelta(days=1)
    running.profile("image", **NEW | {"update_by": by.isoformat()})

    announce_updates(running.record, "hub", running.now)

    (ending,) = open_end(running)
    assert (ending.cause, ending.stop_at) == (Cause.UPDATE, by)
    assert ending.message.startswith("It runs 2026.10; 2026.11 is there. Start it again")


@pytest.mark.promise("SOFT-2")
def test_a_date_that_has_passed_leaves_time_to_save(running: Any) -> None:
    by = running.now - timedelta(days=1)
    running.profile("image", **NEW | {"update_by": by.isoformat()})

    announce_updates(running.record, "hub", running.now)

    assert [one.stop_at for one in open_end(running)] == [running.now + NOTICE]


@pytest.mark.promise("SOFT-2")
def test_a_date_that_is_taken_back_ends_nothing(running: Any) -> None:
    by = running.now + timedelta(days=1)
    running.profile("image", **NEW | {"update_by": by.isoformat()})
    announce_updates(running.record, "hub", running.now)

    running.profile("image", **NEW)
    announce_updates(running.record, "hub", running.now)

    assert open_end(running) == ()


@pytest.mark.promise("SOFT-2")
@pytest.mark.parametrize("days", [2, 9])
def test_a_date_that_is_moved_is_followed(running: Any, days: int) -> None:
    first, then = (running.now + timedelta(days=number) for number in (5, days))
    running.profile("image", **NEW | {"update_by": first.isoformat()})
    announce_updates(running.record, "hub", running.now)

    running.profile("image", **NEW | {"update_by": then.isoformat()})
    announce_updates(running.record, "hub", running.later(minutes=1))
    again = announce_updates(running.record, "hub", running.later(minutes=2))

    assert [one.stop_at for one in open_end(running)] == [then]
    assert again == ""
