"""Folders of the platform's machine as sources of a lead's own: never another's, by whatever way it leads there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from allotment.client import AllotmentClient
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience, Proof, Verdict
from allotment.record import sources
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

ANN = Audience(people=("ann",))
KEPT = "belongs to a source or a target"


@pytest.fixture
def root(data_api: Any, tmp_path: Path) -> Path:
    """Carl's lake, a database and a target, and a folder of nobody's, below the folder that may be opened."""
    root = tmp_path / "data"
    for name in ("lake", "mine", "kept"):
        (root / name).mkdir()
    (root / "lake" / "wages.csv").write_text("name,wage\nbob,1\n")
    (root / "mine" / "own.csv").write_text("name,wage\nann,2\n")
    carl = data_api.client("carl+")
    only = Audience(people=("carl",))
    with sqlite3.connect(root / "shop.db") as database:
        database.execute("CREATE TABLE wages (name text)")
    carl.sources.create("lake", "folder", {"path": f"{root}/lake"}, audience=only)
    carl.sources.create("shop", "sqlite", {"path": f"{root}/shop.db"}, audience=only)
    keep_history(carl, root / "kept")
    return root


@pytest.fixture
def ann(data_api: Any) -> AllotmentClient:
    """She leads vision, and registers sources for it."""
    client: AllotmentClient = data_api.client("ann+")
    return client


def register(client: AllotmentClient, place: Path, kind: str = "folder") -> Any:
    return client.sources.create("peek", kind, {"path": str(place)}, group="vision", audience=ANN)


@pytest.mark.promise("USER-4", "DATA-3")
@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("folder", "lake"),
        ("folder", "lake/deep"),
        ("folder", "mine/../lake"),
        ("folder", "kept/contents"),
        ("folder", "kept"),
        ("folder", ""),
        ("folder", "link"),
        ("sqlite", "shop.db"),
        ("sqlite", "shop.db-wal"),
        ("sqlite", "lake/wages.csv"),
    ],
)
def test_a_lead_cannot_register_a_place_that_is_another_s(
    root: Path, ann: AllotmentClient, kind: str, place: str
) -> None:
    (root / "link").symlink_to(root / "lake")

    with pytest.raises(Refusal, match=KEPT):
        register(ann, root / place, kind)


@pytest.mark.promise("USER-4", "DATA-3")
def test_a_lead_cannot_lead_an_own_source_there_later(root: Path, ann: AllotmentClient) -> None:
    register(ann, root / "mine")

    with pytest.raises(Refusal, match=KEPT):
        ann.sources.edit("peek", revision="any", fields={"path": str(root / "lake")})
    assert ann.sources.edit("peek", revision="any", title="Mine").title == "Mine"


@pytest.mark.promise("USER-4", "DATA-3")
def test_a_folder_that_is_exchanged_for_a_link_to_another_s_is_not_read(
    root: Path, ann: AllotmentClient, data_api: Any
) -> None:
    register(ann, root / "mine")
    data_api.client("olga+").sources.accept("peek")
    (root / "mine" / "own.csv").unlink()
    (root / "mine").rmdir()
    (root / "mine").symlink_to(root / "lake")

    with pytest.raises(Refusal, match=KEPT):
        ann.sources.browse("peek")
    with pytest.raises(Refusal, match=KEPT):
        ann.datasets.create("peeks", [f"{root}/mine/"], source="peek")
    assert not ann.sources.check("peek").reached
    assert KEPT in data_api.plane.data.proving.prove("peek", "ann", data_api.plane.now()).problem


@pytest.mark.promise("USER-4", "DATA-1")
def test_who_manages_all_sources_may_share_a_part_or_the_whole_of_one(
    root: Path, ann: AllotmentClient, data_api: Any
) -> None:
    register(ann, root / "mine")
    carl = data_api.client("carl+").sources

    carl.create("all", "folder", {"path": str(root)}, audience=Audience(people=("carl",)))
    carl.create("part", "folder", {"path": f"{root}/lake"}, group="vision", audience=ANN)

    for name, file in (("peek", "own.csv"), ("part", "wages.csv")):
        assert [one.name for one in ann.sources.browse(name).entries] == [file]


@pytest.mark.promise("DATA-2", "SET-4")
def test_no_version_is_kept_of_a_source_that_nothing_shows_to_be_read_only(
    root: Path, ann: AllotmentClient, data_api: Any
) -> None:
    """Its tests run as an account that can write everywhere, or may: it is as it is registered, unproven."""
    register(ann, root / "mine")
    with data_api.plane.record.writing("olga", data_api.plane.now()) as writing:
        proof = Proof(writing.now, Verdict.UNPROVEN, problem="It was away.")
        sources.proven(writing, "peek", proof)
    ann.datasets.create("peeks", [f"{root}/mine/"], source="peek", target="history")

    with pytest.raises(Refusal, match="no version is kept of it"):
        ann.versions.commit("peeks", "mine")

    data_api.client("olga+").sources.accept("peek")
    ann.versions.commit("peeks", "mine")


@pytest.mark.promise("DATA-3")
@pytest.mark.parametrize("beside", ["shop.db", "shop.db-wal", "shop.db-shm", "shop.db-journal"])
def test_what_lies_beside_a_database_file_belongs_to_its_source(
    root: Path, data_api: Any, beside: str
) -> None:
    (root / beside).write_text("name\nbob\n")

    with pytest.raises(Refusal, match="No source that you may use opens"):
        data_api.client("bob").datasets.create("peeks", [f"{root}/{beside}"], format="csv")
