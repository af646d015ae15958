"""Files are read piece by piece: how far that is is told, and an interruption ends it in the middle."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from allotment.model.datasets import FileFormat
from allotment.model.documents import DatasetAccess, DatasetFile
from allotment.model.documents.datasets import DatasetColumn, DatasetStorage
from allotment.model.sources import SourceKind
from allotment.notebook import files, text_files
from allotment.notebook.files import Wanted, collect
from allotment.notebook.lending import Lent
from allotment.notebook.progress import Interrupted, Progress
from allotment.notebook.text_files import collect_text

ROWS = 400_000


def lend() -> Lent:
    return Lent("lake", SourceKind.FOLDER, {"path": "/"})


def access(*paths: Path, rows: int, kind: FileFormat = FileFormat.PARQUET) -> DatasetAccess:
    return DatasetAccess(
        dataset="sales",
        format=kind,
        options={"encoding": "cp1252"} if kind is FileFormat.CSV else {},
        columns=(DatasetColumn(name="n", type="int64"),),
        rows=rows,
        files=tuple(
            DatasetFile(path=one.name, uri=str(one), size=one.stat().st_size) for one in paths
        ),
        storage=DatasetStorage(kind=SourceKind.FOLDER, now=datetime.now(UTC)),
    )


class Told(Progress):
    """Remembers each word, and is interrupted at one of them."""

    def __init__(self, interrupted_at: int = 10**9) -> None:
        super().__init__("Loading sales")
        self.steps: list[int] = []
        self.interrupted_at = interrupted_at

    def add(self, amount: int) -> None:
        self.steps.append(amount)
        super().add(amount)
        if len(self.steps) >= self.interrupted_at:
            self.interrupted.set()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.parquet"
    pl.DataFrame({"n": range(ROWS)}).write_parquet(path, row_group_size=ROWS // 20)
    return path


@pytest.mark.promise("DATA-6")
def test_one_large_file_tells_how_far_it_is(large: Path) -> None:
    told = Told()

    found = collect(access(large, rows=ROWS), lend, Wanted(), told)

    assert found["n"].to_list() == list(range(ROWS))
    assert len([one for one in told.steps if one]) > 2
    assert told.done == large.stat().st_size


@pytest.mark.promise("DATA-6")
def test_a_condition_and_a_limit_are_read_as_before(large: Path) -> None:
    some = Wanted(where=pl.col("n") >= ROWS - 10)
    told = Told()

    assert collect(access(large, rows=ROWS), lend, some, told).height == 10
    assert collect(access(large, rows=ROWS), lend, Wanted(limit=3), Told()).height == 3
    assert told.done == large.stat().st_size


@pytest.mark.promise("DATA-6")
def test_an_interruption_ends_a_large_file_in_the_middle(large: Path) -> None:
    told = Told(interrupted_at=1)

    with pytest.raises(Exception, match="Loading sales"):
        collect(access(large, rows=ROWS), lend, Wanted(), told)

    assert told.done < large.stat().st_size


@pytest.mark.promise("DATA-6")
def test_no_further_piece_is_read_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE", 1)
    paths = [tmp_path / f"{n}.parquet" for n in range(5)]
    for path in paths:
        pl.DataFrame({"n": [1, 2]}).write_parquet(path)
    begun: list[Any] = []
    scan = files.scan
    monkeypatch.setattr(files, "scan", lambda *asked: begun.append(asked[2]) or scan(*asked))
    told = Told(interrupted_at=1)

    with pytest.raises(Interrupted):
        collect(access(*paths, rows=10), lend, Wanted(), told)

    assert len(begun) == 1


@pytest.mark.promise("DATA-6")
def test_an_interruption_ends_a_long_text_between_two_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "_BLOCK", 10_000)
    path = tmp_path / "long.csv"
    path.write_text("n\n" + "".join(f"{n}\n" for n in range(50_000)))
    told = Told(interrupted_at=2)

    with pytest.raises(Interrupted):
        collect_text(access(path, rows=50_000, kind=FileFormat.CSV), lend, Wanted(), told)

    assert len(told.steps) == 2
