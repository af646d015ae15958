"""Targets lie apart: neither in one another's place, nor within it, nor around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allotment.data.versions.places import overlap_reason
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget


def folder(name: str, histories: str, contents: str) -> VersionTarget:
    return VersionTarget(
        name,
        MetadataKind.FOLDER,
        ContentsKind.FOLDER,
        metadata={"path": histories},
        contents={"path": contents},
    )


def bucket(name: str, **contents: Any) -> VersionTarget:
    return VersionTarget(
        name,
        MetadataKind.GIT,
        ContentsKind.S3,
        metadata={"url": "https://git.example.com/versions.git"},
        contents={"endpoint": "", "bucket": "versions", "prefix": ""} | contents,
    )


@pytest.mark.promise("SET-4")
@pytest.mark.parametrize(
    ("histories", "contents", "apart"),
    [
        ("/srv/b/h", "/srv/b/c", True),
        ("/srv/b/h", "/srv/a/contents", False),
        ("/srv/b/h", "/srv/a/contents/within", False),
        ("/srv/b/h", "/srv/a", False),
        ("/srv/a/contents/", "/srv/b/c", False),
        ("/srv/a/histories", "/srv/b/c", False),
        ("/srv/b/h", "/srv/b/../a/contents", False),
        ("/srv/b/h", "/srv/a/contents2", True),
    ],
)
def test_folders_of_targets_lie_apart(histories: str, contents: str, apart: bool) -> None:
    known = folder("a", "/srv/a/histories", "/srv/a/contents")

    assert (overlap_reason(folder("b", histories, contents), [known]) is None) is apart


@pytest.mark.promise("SET-4")
def test_a_link_to_a_targets_folder_is_that_folder(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "kept")
    known = folder("a", str(tmp_path / "h"), str(tmp_path / "kept"))
    wanted = folder("b", str(tmp_path / "g"), str(tmp_path / "other" / "within"))

    reason = overlap_reason(wanted, [known])

    assert reason is not None
    assert "'a' keeps its own" in reason.message


@pytest.mark.promise("SET-4")
@pytest.mark.parametrize(
    ("contents", "apart"),
    [
        ({}, False),
        ({"prefix": "team/sales"}, False),
        ({"prefix": "other/"}, True),
        ({"prefix": "team2"}, True),
        ({"bucket": "others", "prefix": "team"}, True),
        ({"endpoint": "https://S3.example.com/", "prefix": "team"}, True),
    ],
)
def test_prefixes_of_targets_lie_apart(contents: dict[str, str], apart: bool) -> None:
    known = bucket("a", prefix="team/")

    assert (overlap_reason(bucket("b", **contents), [known]) is None) is apart


@pytest.mark.promise("SET-4")
def test_a_target_may_stay_where_it_is() -> None:
    known = bucket("a")

    assert overlap_reason(known, [known]) is None
