"""Names of datasets that were deleted: whoever registers one again comes by nothing that was kept under it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from allotment.data.versions.committing import Committed
from allotment.model.datasets import DatasetReading
from allotment.model.refusals import NotFound
from allotment.model.versions import VersionState
from allotment.record import datasets, versions
from allotment.work import committing
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

COMMIT_SECONDS = 120
SECRET = "id,salary\n1,52000\n"


@pytest.fixture
def root(data_api: Any, tmp_path: Path) -> Path:
    """A target; files of bob's, and of zoe's, who is in no group."""
    root = tmp_path / "data"
    (root / "bobs.csv").write_text(SECRET)
    (root / "zoes.csv").write_text("id\n1\n")
    keep_history(data_api.client("carl+"), root)
    return root


def register(api: Any, person: str, root: Path) -> Any:
    client = api.client(person)
    client.datasets.create("pay", [f"{root}/{person}s.csv"], target="history")
    return client


@pytest.mark.promise("SET-4", "DATA-3")
def test_who_takes_the_name_of_a_deleted_dataset_is_lent_none_of_its_versions(
    data_api: Any, root: Path
) -> None:
    history = data_api.plane.data.committing
    bob = register(data_api, "bob", root)
    bob.versions.commit("pay", "Salaries")
    history.wait(COMMIT_SECONDS)
    bob.datasets.delete("pay", revision="any")

    zoe = register(data_api, "zoe", root)
    assert zoe.versions.all("pay").items == ()
    zoe.versions.commit("pay", "Mine")
    history.wait(COMMIT_SECONDS)
    lent = data_api.client("zoes-server").datasets.access("pay", 1)

    [file] = lent.files
    assert Path(file.uri).read_text() == "id\n1\n"
    readable = Path(lent.storage.fields["path"])
    assert readable in Path(file.uri).parents
    kept = [one.read_text() for one in readable.rglob("*") if one.is_file()]
    assert SECRET not in kept
    assert any(one.read_text() == SECRET for one in root.glob("contents/*/files/md5/*/*"))


@pytest.mark.promise("SET-4", "DATA-3")
def test_a_commit_under_way_tells_nothing_to_who_takes_the_name_meanwhile(
    data_api: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, taken = threading.Event(), threading.Event()
    carried_out = committing.commit_apart

    def held(request: Any, *more: Any) -> Any:
        began.set()
        assert taken.wait(20)
        return carried_out(request, *more)

    monkeypatch.setattr(committing, "commit_apart", held)
    bob = register(data_api, "bob", root)
    bob.versions.commit("pay", "Salaries")
    assert began.wait(20)
    bob.datasets.delete("pay", revision="any")
    zoe = register(data_api, "zoe", root)
    zoe.versions.commit("pay", "Mine")
    taken.set()
    data_api.plane.data.committing.wait(COMMIT_SECONDS)

    [version] = zoe.versions.all("pay").items
    assert (version.state, version.message) == (VersionState.COMMITTED, "Mine"), version.problem
    [file] = data_api.client("zoes-server").datasets.access("pay", 1).files
    assert Path(file.uri).read_text() == "id\n1\n"


@pytest.mark.promise("SET-4", "DATA-3")
def test_a_commit_that_is_asked_for_late_makes_no_version_of_who_took_the_name(
    data_api: Any, root: Path
) -> None:
    history = data_api.plane.data.committing
    bob = register(data_api, "bob", root)
    with data_api.plane.record.reading() as reading:
        bobs = datasets.get(reading, "pay")
    bob.datasets.delete("pay", revision="any")
    zoe = register(data_api, "zoe", root)

    with pytest.raises(NotFound):
        history.begin(bobs, "history", "Late", "bob")

    assert zoe.versions.all("pay").items == ()


@pytest.mark.promise("SET-4")
def test_a_commit_that_was_taken_for_dead_ends_no_other_of_its_number(
    data_api: Any, lab: Any, root: Path
) -> None:
    history = data_api.plane.data.committing
    bob = register(data_api, "bob", root)
    with lab.write("bob") as writing:
        dead = versions.begin(writing, "pay", "history", "Taken for dead", "bob")
    lab.later(minutes=3)
    history.round(lab.now)
    with lab.write("bob") as writing:
        live = versions.begin(writing, "pay", "history", "Under way", "bob")
    read = DatasetReading(lab.now, (), None, rows_exact=False, size=1, files=1)

    history._finish(dead, Committed("dead", 1, 1, None, read))
    history._fail(dead, "broke")
    with pytest.raises(committing.GivenUp):
        history._tell(dead, 1, 2, lab.now)

    [version] = bob.versions.all("pay").items
    assert (dead.number, live.number) == (1, 1)
    assert (version.state, version.commit, version.done) == (VersionState.COMMITTING, "", 0)
    history._finish(live, Committed("live", 1, 1, None, read))
    assert bob.versions.all("pay").items[0].commit == "live"
