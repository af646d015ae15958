"""Datasets in folders named key=value: those are columns, and what a condition rules out by them is not read."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import allotment
from allotment.notebook.problems import DataProblem
from cells import VISION, parquet
from kept_histories import keep_history

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

FILES = {
    "year=2025/day=2025-12-31/a #1.csv": (2025, "2025-12-31", [1, 2]),
    "year=2026/day=2026-01-01/b.csv": (2026, "2026-01-01", [3]),
    "year=2026/day=__HIVE_DEFAULT_PARTITION__/c.csv": (2026, None, [4, 5]),
}
WHOLE = pl.DataFrame(
    {
        "id": [1, 2, 3, 4, 5],
        "year": [2025, 2025, 2026, 2026, 2026],
        "day": [date(2025, 12, 31), date(2025, 12, 31), date(2026, 1, 1), None, None],
    },
    schema={"id": pl.Int64, "year": pl.Int64, "day": pl.Date},
)


def contents(kind: str) -> dict[str, bytes]:
    """The files of a dataset, by path."""
    found = {}
    for path, (_year, _day, ids) in FILES.items():
        frame = pl.DataFrame({"id": ids})
        name = path.removesuffix(".csv") + f".{kind}"
        found[name] = parquet(frame) if kind == "parquet" else frame.write_csv().encode()
    return found


def lay(place: Path, kind: str) -> Path:
    """Lay the files out below a folder."""
    for path, content in contents(kind).items():
        (place / path).parent.mkdir(parents=True)
        (place / path).write_bytes(content)
    return place


def register(cell: Any, uri: str, **more: Any) -> Any:
    """Have carl register files, for vision."""
    return cell.client("carl+").datasets.create("sales", [uri], audience=VISION, **more)


@pytest.mark.promise("SET-1", "SET-2")
@pytest.mark.parametrize(
    ("kind", "above"), [("parquet", ""), ("parquet", "kind=raw/"), ("csv", "")]
)
def test_what_folders_say_are_columns_of_the_dataset(
    cell: Any, tmp_path: Path, kind: str, above: str
) -> None:
    place = lay(tmp_path / "data" / above / "sales", kind)

    made = register(cell, f"{place}/")
    found = allotment.load("sales")
    some = allotment.load("sales", columns=["day"], where="year = 2026 and id > 3", limit=1)

    types = {one.name: one.type for one in made.reading.columns}
    assert types == {"id": "int64", "year": "int64", "day": "date32[day]"}
    assert found.sort("id").equals(WHOLE)
    assert some.to_dicts() == [{"day": None}]
    assert allotment.load("sales", as_="lazy").collect().sort("id").equals(WHOLE)
    assert allotment.load("sales", as_="duckdb").filter("day is null").fetchall() == [
        (4, 2026, None),
        (5, 2026, None),
    ]


@pytest.mark.promise("DATA-6")
def test_files_that_a_condition_rules_out_by_their_folder_are_not_read(
    cell: Any, tmp_path: Path
) -> None:
    place = lay(tmp_path / "data" / "sales", "parquet")
    register(cell, f"{place}/")
    torn = place / "year=2026/day=2026-01-01/b.parquet"
    torn.write_bytes(b"PAR1 torn since")

    assert allotment.load("sales", where="year = 2025")["id"].to_list() == [1, 2]
    lazy = allotment.load("sales", as_="lazy").filter(pl.col("day").is_null())
    assert lazy.select(pl.len()).collect().item() == 2
    with pytest.raises(DataProblem):
        allotment.load("sales")


@pytest.mark.promise("SET-1")
def test_where_files_and_folders_have_a_column_of_one_name_the_folders_counts(
    cell: Any, tmp_path: Path
) -> None:
    for year in (2025, 2026):
        place = tmp_path / "data" / "sales" / f"year={year}"
        place.mkdir(parents=True)
        pl.DataFrame({"year": ["?"], "id": [year]}).write_parquet(place / "a.parquet")

    made = register(cell, f"{tmp_path}/data/sales/")

    types = {one.name: one.type for one in made.reading.columns}
    assert types == {"id": "int64", "year": "int64"}
    assert allotment.load("sales").sort("year")["year"].to_list() == [2025, 2026]


@pytest.mark.promise("SET-1", "SET-2")
def test_folders_say_their_columns_of_old_encodings_too(cell: Any, tmp_path: Path) -> None:
    for year in (2025, 2026):
        place = tmp_path / "data" / "sales" / f"year={year}"
        place.mkdir(parents=True)
        (place / "a.csv").write_bytes("name;n\nÄrger;1\n".encode("cp1252"))

    register(cell, f"{tmp_path}/data/sales/", options={"encoding": "cp1252"})
    found = allotment.load("sales", where="year = 2026")

    assert found.to_dicts() == [{"name": "Ärger", "n": 1, "year": 2026}]


@pytest.mark.promise("SET-4")
def test_a_version_keeps_what_its_folders_said(cell: Any, tmp_path: Path) -> None:
    place = lay(tmp_path / "data" / "sales", "parquet")
    keep_history(cell.client("olga+"), tmp_path / "data")
    register(cell, f"{place}/", target="history")
    cell.client("carl+").versions.commit("sales", "as delivered")
    cell.plane.data.committing.wait(60)

    found = allotment.load("sales", version=1)

    assert found.sort("id").equals(WHOLE)
    assert allotment.load("sales", version=1, where="year = 2025")["id"].to_list() == [1, 2]


@pytest.mark.promise("SET-1", "SET-2")
@pytest.mark.parametrize(
    ("kept", "source", "scheme", "kind"),
    [
        ("s3_store", "s3", "s3", "parquet"),
        ("s3_store", "s3", "s3", "csv"),
        ("azure_store", "azure", "azure", "parquet"),
        ("gcs_store", "gcs", "gs", "csv"),
    ],
)
def test_folders_of_a_bucket_say_columns_too(
    cell: Any, request: pytest.FixtureRequest, kept: str, source: str, scheme: str, kind: str
) -> None:
    lake: Any = request.getfixturevalue(kept)
    make = lake.container if kept == "azure_store" else lake.bucket
    place = make({f"lake/{path}": content for path, content in contents(kind).items()})
    fields = {**lake.fields(place, "lake"), **lake.secrets}
    cell.client("carl+").sources.create("lake", source, fields, audience=VISION)

    register(cell, f"{scheme}://{place}/lake/")
    found = allotment.load("sales", where="year = 2026")

    assert found.sort("id").equals(WHOLE.filter(pl.col("year") == 2026))
