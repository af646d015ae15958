"""Histories in a repository behind HTTPS: git's own server, a certificate of the company's, a token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.history import History, NewVersion
from allotment.data.versions.target import OpenedTarget
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from git_server import TOKEN, GitServer, git_server

pytestmark = pytest.mark.needs("git")

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[GitServer]:
    """A repository for one test."""
    with git_server(tmp_path) as server:
        yield server


def history(
    served: GitServer, door: Door, work: Path, *, token: str = TOKEN, **fields: Any
) -> History:
    metadata = {"url": served.url, "branch": "main", "ca": served.authority} | fields
    target = VersionTarget("main", MetadataKind.GIT, ContentsKind.FOLDER, metadata=metadata)
    return History(OpenedTarget(target, {"metadata.token": token}), door, work)


def version(number: int) -> NewVersion:
    pointer = f"outs:\n- md5: {number:032x}.dir\n".encode()
    remote = {"url": "/kept/sales-1f"}
    message = f"Number {number}"
    return NewVersion("sales", "sales-1f", pointer, remote, message, "ada", NOW, (f"v{number}",))


@pytest.mark.promise("SET-4")
def test_a_history_is_kept_by_gits_own_server_and_read_from_elsewhere(
    served: GitServer, loopback: Door, tmp_path: Path
) -> None:
    ours = history(served, loopback, tmp_path / "work")
    ours.test(NOW)
    ours.test(NOW)

    made = [ours.append(version(number)) for number in (1, 2)]
    ours.tag("sales-1f", {"golden": made[0]})
    ours.tag("sales-1f", {"v1": None})

    assert served.git("log", "--format=%H %s", "-2").splitlines() == [
        f"{made[1]} sales: Number 2",
        f"{made[0]} sales: Number 1",
    ]
    assert served.git("tag").splitlines() == ["sales-1f/golden", "sales-1f/v2"]
    assert served.git("fsck", "--strict") == ""
    elsewhere = history(served, loopback, tmp_path / "elsewhere")
    assert elsewhere.pointer("sales-1f", made[0]) == version(1).pointer


@pytest.mark.promise("SET-4", "DATA-5")
def test_a_wrong_token_is_told_and_not_repeated(
    served: GitServer, loopback: Door, tmp_path: Path
) -> None:
    with pytest.raises(SourceProblem, match="does not accept the token") as told:
        history(served, loopback, tmp_path / "work", token="hunter2").test(NOW)

    assert "hunter2" not in str(told.value)
    assert served.git("branch") == ""


@pytest.mark.promise("SET-4")
@pytest.mark.parametrize("authority", ["", "another's"])
def test_a_certificate_of_nobody_who_is_believed_is_told(
    served: GitServer, loopback: Door, tmp_path: Path, authority: str
) -> None:
    if authority:
        (tmp_path / "other").mkdir()
        with git_server(tmp_path / "other") as other:
            authority = other.authority

    with pytest.raises(SourceProblem, match="a certificate that is not believed") as told:
        history(served, loopback, tmp_path / "work", ca=authority).test(NOW)

    assert "certificate authority" in told.value.reasons[0].remedy


@pytest.mark.promise("SET-4")
def test_what_the_server_refuses_is_told_and_nothing_is_kept(
    served: GitServer, loopback: Door, tmp_path: Path
) -> None:
    ours = history(served, loopback, tmp_path / "work")
    ours.append(version(1))
    served.refuse("main is protected")

    with pytest.raises(SourceProblem, match="refused the commit"):
        ours.append(version(2))
    with pytest.raises(SourceProblem, match="refused a tag"):
        ours.tag("sales-1f", {"golden": served.git("rev-parse", "main")})

    assert served.git("rev-list", "--count", "main") == "1"


@pytest.mark.promise("SET-4")
def test_a_repository_that_is_not_there_is_told(
    served: GitServer, loopback: Door, tmp_path: Path
) -> None:
    gone = replace(served, url=served.url.replace("versions", "others"))

    with pytest.raises(SourceProblem, match="is no git repository"):
        history(gone, loopback, tmp_path / "work").test(NOW)
