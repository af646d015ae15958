"""Commits and the disks they copy onto: some of each stays free, and none is filled by files on their way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allotment.data import room
from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import KINDS
from allotment.data.problems import SourceProblem
from allotment.data.room import SPARE
from allotment.data.versions.committing import CommitRequest, commit
from allotment.data.versions.contents import OnTheWay
from allotment.data.versions.target import OpenedTarget
from allotment.model.datasets import FileFormat
from allotment.model.sources import SourceKind
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from object_stores import S3Store

pytestmark = pytest.mark.promise("SET-4")

LONG = 9 << 20
"""Bytes that do not stay in memory on their way."""


def nothing(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def target(tmp_path: Path, kind: ContentsKind, contents: Any, secrets: Any = ()) -> OpenedTarget:
    metadata = {"path": str(tmp_path / "kept" / "histories")}
    described = VersionTarget(
        "main", MetadataKind.FOLDER, kind, metadata=metadata, contents=contents
    )
    return OpenedTarget(described, dict(secrets))


@pytest.fixture
def folder(tmp_path: Path) -> OpenedTarget:
    """A target whose contents lie in a folder."""
    contents = {"path": str(tmp_path / "kept" / "contents")}
    return target(tmp_path, ContentsKind.FOLDER, contents)


@pytest.fixture
def bucket(s3_store: S3Store, tmp_path: Path) -> OpenedTarget:
    """A target whose contents lie in a bucket."""
    given = s3_store.fields(s3_store.bucket(), "versions") | s3_store.secrets
    form = fill(KINDS[SourceKind.S3].fields, given)
    secrets = {f"contents.{name}": value for name, value in form.secrets.items() if value}
    return target(tmp_path, ContentsKind.S3, form.fields, secrets)


def request(into: OpenedTarget, loopback: Door, tmp_path: Path) -> CommitRequest:
    door = replace(loopback, roots=(tmp_path / "data", tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    return CommitRequest(
        dataset="sales",
        space="sales",
        uris=(f"{tmp_path}/data/",),
        format=FileFormat.CSV,
        options={},
        kind=None,
        credential=None,
        target=into,
        number=1,
        message="All",
        person="ada",
        at=datetime.now(UTC),
        door=door,
        work=tmp_path / "work",
    )


def write(tmp_path: Path, size: int, seed: int = 1) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    lines = "".join(f"{number:015d}\n" for number in range(size // 16))
    (tmp_path / "data" / f"{seed}.csv").write_text("n\n" + lines)


def kept(tmp_path: Path) -> list[Path]:
    return [one for one in (tmp_path / "kept" / "contents").rglob("*") if one.is_file()]


def test_a_commit_for_which_the_targets_disk_has_no_room_is_refused_before_it_copies(
    folder: OpenedTarget, loopback: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 1600)
    write(tmp_path, 1600, seed=2)
    asked = request(folder, loopback, tmp_path)
    monkeypatch.setattr(room, "free_below", lambda _place: SPARE + 3000)

    with pytest.raises(SourceProblem, match=r"target's disk has no room for 3.1 KiB") as refused:
        commit(asked, nothing)

    assert "Ask an operator for room" in str(refused.value)
    assert kept(tmp_path) == []
    monkeypatch.setattr(room, "free_below", lambda _place: SPARE + 4000)
    assert commit(asked, nothing).files == 2


def test_a_commit_ends_when_the_disk_fills_while_it_copies(
    folder: OpenedTarget, loopback: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 5 << 20)
    asked = request(folder, loopback, tmp_path)
    left = [100 << 20]
    monkeypatch.setattr(room, "free_below", lambda _place: SPARE + left[0])
    monkeypatch.setattr(room, "_STEP", 1 << 20)

    def fill_up(done: int, _total: int) -> None:
        left[0] = 0 if done else left[0]

    with pytest.raises(SourceProblem, match="no room"):
        commit(asked, fill_up)

    assert kept(tmp_path) == []


def test_long_files_on_their_way_to_a_bucket_lie_in_the_control_planes_folder(
    tmp_path: Path,
) -> None:
    with OnTheWay(tmp_path).incoming() as file:
        file.write(bytes(LONG))
        place = Path(f"/proc/self/fd/{file.fileno()}").readlink()

    assert tmp_path in place.parents


def test_a_file_on_its_way_to_a_bucket_needs_room_on_the_control_planes_disk(
    bucket: OpenedTarget, loopback: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, LONG)
    asked = request(bucket, loopback, tmp_path)
    places = []

    def free(place: Path) -> int:
        places.append(place)
        return SPARE + LONG // 2

    monkeypatch.setattr(room, "free_below", free)

    with pytest.raises(SourceProblem, match="control plane's disk has no room"):
        commit(asked, nothing)

    assert set(places) == {asked.work}


def test_many_files_go_to_a_bucket_by_a_disk_that_has_room_for_one_at_a_time(
    bucket: OpenedTarget, loopback: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2, 3):
        write(tmp_path, LONG + 1600 * seed, seed)
    asked = request(bucket, loopback, tmp_path)
    monkeypatch.setattr(room, "free_below", lambda _place: SPARE + LONG * 3 // 2)

    assert commit(asked, nothing).files == 3
