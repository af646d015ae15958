"""Versions keep what was read through a source: they end for whom the source ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from allotment.data.versions.committing import commit
from allotment.model.reasons import Rule
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience, Proof, Verdict
from allotment.record import sources, versions
from allotment.work import committing
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

BOB = Audience(people=("bob",))
WAIT = 60


@pytest.fixture
def root(data_api: Any, lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source of bob's, a version of a dataset of his through it, and files of his own beside it."""
    monkeypatch.setattr(committing, "commit_apart", commit)
    root, carl = tmp_path / "data", data_api.client("carl+")
    for name in ("lake", "mine"):
        (root / name).mkdir()
        (root / name / "a.csv").write_text(f"{name}\n1\n")
    carl.sources.create("lake", "folder", {"path": str(root / "lake")}, audience=BOB)
    _prove(lab)
    keep_history(carl, root / "kept")
    bob = data_api.client("bob")
    bob.datasets.create("pay", [f"{root}/lake/"], target="history")
    bob.versions.commit("pay", "All")
    data_api.plane.data.committing.wait(WAIT)
    bob.datasets.edit("pay", revision="any", uris=[f"{root}/mine/"])
    return root


def _prove(lab: Any) -> None:
    with lab.write() as writing:
        sources.proven(writing, "lake", Proof(lab.now, Verdict.READ_ONLY))


def _read(api: Any) -> str:
    [file] = api.client("bobs-server").datasets.access("pay", 1).files
    return Path(file.uri).read_text()


@pytest.mark.promise("SET-4", "DATA-7")
def test_a_version_ends_with_the_source_it_was_read_through(data_api: Any, root: Path) -> None:
    assert root.is_dir()
    assert _read(data_api) == "lake\n1\n"
    data_api.client("carl+").sources.revoke("lake")

    with pytest.raises(Refusal, match="read through the source 'lake'") as refused:
        _read(data_api)

    assert refused.value.reasons[0].rule is Rule.DATA_ENABLED
    assert data_api.client("bobs-server").datasets.access("pay").files


@pytest.mark.promise("SET-4", "DATA-7")
def test_a_version_ends_for_who_is_taken_out_of_the_sources_audience(
    data_api: Any, root: Path
) -> None:
    assert root.is_dir()
    carl = data_api.client("carl+")
    carl.sources.edit("lake", revision="any", audience=Audience(people=("carl",)))

    with pytest.raises(Refusal, match="not shared with you") as refused:
        _read(data_api)

    assert refused.value.reasons[0].rule is Rule.DATA_AUDIENCE


@pytest.mark.promise("SET-4", "DATA-7")
def test_a_source_that_takes_the_name_opens_no_version_of_the_one_before(
    data_api: Any, lab: Any, root: Path
) -> None:
    carl = data_api.client("carl+")
    carl.sources.delete("lake", revision="any")
    with pytest.raises(Refusal, match="not there any more"):
        _read(data_api)
    lab.later(minutes=1)
    carl.sources.create("lake", "folder", {"path": str(root / "lake")}, audience=BOB)
    _prove(lab)

    with pytest.raises(Refusal, match="not there any more"):
        _read(data_api)


@pytest.mark.promise("SET-4", "DATA-7")
def test_a_later_version_of_other_files_opens_none_of_what_was_read_through_the_source(
    data_api: Any, root: Path
) -> None:
    assert root.is_dir()
    data_api.client("bob").versions.commit("pay", "Mine")
    data_api.plane.data.committing.wait(WAIT)
    server = data_api.client("bobs-server")
    assert server.datasets.access("pay", 2).files
    data_api.client("carl+").sources.revoke("lake")

    with pytest.raises(Refusal, match="what opens one version opens all"):
        server.datasets.access("pay", 2)


@pytest.mark.promise("SET-4", "DATA-7")
def test_a_commit_that_failed_is_not_forgotten_while_its_contents_lie_with_those_of_others(
    data_api: Any, lab: Any, root: Path
) -> None:
    bob = data_api.client("bob")
    bob.datasets.edit("pay", revision="any", uris=[f"{root}/lake/"])
    with lab.write("bob") as writing:
        broken = versions.begin(writing, "pay", "history", "Breaks", "bob")
        versions.fail(writing, "pay", broken.number, "It broke.")
    bob.datasets.edit("pay", revision="any", uris=[f"{root}/mine/"])

    bob.versions.commit("pay", "Mine")
    data_api.plane.data.committing.wait(WAIT)

    assert [one.number for one in bob.versions.all("pay").items] == [3, 2, 1]


@pytest.mark.promise("SET-4", "DATA-2")
def test_a_folder_that_only_the_platform_reads_is_said_to_be_where_servers_have_system_users(
    data_api: Any, root: Path
) -> None:
    assert root.is_dir()
    apart = replace(data_api.plane, system_users=True)
    data_api.app.state.plane = apart

    with pytest.raises(Refusal, match="a folder that only the platform itself reads"):
        _read(data_api)
