"""Buckets in a cell: loaded, walked and read, never written."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import allotment
from allotment import notebook
from allotment.notebook.problems import DataProblem

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.promise("SET-2", "DATA-5", "DATA-6")
def test_a_dataset_in_a_bucket_is_loaded_with_keys_that_end_within_the_hour(lake: Any) -> None:
    found = allotment.load("bucket-sales", columns=["id", "amount"], where="amount > 70")

    assert found.height == 2 * 19
    assert found.columns == ["id", "amount"]
    lent = notebook.session().lender.credential("lake")
    assert lent.text("session_token")
    assert lent.ends is not None
    assert lake[0].secret_access_key not in str(lent.fields)


@pytest.mark.promise("DATA-2", "DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_a_bucket_is_walked_and_read_as_a_path_and_never_written(lake: Any) -> None:
    top = allotment.path("lake")

    assert [place.name for place in top.iterdir()] == ["notes.txt", "sales"]
    assert [place.name for place in top.glob("**/*.parquet")] == ["a.parquet", "b #1.parquet"]
    assert (top / "notes.txt").read_text() == "Grüße"
    with (top / "sales/a.parquet").open() as opened:
        assert pl.read_parquet(opened).height == 300
    with pytest.raises(DataProblem, match="is for reading"):
        (top / "own.txt").open("wb")
    with pytest.raises(DataProblem, match=r"no '\.\.'"):
        top / "../other"
    files = top.filesystem
    with pytest.raises(DataProblem, match="only reads"):
        files.pipe_file(f"{lake[1]}/team/own.txt", b"mine")
    with pytest.raises(PermissionError):
        files.current.pipe_file(f"{lake[1]}/team/own.txt", b"mine")
    with pytest.raises(PermissionError):
        files.cat_file(f"{lake[1]}/other/secret.txt")


@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("lake", "warehouse")
def test_a_bucket_is_no_database_and_a_database_no_bucket() -> None:
    with pytest.raises(DataProblem, match=r"allotment\.path\('lake'\)"):
        allotment.sql("lake", "select 1")
    with pytest.raises(DataProblem, match=r"allotment\.sql\('warehouse'"):
        allotment.path("warehouse")
