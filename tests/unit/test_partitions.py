"""Columns that stand in folders named key=value: which they are, and of which types."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from allotment.model.documents import DatasetColumn as Column
from allotment.model.documents import DatasetFile
from allotment.model.partitions import partitions_of, values_of
from allotment.notebook.partitions import hive_schema, values


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("paths", "columns"),
    [
        (["year=2025/a.csv", "year=2026/b.csv"], {"year": "int64"}),
        (["year=2025/month=01/a", "year=2026/month=12/a"], {"year": "int64", "month": "int64"}),
        (["day=2026-10-01/a", "day=2026-10-31/a"], {"day": "date32[day]"}),
        (["day=2026-10-01/a", "day=today/a"], {"day": "string"}),
        (["n=1/a", "n=__HIVE_DEFAULT_PARTITION__/a"], {"n": "int64"}),
        (["n=__HIVE_DEFAULT_PARTITION__/a"], {"n": "string"}),
        (["n=-7/a", "n=123456789012345678/a"], {"n": "int64"}),
        (["n=1234567890123456789/a"], {"n": "string"}),
        (["raw/year=2026/parts/a"], {"year": "int64"}),
        (["year=2026/a", "b"], {}),
        (["year=2026/a", "month=1/a"], {}),
        (["a=1/b=2/x", "b=2/a=1/x"], {}),
        (["a=1/a=2/x"], {}),
        (["year=2026.csv", "plain/b.csv"], {}),
        (["a=b=c/x"], {}),
        (["=1/x", "a=/x"], {}),
        ([], {}),
    ],
)
def test_folders_say_columns_where_all_files_say_the_same_ones(
    paths: list[str], columns: dict[str, str]
) -> None:
    assert {one.name: one.type for one in partitions_of(paths)} == columns


@pytest.mark.promise("SET-1")
def test_a_value_is_percent_encoded_and_the_files_own_name_says_nothing() -> None:
    assert values_of("city=S%C3%A3o%20Paulo/n=__HIVE_DEFAULT_PARTITION__/x=1.csv") == (
        ("city", "São Paulo"),
        ("n", None),
    )


@pytest.mark.promise("SET-2")
def test_values_are_of_the_types_that_the_columns_have() -> None:
    columns = [
        Column(name="n", type="int64"),
        Column(name="day", type="date32[day]"),
        Column(name="region", type="string"),
    ]
    path = "n=007/day=2026-10-01/region=__HIVE_DEFAULT_PARTITION__/a.csv"
    file = DatasetFile(path=path, uri=f"/data/{path}")

    found: tuple[Any, ...] = values(file, columns)

    assert found == (7, date(2026, 10, 1), None)


@pytest.mark.promise("SET-2")
@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://lake/sales/year=2026/a.parquet", True),
        ("s3://lake/kind=raw/year=2026/a.parquet", False),
        ("s3://lake/versions/files/md5/ab/cdef", False),
    ],
)
def test_polars_is_told_of_folders_only_where_addresses_say_just_them(uri: str, said: bool) -> None:
    file = DatasetFile(path="year=2026/a.parquet", uri=uri)

    schema = hive_schema([Column(name="year", type="int64")], [file], [uri])

    assert (schema is not None) is said
