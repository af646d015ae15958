"""Datasets as a server saw them when it started, loaded in one of its cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import allotment
from allotment import notebook
from allotment.api.identity import hash_token
from allotment.data.versions.committing import commit
from allotment.model.refusals import Refusal
from allotment.work import committing
from cells import ROWS, VISION, parquet, sales

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture(autouse=True)
def _commits_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits are carried out in this process: that they have one of their own is tested elsewhere."""
    monkeypatch.setattr(committing, "commit_apart", commit)


def _new_server(cell: Any, hub: Any, lab: Any, name: str) -> None:
    """Start another server of bob's, in a cell of which we are from now on."""
    hub.give(name, "bob")
    lab.granted("bob", "cpu", name, token_hash=hash_token(name))
    notebook.use(cell.client(name))


@pytest.mark.promise("SET-5", "SET-4")
def test_a_dataset_is_loaded_as_this_server_saw_it_when_it_started(
    history: Any, folder: Path, hub: Any, lab: Any
) -> None:
    folder.mkdir()
    (folder / "part-0.parquet").write_bytes(parquet(sales()))
    allotment.register("prices", f"{folder}/", target="history")
    first = allotment.commit("prices", "as delivered")
    _new_server(history, hub, lab, "later")
    (folder / "part-0.parquet").write_bytes(parquet(sales(3)))
    second = allotment.commit("prices", "corrected")

    seen = allotment.load("prices", version="promised")

    assert (first.number, second.number) == (1, 2)
    assert seen.height == ROWS
    assert allotment.load("prices").height == allotment.load("prices", version=2).height == 3
    _new_server(history, hub, lab, "latest")
    assert allotment.load("prices", version="promised").height == 3


@pytest.mark.promise("SET-5")
def test_a_server_that_started_before_there_was_a_version_is_told_so(
    history: Any, two_files: Any, hub: Any, lab: Any
) -> None:
    _new_server(history, hub, lab, "later")
    two_files.datasets.edit("sales", revision="any", target="history")
    two_files.versions.commit("sales", "as delivered")
    history.plane.data.committing.wait(60)

    with pytest.raises(Refusal, match="no version of 'sales' when this server started"):
        allotment.load("sales", version="promised")


@pytest.mark.promise("SET-5", "DATA-3")
def test_a_dataset_that_took_a_name_since_is_not_what_this_server_saw(
    history: Any, two_files: Any, folder: Path, hub: Any, lab: Any
) -> None:
    two_files.datasets.edit("sales", revision="any", target="history")
    two_files.versions.commit("sales", "as delivered")
    history.plane.data.committing.wait(60)
    _new_server(history, hub, lab, "later")
    two_files.datasets.delete("sales", revision="any")
    lab.later(seconds=1)
    two_files.datasets.create("sales", [f"{folder}/"], audience=VISION, target="history")
    two_files.versions.commit("sales", "another's")
    history.plane.data.committing.wait(60)

    with pytest.raises(Refusal, match="no version of 'sales' when this server started"):
        allotment.load("sales", version="promised")
    assert allotment.load("sales", version=1).height == ROWS
