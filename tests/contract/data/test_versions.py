"""Versions: committed whole or not at all, both of two at once, and readable by DVC's own programs."""

import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.committing import CommitRequest, Committed, commit
from allotment.data.versions.history import History
from allotment.data.versions.kept_files import Keeping, drop_file, new_key, open_file
from allotment.data.versions.process import commit_apart
from allotment.data.versions.reading import difference, files_of_version, uris_of
from allotment.data.versions.target import OpenedTarget
from allotment.data.versions.testing import check_target
from allotment.model.datasets import FileFormat
from allotment.model.refusals import Refusal
from allotment.model.versions import (
    ContentsKind,
    MetadataKind,
    Version,
    VersionFile,
    VersionState,
    VersionTarget,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def nothing(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Desk:
    """Commits one dataset of one folder into one target."""

    def __init__(self, root: Path) -> None:
        self.data, self.work = root / "data" / "sales", root / "work"
        self.data.mkdir(parents=True)
        self.door = Door(
            roots=(root / "data", root / "kept"), networks=(ip_network("127.0.0.0/8"),)
        )
        self.kept = root / "kept"
        self.target = OpenedTarget(
            VersionTarget(
                "main",
                MetadataKind.FOLDER,
                ContentsKind.FOLDER,
                metadata={"path": str(root / "kept" / "histories")},
                contents={"path": str(root / "kept" / "contents")},
            )
        )

    def write(self, name: str, rows: int) -> None:
        (self.data / name).parent.mkdir(exist_ok=True)
        parquet.write_table(pa.table({"n": list(range(rows))}), self.data / name)

    def request(self, number: int = 1, **changes: Any) -> CommitRequest:
        asked: dict[str, Any] = {
            "dataset": "sales",
            "space": changes.get("dataset", "sales"),
            "uris": (f"{self.data}/",),
            "format": FileFormat.PARQUET,
            "options": {},
            "kind": None,
            "credential": None,
            "target": self.target,
            "number": number,
            "message": "Month's end",
            "person": "ada",
            "at": NOW,
            "door": self.door,
            "work": self.work,
        }
        return CommitRequest(**{**asked, **changes})

    def commit(self, number: int = 1, **changes: Any) -> Version:
        return as_version(commit(self.request(number, **changes), nothing), number)

    def files(self, version: Version) -> tuple[VersionFile, ...]:
        return files_of_version(self.target, version, self.door, self.work)

    def objects(self) -> set[Path]:
        found = (self.kept / "contents").rglob("*")
        return {one for one in found if one.is_file()}


def as_version(made: Committed, number: int, dataset: str = "sales") -> Version:
    return Version(
        dataset,
        number,
        VersionState.COMMITTED,
        "Month's end",
        "ada",
        NOW,
        "main",
        space=dataset,
        commit=made.commit,
        files=made.files,
        size=made.size,
        rows=made.rows,
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def dvc(*words: str, folder: Path) -> str:
    """DVC's own program."""
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "HOME": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-m", "dvc", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.promise("SET-4")
def test_a_version_keeps_files_as_they_were(desk: Desk) -> None:
    desk.write("2026/a.parquet", 3)
    desk.write("b.parquet", 4)
    then = (desk.data / "b.parquet").read_bytes()

    version = desk.commit()
    desk.write("b.parquet", 5)
    files = desk.files(version)

    assert [one.path for one in files] == ["2026/a.parquet", "b.parquet"]
    assert (version.files, version.rows) == (2, 7)
    assert version.size == sum(one.size for one in files)
    assert Path(uris_of(desk.target, "sales", files)[1]).read_bytes() == then


@pytest.mark.promise("SET-4")
def test_two_versions_are_told_apart_by_files_and_rows(desk: Desk) -> None:
    for name in "abc":
        desk.write(f"{name}.parquet", 2)
    first = desk.commit()
    desk.write("b.parquet", 5)
    desk.write("d.parquet", 1)
    (desk.data / "c.parquet").unlink()

    second = desk.commit(2)
    found = difference(first, second, desk.files(first), desk.files(second))

    assert (found.before, found.after, found.rows) == (1, 2, 2)
    assert [one.path for one in found.added] == ["d.parquet"]
    assert [one.path for one in found.removed] == ["c.parquet"]
    assert [one.path for one in found.changed] == ["b.parquet"]


@pytest.mark.promise("SET-4")
def test_rows_that_are_only_estimated_are_not_compared(desk: Desk) -> None:
    (desk.data / "a.csv").write_text("n\n" + "1\n" * 100_000)
    first = desk.commit(format=FileFormat.CSV)
    (desk.data / "a.csv").write_text("n\n" + "1\n" * 120_000)

    second = desk.commit(2, format=FileFormat.CSV)
    found = difference(first, second, desk.files(first), desk.files(second))

    assert found.rows is None
    assert [one.path for one in found.changed] == ["a.csv"]


@pytest.mark.promise("SET-4")
def test_dvc_itself_reads_what_was_committed(desk: Desk, tmp_path: Path) -> None:
    desk.write("2026/a.parquet", 3)
    desk.write("b.parquet", 4)
    then = (desk.data / "b.parquet").read_bytes()
    desk.commit(space="sales-1f")
    desk.write("b.parquet", 9)
    desk.commit(2, space="sales-1f")
    away = tmp_path / "away"
    away.mkdir()

    histories = str(desk.kept / "histories")
    dvc("get", histories, "datasets/sales-1f", "--rev", "sales-1f/v1", "-o", "first", folder=away)

    assert (away / "first" / "b.parquet").read_bytes() == then
    assert parquet.read_metadata(away / "first" / "2026" / "a.parquet").num_rows == 3


def test_what_has_not_changed_is_neither_read_nor_kept_again(desk: Desk) -> None:
    for number in range(5):
        desk.write(f"{number}.parquet", number + 1)
    desk.commit()
    before = {one: one.stat().st_mtime_ns for one in desk.objects()}
    desk.write("3.parquet", 77)
    told: list[tuple[int, int]] = []

    commit(desk.request(2), lambda done, total: told.append((done, total)))

    new = desk.objects() - before.keys()
    # The changed file, the list of files, and their sizes.
    assert len(new) == 3
    assert all(one.stat().st_mtime_ns == then for one, then in before.items())
    assert told[-1][0] == told[-1][1]


@pytest.mark.promise("SET-4")
def test_of_two_commits_at_once_both_are_kept_in_order(desk: Desk) -> None:
    desk.write("a.parquet", 3)
    numbers = range(1, 9)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(desk.commit, numbers))

    history = History(desk.target, desk.door, desk.work)
    repository = history._repository.local
    kept = [entry.commit.id.decode() for entry in repository.get_walker()]
    assert sorted(kept) == sorted(one.commit for one in made)
    assert all(desk.files(one) for one in made)


@pytest.mark.promise("SET-4")
def test_a_commit_that_dies_leaves_no_version_and_can_be_run_again(desk: Desk) -> None:
    for number in range(5):
        desk.write(f"{number}.parquet", number + 1)
    check_target(desk.target, desk.door, desk.work, NOW)
    branch = desk.kept / "histories/refs/heads/main"
    before = branch.read_text()

    def kill(done: int, total: int) -> None:
        if total and done == total:
            os.kill(worker(), signal.SIGKILL)

    # It waits before the last step, that names what is there by then, until it is killed.
    with (desk.kept / "histories/allotment.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SourceProblem, match="broke off"):
            commit_apart(desk.request(), kill)

    assert branch.read_text() == before
    contents = desk.objects()
    version = as_version(commit_apart(desk.request(), nothing), 1)
    assert len(desk.files(version)) == 5
    assert contents <= desk.objects()


@pytest.mark.promise("SET-4", "DATA-2")
def test_what_a_folder_keeps_is_for_the_control_planes_account_alone(desk: Desk) -> None:
    desk.write("a.parquet", 3)
    (desk.kept / "contents" / "sales").mkdir(parents=True, mode=0o755)
    desk.commit()
    with closing(Keeping(desk.target, desk.door, desk.work)) as keeping:
        keeping.keep("churn/1-0f")

    kept = [one for one in desk.kept.glob("contents/*/**/*") if one.name != "contents"]
    found = {f"{one.stat().st_mode & 0o777:o}" for one in [*kept, *desk.kept.glob("contents/*")]}

    assert found == {"600", "700"}


def test_what_a_killed_commit_has_left_is_swept_away(desk: Desk) -> None:
    left = desk.kept / "contents" / "sales" / ".incoming" / "tmp1"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    desk.write("a.parquet", 3)

    desk.commit()

    assert not left.exists()


def worker() -> int:
    """The process that commits for this test."""
    tasks = Path("/proc/self/task").iterdir()
    children = [one for task in tasks for one in (task / "children").read_text().split()]
    lines = {one: Path(f"/proc/{one}/cmdline").read_bytes() for one in children}
    (found,) = (int(one) for one, line in lines.items() if b"versions.worker" in line)
    return found


def test_a_commit_apart_tells_what_was_refused_and_why(desk: Desk) -> None:
    desk.write("a.parquet", 3)
    (desk.data / "b.parquet").write_bytes((desk.data / "a.parquet").read_bytes()[:-9])

    with pytest.raises(Refusal, match=r"b\.parquet is cut off"):
        commit_apart(desk.request(), nothing)


def test_nothing_that_a_library_prints_reaches_who_commits(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    desk.write("a.parquet", 3)

    made = commit_apart(desk.request(), nothing)

    assert capfd.readouterr() == ("", "")
    assert made.reading.rows == 3


def test_a_file_that_changes_while_it_is_committed_is_refused(desk: Desk) -> None:
    desk.write("a.parquet", 3)

    def change(_done: int, _total: int) -> None:
        desk.write("a.parquet", 4)

    with pytest.raises(SourceProblem, match="was changed while it was being read"):
        commit(desk.request(), change)


@pytest.mark.promise("SET-4")
def test_tags_name_versions_for_dvc_too(desk: Desk) -> None:
    desk.write("a.parquet", 3)
    version = desk.commit()
    history = History(desk.target, desk.door, desk.work)

    history.tag("sales", {"2026-10": version.commit, "wrong": version.commit})
    history.tag("sales", {"wrong": None})

    tags = desk.kept / "histories" / "refs" / "tags" / "sales"
    assert {one.name for one in tags.iterdir()} == {"v1", "2026-10"}


@pytest.mark.promise("SET-4")
def test_a_dataset_that_takes_a_name_inherits_no_files_and_no_tags_in_the_history(
    desk: Desk,
) -> None:
    desk.write("old.parquet", 3)
    old = desk.commit(space="sales-1")
    History(desk.target, desk.door, desk.work).tag("sales-1", {"golden": old.commit})
    (desk.data / "old.parquet").unlink()
    desk.write("new.parquet", 4)

    desk.commit(space="sales-2")

    tags = desk.kept / "histories" / "refs" / "tags"
    assert {one.name for one in (tags / "sales-2").iterdir()} == {"v1"}
    assert (tags / "sales-1" / "golden").read_text().strip() == old.commit
    assert (tags / "sales-1" / "v1").read_text().strip() == old.commit
    (kept,) = desk.files(replace(old, space="sales-1"))
    assert kept.path == "old.parquet"


@pytest.mark.promise("SET-4")
def test_a_target_is_tested_when_it_is_set_up(desk: Desk) -> None:
    told = check_target(desk.target, desk.door, desk.work, NOW)
    again = check_target(desk.target, desk.door, desk.work, NOW)

    assert told == again
    assert "can be written and read" in told
    assert not desk.objects()


def test_a_target_outside_the_roots_is_refused(desk: Desk, tmp_path: Path) -> None:
    outside = VersionTarget(
        "other",
        MetadataKind.FOLDER,
        ContentsKind.FOLDER,
        metadata={"path": str(tmp_path / "other")},
        contents={"path": str(tmp_path / "other")},
    )

    with pytest.raises(SourceProblem, match="outside"):
        check_target(OpenedTarget(outside), desk.door, desk.work, NOW)


def test_each_dataset_has_a_store_of_its_own(desk: Desk) -> None:
    desk.write("a.parquet", 3)

    one = desk.commit()
    two = as_version(commit(desk.request(dataset="a.lock"), nothing), 1, "a.lock")

    assert uris_of(desk.target, "sales", desk.files(one)) != uris_of(
        desk.target, "a.lock", desk.files(two)
    )
    assert desk.target.contents_source("sales").fields["path"].endswith("/contents/sales")


@pytest.mark.promise("MODEL-1")
def test_a_models_file_is_kept_and_given_back_and_dropped(desk: Desk) -> None:
    with closing(Keeping(desk.target, desk.door, desk.work)) as keeping:
        keeping.write(b"we")
        keeping.write(b"ights")
        key = new_key("churn", "1")
        keeping.keep(key)

    given = b"".join(open_file(desk.target, key, desk.door))
    drop_file(desk.target, key, desk.door)
    drop_file(desk.target, key, desk.door)

    assert (keeping.size, given) == (7, b"weights")
    assert len(keeping.sha256) == 64
    with pytest.raises(SourceProblem):
        list(open_file(desk.target, key, desk.door))


@pytest.mark.promise("MODEL-1")
def test_a_models_file_that_never_came_whole_leaves_nothing(desk: Desk) -> None:
    with closing(Keeping(desk.target, desk.door, desk.work)) as keeping:
        keeping.write(b"we")

    assert not desk.objects()


@pytest.mark.promise("MODEL-1")
def test_two_files_for_one_model_lie_apart(desk: Desk) -> None:
    keys = []
    for content in (b"first", b"second"):
        with closing(Keeping(desk.target, desk.door, desk.work)) as keeping:
            keeping.write(content)
            keys.append(new_key("churn", "1"))
            keeping.keep(keys[-1])

    found = [b"".join(open_file(desk.target, key, desk.door)) for key in keys]

    assert found == [b"first", b"second"]
