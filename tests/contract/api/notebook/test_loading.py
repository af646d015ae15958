"""Datasets in a cell, through the real control plane: registered, listed, loaded in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import allotment
from allotment import notebook
from allotment.model.refusals import NotFound, Refusal
from allotment.notebook.problems import DataProblem
from cells import VISION, parquet, sales

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("SET-2", "DATA-6")
def test_a_registered_dataset_is_loaded_in_one_line() -> None:
    found = allotment.load("sales")

    assert found.equals(sales())


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("DATA-6")
def test_only_the_columns_and_rows_that_were_asked_for_are_loaded() -> None:
    where = "amount < 3 and region = 'north'"

    found = allotment.load("sales", columns=["id"], where=where, limit=3)
    later = allotment.load("sales", columns=["id"], where=where, limit=3, as_="lazy")

    assert found.to_dict(as_series=False) == {"id": [0, 3, 6]}
    assert later.collect().equals(found)


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("DATA-6")
def test_a_column_that_is_not_there_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(DataProblem, match=r"no column 'amuont'\. Nearest: amount"):
        allotment.load("sales", columns=["amuont"])
    with pytest.raises(DataProblem, match="no such column"):
        allotment.load("sales", where="price > 1")


@pytest.mark.usefixtures("two_files")
@pytest.mark.promise("SET-2")
def test_a_dataset_that_is_not_shared_with_me_is_as_if_it_were_not_there(data_api: Any) -> None:
    notebook.use(data_api.client("zoes-server"))

    with pytest.raises(NotFound):
        allotment.load("sales")


@pytest.mark.promise("DATA-7", "PROFILE-5")
def test_what_is_revoked_is_refused_in_words_as_soon_as_it_is_asked_again(two_files: Any) -> None:
    allotment.load("sales", limit=1)
    two_files.datasets.revoke("sales")

    notebook.session().forget()
    with pytest.raises(Refusal):
        allotment.load("sales")


@pytest.mark.promise("SET-1")
@pytest.mark.usefixtures("two_files")
def test_a_file_that_is_gone_is_named_with_what_would_help(folder: Path) -> None:
    allotment.load("sales", limit=1)
    (folder / "part-1.parquet").unlink()

    with pytest.raises(DataProblem) as problem:
        allotment.load("sales")

    assert "not there any more" in str(problem.value)
    assert "part-1.parquet" in str(problem.value)


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("torn", [b"PAR1 and then nothing", b""])
@pytest.mark.usefixtures("two_files")
def test_a_file_that_was_torn_after_its_registration_is_said_to_be(
    folder: Path, torn: bytes
) -> None:
    (folder / "part-1.parquet").write_bytes(torn)

    with pytest.raises(DataProblem, match="sales"):
        allotment.load("sales")


@pytest.mark.promise("SET-1", "SET-2")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_csv_is_loaded_as_it_was_detected_whatever_its_encoding(
    cell: Any, tmp_path: Path, encoding: str
) -> None:
    lines = ["id;name;price;day", *(f"{n};Ärger {n};{n},5;2026-01-0{n % 9 + 1}" for n in range(50))]
    (tmp_path / "data" / "old.csv").write_bytes("\n".join(lines).encode(encoding))
    cell.client("carl+").datasets.create(
        "old",
        [f"{tmp_path}/data/old.csv"],
        audience=VISION,
        options={"decimal": ",", "encoding": encoding},
    )

    found = allotment.load("old", where="id = 7")

    assert found["name"].to_list() == ["Ärger 7"]
    assert found["price"].to_list() == [7.5]
    assert found.schema["day"] == pl.Date


@pytest.mark.usefixtures("shelf")
@pytest.mark.promise("SET-1", "SET-2")
def test_a_dataset_is_registered_from_a_cell_and_loaded_at_once(folder: Path) -> None:
    (folder.parent / "mine.parquet").write_bytes(parquet(sales(30)))

    made = allotment.register("mine", uri=allotment.path("shelf") / "mine.parquet")

    assert made.reading is not None
    assert made.reading.rows == 30
    assert allotment.load("mine").height == 30
    assert allotment.datasets()["mine"].usable


@pytest.mark.usefixtures("shelf")
@pytest.mark.promise("DATA-6")
def test_what_may_be_used_is_a_table_whose_words_are_escaped(two_files: Any) -> None:
    revision = two_files.datasets.get("sales").revision
    two_files.datasets.edit("sales", revision=revision, title="<b>Sales</b> & more")

    datasets, sources = allotment.datasets(), allotment.sources()

    assert "&lt;b&gt;Sales&lt;/b&gt; &amp; more" in datasets._repr_html_()
    assert "6,000" in repr(datasets)
    assert 'allotment.load("sales")' in repr(datasets)
    assert "<script>" not in sources._repr_html_()
    assert 'allotment.path("shelf")' in repr(sources)
    assert datasets._ipython_key_completions_() == ["sales"]


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("end", ["Ärger,1\n".encode("cp1252"), b"a,b\n"])
def test_a_csv_that_goes_on_otherwise_than_it_begins_is_said_to(
    cell: Any, tmp_path: Path, end: bytes
) -> None:
    begin = "name,n\n" + "".join(f"text {number},{number}\n" for number in range(10_000))
    (tmp_path / "data" / "long.csv").write_bytes(begin.encode() + end)
    cell.client("carl+").datasets.create(
        "long", [f"{tmp_path}/data/long.csv"], audience=VISION, options={"encoding": "utf-8"}
    )

    with pytest.raises(DataProblem, match="goes on otherwise than it begins"):
        allotment.load("long")


@pytest.mark.usefixtures("shelf")
@pytest.mark.promise("SET-1", "SET-2")
def test_a_file_whose_name_holds_a_star_is_registered_as_itself(folder: Path) -> None:
    for name in ("a*.parquet", "ab.parquet"):
        (folder.parent / name).write_bytes(parquet(sales(30)))

    made = allotment.register("starred", uri=allotment.path("shelf") / "a*.parquet")

    assert made.reading is not None
    assert made.reading.files == 1
