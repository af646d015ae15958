"""What the record keeps of targets, and of the versions in them."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from allotment.model.refusals import NotFound, Refusal
from allotment.model.versions import VersionState
from allotment.record import (
    datasets,
    targets,
    versions,
)
from data_records import DATASET, TARGET


@pytest.mark.promise("SET-4")
def test_a_target_is_read_as_it_was_set_up(lab: Any) -> None:
    with lab.write() as writing:
        made = targets.create(writing, TARGET, {"metadata.token": b"sealed"})
    with lab.record.reading() as reading:
        assert targets.get(reading, "history") == made
        assert targets.sealed(reading, "history") == {"metadata.token": b"sealed"}
    assert (made.metadata, made.contents, made.secrets) == (
        TARGET.metadata,
        TARGET.contents,
        ("metadata.token",),
    )


@pytest.mark.promise("SET-4")
def test_a_target_that_keeps_versions_can_have_other_keys_and_no_other_place(lab: Any) -> None:
    _versioned(lab)
    keys = replace(TARGET, contents=TARGET.contents | {"access_key_id": "AK2"})
    with lab.write() as writing:
        assert targets.edit(writing, keys, {}).contents["access_key_id"] == "AK2"
    moved = replace(keys, contents=keys.contents | {"bucket": "other"})
    with pytest.raises(Refusal, match="sales"), lab.write() as writing:
        targets.edit(writing, moved, {})
    with pytest.raises(Refusal, match="sales"), lab.write() as writing:
        targets.delete(writing, "history")


def _versioned(lab: Any) -> None:
    with lab.write() as writing:
        targets.create(writing, TARGET, {})
        datasets.create(writing, replace(DATASET, target="history"))


def _begin(lab: Any, target: str = "history") -> int:
    with lab.write() as writing:
        return versions.begin(writing, "sales", target, "a message", "ann").number


def _finish(lab: Any, number: int) -> None:
    with lab.write() as writing:
        versions.finish(writing, "sales", number, commit=f"c{number}", files=1, size=10, rows=3)


def _states(lab: Any) -> dict[int, VersionState]:
    with lab.record.reading() as reading:
        return {one.number: one.state for one in versions.of(reading, "sales")}


@pytest.mark.promise("SET-4")
def test_two_commits_at_the_same_time_are_both_kept_in_order(lab: Any) -> None:
    _versioned(lab)
    numbers: list[int] = []
    now = lab.later(seconds=1)

    def commit() -> None:
        with lab.record.writing("ann", now, configuration=False) as writing:
            numbers.append(versions.begin(writing, "sales", "history", "", "ann").number)

    threads = [threading.Thread(target=commit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4]


@pytest.mark.promise("SET-4")
def test_a_commit_that_failed_leaves_no_version_and_is_run_again(lab: Any) -> None:
    _versioned(lab)
    number = _begin(lab)
    with lab.write() as writing:
        assert versions.fail(writing, "sales", number, "the bucket is away")
    with lab.record.reading() as reading, pytest.raises(NotFound):
        versions.get(reading, "sales", str(number))
    assert _begin(lab) == number
    _finish(lab, number)
    assert _states(lab) == {number: VersionState.COMMITTED}


@pytest.mark.promise("SET-4")
def test_a_commit_of_which_nothing_is_heard_is_given_up(lab: Any) -> None:
    _versioned(lab)
    dead, alive = _begin(lab), _begin(lab)
    lab.later(minutes=10)
    with lab.write() as writing:
        assert versions.progress(writing, "sales", alive, 5, 10)
    with lab.write() as writing:
        assert versions.end_abandoned(writing, timedelta(minutes=5)) == (("sales", dead),)
    assert _states(lab) == {dead: VersionState.FAILED, alive: VersionState.COMMITTING}


def test_a_commit_that_was_given_up_does_not_finish(lab: Any) -> None:
    _versioned(lab)
    number = _begin(lab)
    with lab.write() as writing:
        versions.fail(writing, "sales", number, "")
        assert not versions.progress(writing, "sales", number, 1, 2)
    with pytest.raises(Refusal):
        _finish(lab, number)


def test_the_versions_of_a_dataset_lie_in_one_target(lab: Any) -> None:
    _versioned(lab)
    _finish(lab, _begin(lab))
    with lab.write() as writing:
        targets.create(writing, replace(TARGET, name="other"), {})
    with pytest.raises(Refusal, match="history"):
        _begin(lab, "other")


@pytest.mark.promise("SET-4")
def test_a_version_is_got_by_number_tag_and_day(lab: Any) -> None:
    _versioned(lab)
    _finish(lab, _begin(lab))
    first_day = f"{lab.now:%Y-%m-%d}"
    lab.later(days=1)
    _finish(lab, _begin(lab))
    with lab.write() as writing:
        versions.tag(writing, "sales", 1, ("golden",))
    with lab.record.reading() as reading:
        found = [
            versions.get(reading, "sales", one).number for one in (2, "2", "golden", first_day)
        ]
        assert datasets.get(reading, "sales").version == 2
    assert found == [2, 2, 1, 1]


def test_a_tag_moves_to_the_version_that_is_given_it(lab: Any) -> None:
    _versioned(lab)
    for _ in range(2):
        _finish(lab, _begin(lab))
    with lab.write() as writing:
        versions.tag(writing, "sales", 1, ("golden", "first"))
        versions.tag(writing, "sales", 2, ("golden",))
    with lab.record.reading() as reading:
        assert [one.tags for one in versions.of(reading, "sales")] == [("first",), ("golden",)]


def test_versions_of_a_deleted_dataset_are_gone(lab: Any) -> None:
    _versioned(lab)
    _finish(lab, _begin(lab))
    with lab.write() as writing:
        versions.tag(writing, "sales", 1, ("golden",))
        datasets.delete(writing, "sales")
        datasets.create(writing, DATASET)
    assert _states(lab) == {}
