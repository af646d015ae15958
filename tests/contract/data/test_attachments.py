"""Documents beside datasets are kept as bytes, under names that nobody gave."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.data.datasets.attachments import kept_at, remove, save
from allotment.data.problems import SourceProblem
from allotment.model.datasets import Attachment

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.promise("SET-1")
def test_an_attachment_is_kept_as_it_is_and_removed(tmp_path: Path) -> None:
    key, size, digest = save(tmp_path, "sales", "Read me.html", [b"<script>", b"alert(1)"])
    kept = Attachment("Read me.html", size, digest, "ann", NOW, key)
    place = kept_at(tmp_path, "sales", kept)

    assert place.read_bytes() == b"<script>alert(1)"
    assert size == 16
    assert "html" not in place.name

    remove(tmp_path, "sales", kept)
    remove(tmp_path, "sales", kept)
    assert list((tmp_path / "sales").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", "../../record.sqlite", "a/b", "..", ".ssh", "a\0b", 'a"b', "a\nb", "x" * 121, " a"]
)
def test_an_attachment_has_a_plain_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceProblem, match="no name of an attachment"):
        save(tmp_path, "sales", name, [b"x"])

    assert list(tmp_path.iterdir()) == []


def test_an_attachment_that_is_too_large_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SourceProblem, match="larger than 3 bytes"):
        save(tmp_path, "sales", "big.bin", iter([b"12", b"34"]), most=3)

    assert list((tmp_path / "sales").iterdir()) == []
