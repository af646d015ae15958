"""Commits of many people at once: whoever commits a lot holds up nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from allotment.data.problems import SourceProblem
from allotment.model.refusals import Refusal
from allotment.model.versions import VersionState
from allotment.record import versions
from allotment.work import committing
from allotment.work.commit_turns import AT_ONCE, OF_DATASET, OF_PERSON
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

WAIT = 20


class Held:
    """Commits that begin and go on until they are let go; each tells of whom it is."""

    def __init__(self) -> None:
        self.began: list[tuple[str, str]] = []
        self.changed, self.go = threading.Condition(), threading.Event()

    def commit(self, request: Any, *_more: Any) -> Any:
        with self.changed:
            self.began.append((request.person, request.message))
            self.changed.notify_all()
        assert self.go.wait(WAIT)
        raise SourceProblem("That is enough.")

    def wait(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.began) >= count, WAIT), self.began


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Holds every commit up."""
    held = Held()
    monkeypatch.setattr(committing, "commit_apart", held.commit)
    yield held
    held.go.set()


@pytest.fixture
def history(data_api: Any, tmp_path: Path) -> Any:
    """A target and a file; what the control plane commits with."""
    root = tmp_path / "data"
    (root / "sales.csv").write_text("id\n1\n")
    keep_history(data_api.client("carl+"), root)
    return data_api.plane.data.committing


def register(data_api: Any, tmp_path: Path, person: str, *names: str) -> Any:
    client = data_api.client(person)
    for name in names:
        client.datasets.create(name, [f"{tmp_path}/data/sales.csv"], target="history")
    return client.versions


def refusal(commit: Any, *given: str) -> Any:
    with pytest.raises(Refusal) as refused:
        commit(*given)
    [reason] = refused.value.reasons
    return reason


@pytest.mark.promise("SET-4")
def test_whoever_commits_many_datasets_holds_up_nobody_else(
    data_api: Any, tmp_path: Path, history: Any, held: Held
) -> None:
    mine = [f"mine{number}" for number in range(OF_PERSON)]
    bob = register(data_api, tmp_path, "bob", *mine)
    zoe = register(data_api, tmp_path, "zoe", "zoes")
    for name in mine:
        bob.commit(name, name)
    held.wait(1)
    zoe.commit("zoes", "zoes")
    held.wait(2)

    assert held.began == [("bob", "mine0"), ("zoe", "zoes")]
    held.go.set()
    history.wait(WAIT)
    assert [message for person, message in held.began if person == "bob"] == mine


@pytest.mark.promise("SET-4")
def test_a_dataset_has_one_commit_under_way_and_one_that_waits(
    data_api: Any, tmp_path: Path, history: Any, held: Held
) -> None:
    bob = register(data_api, tmp_path, "bob", "sales")
    for message in ("first", "second"):
        bob.commit("sales", message)
    held.wait(1)

    reason = refusal(bob.commit, "sales", "third")

    assert (reason.limit, reason.used, reason.asked) == (OF_DATASET, OF_DATASET, 1)
    assert "which will hold the files as they are then" in reason.message
    assert held.began == [("bob", "first")]
    held.go.set()
    history.wait(WAIT)
    assert held.began == [("bob", "first"), ("bob", "second")]
    assert bob.commit("sales", "third").state is VersionState.COMMITTING


@pytest.mark.promise("SET-4")
def test_a_person_has_so_many_commits_under_way_and_waiting(
    data_api: Any, tmp_path: Path, history: Any, held: Held
) -> None:
    names = [f"mine{number}" for number in range(OF_PERSON + 1)]
    bob = register(data_api, tmp_path, "bob", *names)
    for name in names[:-1]:
        bob.commit(name, "All")

    reason = refusal(bob.commit, names[-1], "All")

    assert (reason.limit, reason.used, reason.asked) == (OF_PERSON, OF_PERSON, 1)
    assert bob.all(names[-1]).items == ()
    held.go.set()
    history.wait(WAIT)
    bob.commit(names[-1], "All")
    history.wait(WAIT)


@pytest.mark.promise("SET-4")
def test_commits_that_wait_are_not_taken_for_dead_and_none_of_them_is_read_for_it(
    data_api: Any,
    lab: Any,
    tmp_path: Path,
    history: Any,
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"mine{number}" for number in range(OF_PERSON)]
    bob = register(data_api, tmp_path, "bob", *names)
    for name in names:
        bob.commit(name, "All")
    held.wait(1)
    read = mock.Mock()
    monkeypatch.setattr(versions, "of", read)

    for _ in range(6):
        assert history.round(lab.later(minutes=1)) == ""

    read.assert_not_called()
    held.go.set()
    history.wait(WAIT)


def test_no_more_threads_are_taken_than_commits_are_carried_out(
    data_api: Any, tmp_path: Path, history: Any, held: Held
) -> None:
    people = ("ann", "bob", "zoe")
    for person in people:
        client = register(data_api, tmp_path, person, f"{person}1", f"{person}2")
        for number in (1, 2):
            client.commit(f"{person}{number}", str(number))
    held.wait(len(people))

    assert len(people) < AT_ONCE
    assert sorted(held.began) == [(person, "1") for person in people]
    assert history._threads._work_queue.qsize() == 0
    held.go.set()
    history.wait(WAIT)
