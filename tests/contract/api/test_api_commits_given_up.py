"""Commits that end before they are done: the control plane ends, or died, or their person lost the right to read."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from allotment.model.sources import Audience
from allotment.model.versions import VersionState
from allotment.record import datasets, memberships, targets, versions
from allotment.work import committing
from allotment.work.commit_turns import LONGEST
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def sales(data_api: Any, lab: Any, tmp_path: Path) -> Any:
    """A dataset of one file, with a target; what the control plane commits with."""
    root = tmp_path / "data"
    (root / "sales.csv").write_text("id\n1\n")
    keep_history(data_api.client("carl+"), root)
    data_api.client("bob").datasets.create("sales", [f"{root}/sales.csv"], target="history")
    assert lab.sound()
    return data_api.plane.data.committing


@pytest.mark.promise("SET-4")
def test_a_control_plane_that_ends_waits_for_no_commit(
    data_api: Any, sales: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), threading.Event()

    def endless(_request: Any, progress: Any, *_more: Any) -> Any:
        began.set()
        try:
            while True:
                progress(1, 2)
        finally:
            ended.set()

    monkeypatch.setattr(committing, "commit_apart", endless)
    data_api.client("bob").versions.commit("sales", "Endless")
    assert began.wait(20)

    sales.close()

    assert ended.wait(20)
    assert data_api.client("bob").versions.get("sales", 1).state is VersionState.COMMITTING


@pytest.mark.promise("SET-4")
def test_a_commit_whose_process_died_leaves_no_version_and_can_be_run_again(
    data_api: Any, lab: Any, sales: Any
) -> None:
    with lab.write("bob") as writing:
        assert datasets.get(writing, "sales").target == targets.get(writing, "history").name
        versions.begin(writing, "sales", "history", "Died", "bob")

    assert sales.round(lab.later(minutes=1)) == ""
    assert sales.round(lab.later(minutes=2)) == "gave up sales@1"

    client = data_api.client("bob").versions
    assert client.all("sales").items[0].state is VersionState.FAILED
    client.commit("sales", "Again")
    sales.wait(120)
    [made] = client.all("sales").items
    assert (made.number, made.state) == (1, VersionState.COMMITTED), made.problem


@pytest.fixture
def lake(data_api: Any, tmp_path: Path, sales: Any) -> Any:
    """A dataset of bob's, read through a source that is shared with vision alone."""
    folder = tmp_path / "data" / "lake"
    folder.mkdir()
    (folder / "fish.csv").write_text("id\n1\n")
    custodian = data_api.client("carl+").sources
    audience = Audience(groups=("vision",))
    custodian.create("lake", "folder", {"path": str(folder)}, audience=audience)
    custodian.accept("lake")
    bob = data_api.client("bob")
    bob.datasets.create("fish", [f"{folder}/fish.csv"], source="lake", target="history")
    return sales


def leave_the_group(lab: Any) -> None:
    with lab.write() as writing:
        memberships.remove(writing, "bob", "vision")


@pytest.mark.promise("SET-4", "DATA-3")
@pytest.mark.parametrize("at", ["lend", "progress"])
def test_a_commit_does_not_outlive_its_persons_right_to_read_the_source(
    data_api: Any, lab: Any, lake: Any, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    began, lost = threading.Event(), threading.Event()
    messages = []

    def long(request: Any, progress: Any, lend: Any) -> Any:
        messages.append(request.message)
        began.set()
        assert lost.wait(20)
        lend() if at == "lend" else progress(1, 2)
        raise AssertionError("it went on")

    monkeypatch.setattr(committing, "commit_apart", long)
    client = data_api.client("bob").versions
    client.commit("fish", "Begun while bob may")
    client.commit("fish", "Waits for its turn")
    assert began.wait(20)
    leave_the_group(lab)
    lost.set()
    lake.wait(120)

    assert messages == ["Begun while bob may"]
    with data_api.plane.record.reading() as reading:
        found = versions.of(reading, "fish")
    assert [one.state for one in found] == [VersionState.FAILED, VersionState.FAILED]
    for one in found:
        assert "source 'lake' is not shared with bob any more" in one.problem


@pytest.mark.promise("SET-4")
def test_a_commit_ends_when_it_has_taken_as_long_as_one_may(
    data_api: Any, lab: Any, sales: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, late = threading.Event(), threading.Event()

    def long(_request: Any, progress: Any, *_more: Any) -> Any:
        progress(1, 2)
        began.set()
        assert late.wait(20)
        progress(1, 2)
        raise AssertionError("it went on")

    monkeypatch.setattr(committing, "commit_apart", long)
    client = data_api.client("bob").versions
    client.commit("sales", "Long")
    assert began.wait(20)
    lab.later(hours=LONGEST.total_seconds() / 3600)
    late.set()
    sales.wait(20)

    found = client.get("sales", 1)
    assert (found.state, found.done) == (VersionState.FAILED, 1)
    assert "It has taken 4 hours" in found.problem
    assert "not sent twice" in found.problem
