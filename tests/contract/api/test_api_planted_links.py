"""Links that are planted in folders of datasets lead into no source and no target."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allotment.model.refusals import Refusal
from allotment.model.sources import Audience
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.fixture
def folders(data_api: Any, tmp_path: Path) -> Path:
    """Below the root: ``lake``, a source that carl alone may use; ``kept``, a target; ``mine``, anybody's."""
    root = tmp_path / "data"
    for name in ("lake", "mine", "kept"):
        (root / name).mkdir()
    (root / "lake" / "wages.csv").write_text("name,wage\nbob,1\n")
    (root / "mine" / "own.csv").write_text("name,wage\nann,2\n")
    carl = data_api.client("carl+")
    only = Audience(people=("carl",))
    carl.sources.create("lake", "folder", {"path": str(root / "lake")}, audience=only)
    keep_history(carl, root / "kept")
    (root / "kept" / "contents" / "others.csv").write_text("name,wage\nbob,1\n")
    return root


@pytest.mark.promise("SET-1", "DATA-3")
@pytest.mark.parametrize(
    ("planted", "uri"),
    [
        ("lake/wages.csv", "{root}/mine/"),
        ("kept/contents/others.csv", "{root}/mine/*.csv"),
        ("lake/wages.csv", "{root}/mine/link.csv"),
    ],
)
def test_a_link_into_what_is_shared_with_others_is_not_registered(
    data_api: Any, folders: Path, planted: str, uri: str
) -> None:
    (folders / "mine" / "link.csv").symlink_to(folders / planted)

    with pytest.raises(Refusal):
        data_api.client("bob").datasets.create("peek", [uri.format(root=folders)])


@pytest.mark.promise("SET-1", "DATA-3")
def test_a_link_that_is_planted_after_the_registration_is_neither_opened_nor_committed(
    data_api: Any, folders: Path
) -> None:
    bob = data_api.client("bob")
    bob.datasets.create("mine", [f"{folders}/mine/"], target="history")
    assert data_api.client("bobs-server").datasets.access("mine").files
    (folders / "mine" / "link.csv").symlink_to(folders / "lake" / "wages.csv")

    for again in (bob.datasets.read, data_api.client("bobs-server").datasets.access):
        with pytest.raises(Refusal, match="belongs to a source or a target"):
            again("mine")
    bob.versions.commit("mine", "Everything")
    data_api.plane.data.committing.wait(60)

    [version] = bob.versions.all("mine").items
    assert version.state == "failed"
    assert "belongs to a source or a target" in version.problem


@pytest.mark.promise("SET-1", "DATA-3")
def test_a_link_within_ones_own_folders_is_followed(data_api: Any, folders: Path) -> None:
    (folders / "mine" / "link.csv").symlink_to(folders / "mine" / "own.csv")

    made = data_api.client("bob").datasets.create("mine", [f"{folders}/mine/"])

    assert made.reading is not None
    assert made.reading.files == 2
