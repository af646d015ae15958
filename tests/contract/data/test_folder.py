"""A folder as a source: proven by trying, browsed without leaving it."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from allotment.data.door import Door
from allotment.data.kinds.folder import Folder
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import Verdict

KIND = Folder()
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOBODY = 65534
FOREIGN = Path("/usr/share")
"""A folder that belongs to root everywhere."""

Result = TypeVar("Result")


def source(path: Path | str) -> Opened:
    return Opened("lake", {"path": str(path)})


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A folder with files, a folder, and a link that leads out."""
    place = tmp_path / "lake"
    (place / "eu").mkdir(parents=True)
    (place / "a.csv").write_bytes(b"12345")
    (place / "eu" / "de.csv").write_bytes(b"1")
    (tmp_path / "wages.csv").write_text("secret")
    (place / "out").symlink_to(tmp_path / "wages.csv")
    (place / "up").symlink_to(tmp_path)
    return place


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """A door to what a test writes."""
    return Door(roots=(tmp_path,))


def without_rights(call: Callable[[], Result]) -> Result:
    """Do it as a system account that owns nothing: as root in a process of its own, else as we are."""
    if os.geteuid():
        return call()
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.setgroups([])
        os.setuid(NOBODY)
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(call(), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer: Result = pickle.load(pipe)  # noqa: S301 - our own child wrote it
    os.waitpid(child, 0)
    return answer


@pytest.mark.promise("DATA-2")
def test_a_folder_that_belongs_to_others_is_proven_read_only() -> None:
    proof = without_rights(lambda: KIND.prove(source(FOREIGN), Door(roots=(FOREIGN,)), NOW))

    assert (proof.verdict, proof.possible, proof.at) == (Verdict.READ_ONLY, (), NOW)
    assert proof.tried[0] == "make a file: refused"


@pytest.mark.promise("DATA-2")
def test_a_folder_that_can_be_written_is_told_and_stays_as_it_was(lake: Path, door: Door) -> None:
    before = sorted(lake.iterdir())

    proof = KIND.prove(source(lake), door, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert "make a file" in proof.possible
    assert sorted(lake.iterdir()) == before


@pytest.mark.promise("DATA-2")
def test_a_folder_whose_rights_its_users_could_change_is_not_read_only(
    lake: Path, door: Door
) -> None:
    for folder in (lake, lake / "eu"):
        folder.chmod(0o555)

    proof = KIND.prove(source(lake), door, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert "change the rights of .: servers' account owns it" in proof.possible


@pytest.mark.promise("DATA-2")
def test_a_folder_with_one_open_folder_in_it_is_not_read_only() -> None:
    outer = Path("/var").resolve()

    proof = without_rights(lambda: KIND.prove(source(outer), Door(roots=(outer,)), NOW))

    assert proof.verdict is Verdict.WRITABLE
    assert proof.tried[0] == "make a file: refused"
    assert proof.possible == ("write to tmp",)


@pytest.mark.promise("DATA-2")
def test_a_folder_that_can_be_exchanged_for_another_is_not_read_only(
    lake: Path, door: Door
) -> None:
    proof = KIND.prove(source(lake), door, NOW)

    assert (
        f"put another folder in its place: servers' account may write to {lake.parent}"
        in proof.possible
    )


@pytest.mark.promise("DATA-2")
def test_a_folder_that_is_not_there_proves_nothing(tmp_path: Path, door: Door) -> None:
    proof = KIND.prove(source(tmp_path / "none"), door, NOW)

    assert proof.verdict is Verdict.UNPROVEN
    assert "No such file" in proof.problem


@pytest.mark.promise("DATA-4")
def test_a_check_says_what_was_reached(lake: Path, door: Door, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert KIND.check(source(lake), door) == f"Folder {lake}. Servers read its files themselves."
    assert "It is empty." in KIND.check(source(tmp_path / "empty"), door)
    with pytest.raises(SourceProblem, match="Not a directory"):
        KIND.check(source(lake / "a.csv"), door)


@pytest.mark.promise("DATA-2")
def test_servers_are_told_the_path_with_links_resolved(
    lake: Path, door: Door, tmp_path: Path
) -> None:
    (tmp_path / "alias").symlink_to(lake)
    borrower = Borrower("ann", "", "a1", NOW + timedelta(hours=1), "allotment_0")

    lent = KIND.issue(source(tmp_path / "alias"), borrower, door, NOW)

    assert (lent.fields, lent.expires_at, lent.shared) == ({"path": str(lake)}, None, False)


@pytest.mark.promise("DATA-6")
def test_folders_and_files_are_browsed_and_links_that_lead_out_cannot_be_opened(
    lake: Path, door: Door
) -> None:
    found = KIND.browse(source(lake), (), door)
    inner = KIND.browse(source(lake), ("eu",), door)

    assert [(one.name, one.kind, one.holds, one.size) for one in found.entries] == [
        ("a.csv", "file", False, 5),
        ("eu", "folder", True, None),
        ("out", "link", False, None),
        ("up", "link", False, None),
    ]
    assert [one.path for one in inner.entries] == [("eu", "de.csv")]


@pytest.mark.promise("DATA-6")
def test_browsing_goes_on_after_the_last_name(lake: Path, door: Door) -> None:
    first = KIND.browse(source(lake), (), door, limit=2)
    second = KIND.browse(source(lake), (), door, limit=2, after=first.next or "")

    assert first.next == "eu"
    assert [one.name for one in second.entries] == ["out", "up"]
    assert second.next is None


@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize("path", [("..",), ("up",), ("eu", "..", ".."), ("out",), ("/etc",)])
def test_nothing_outside_the_folder_is_browsed(
    lake: Path, door: Door, path: tuple[str, ...]
) -> None:
    with pytest.raises(SourceProblem):
        KIND.browse(source(lake), path, door)


@pytest.mark.promise("DATA-1")
def test_a_folder_outside_the_roots_is_refused(lake: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match="outside the folders"):
        KIND.check(source("/etc"), Door(roots=(tmp_path,)))
    with pytest.raises(SourceProblem, match="absolute"):
        KIND.validate(source("lake"))
    with pytest.raises(SourceProblem, match="keeps for itself"):
        KIND.check(source(lake), Door(roots=(tmp_path,), forbidden_paths=(lake / "a.csv",)))
