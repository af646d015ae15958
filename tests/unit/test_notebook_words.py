"""What is wanted is checked before anything is read, and what goes wrong is told in words, without a secret."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from allotment.model.sources import SourceKind
from allotment.notebook import progress
from allotment.notebook.arrow_types import arrow_type, polars_type
from allotment.notebook.conditions import check_columns, check_limit, condition
from allotment.notebook.databases.opaque import plain
from allotment.notebook.explaining import CredentialRefused, explained, explained_query
from allotment.notebook.lending import Lent
from allotment.notebook.problems import DataProblem
from allotment.notebook.shapes import check_shape, shaped
from allotment.notebook.stores import Place, polars_options, polars_uri
from allotment.notebook.tables import Table

FRAME = pl.DataFrame(
    {"id": [1, 2, 3], "region": ["north", "south", None], "amount": [1.5, 2.5, 3.5]}
)


@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("amount > 2 AND region = 'south'", [2]),
        ({"region": ["north", "south"]}, [1, 2]),
        ({"region": None}, [3]),
        ({"id": 1, "region": "south"}, []),
        (pl.col("id") > 1, [2, 3]),
        (None, [1, 2, 3]),
        ({}, [1, 2, 3]),
    ],
)
def test_a_condition_is_sql_values_or_an_expression(where: Any, ids: list[int]) -> None:
    meant = condition(where)
    found = FRAME if meant is None else FRAME.filter(meant)

    assert found["id"].to_list() == ids


@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda: condition("amount >"), "is no condition"),
        (lambda: condition(3), "Write a condition as in SQL"),
        (lambda: check_limit(-1), "0 or more"),
        (lambda: check_limit(True), "0 or more"),
        (lambda: check_shape("spark"), "one of polars, arrow, pandas, duckdb, lazy"),
        (lambda: check_columns("id", ["id"], "sales"), 'columns=["id"]'),
        (lambda: check_columns(["di"], ["id", "x"], "sales"), "sales has no column 'di'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(check: Any, said: str) -> None:
    with pytest.raises(DataProblem) as problem:
        check()

    assert said in str(problem.value)


@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize(
    ("shape", "library"),
    [
        ("polars", "polars"),
        ("pandas", "pandas"),
        ("arrow", "pyarrow"),
        ("duckdb", "duckdb"),
        ("lazy", "polars"),
    ],
)
def test_a_table_is_handed_out_in_the_library_of_choice(shape: str, library: str) -> None:
    assert type(shaped(FRAME, shape)).__module__.startswith(library)


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize(
    "said",
    [
        "could not connect as reader:hunter2secret",
        "postgresql://reader:hunter2secret@db/x refused",
        "GET https://x/?sig=hunter2secret 404 Not Found",
        "hunter2secret: 403 Forbidden",
    ],
)
def test_no_secret_is_in_what_is_said_nor_in_its_traceback(said: str) -> None:
    fields = {"user": "reader", "password": "hunter2secret"}

    for explain in (explained, explained_query):
        problem = explain("lake", RuntimeError(said), fields)
        assert "hunter2secret" not in str(problem)
        assert "lake" in str(problem)


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("Server returned 403 Forbidden", CredentialRefused, "Run the cell again"),
        ("The provided token has expired: ExpiredToken", CredentialRefused, "Run the cell again"),
        ("Object at location x not found", DataProblem, "not there any more"),
        ("error sending request for url", DataProblem, "did not answer"),
        ("Response payload is not completed", DataProblem, "did not answer"),
        ("error decoding response body", DataProblem, "did not answer"),
        ("parquet: File out of specification", DataProblem, "broken or was changed"),
    ],
)
def test_what_libraries_say_is_turned_into_what_to_do(said: str, kind: type, words: str) -> None:
    problem = explained("sales", RuntimeError(said), {})

    assert type(problem) is kind
    assert words in str(problem)


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("s3://lake/a/b #?.parquet", Place("lake", "a/b #?.parquet")),
        ("abfss://box@account.dfs.core.windows.net/a", Place("box", "a")),
        ("azure://box/a", Place("box", "a")),
        ("/data/a.csv", Place("", "/data/a.csv")),
    ],
)
def test_a_uri_names_its_place_whatever_is_in_the_key(uri: str, place: Place) -> None:
    assert Place.of(uri) == place


@pytest.mark.promise("DATA-5")
def test_a_scan_asks_for_a_new_credential_when_the_one_it_has_ends() -> None:
    keys = iter(("first", "second"))

    def lend() -> Lent:
        fields = {"account": "a", "sas": next(keys)}
        return Lent("box", SourceKind.AZURE, fields, ends=1e12, renew_at=0.0)

    provide = polars_options(Lent("box", SourceKind.AZURE, {"account": "a"}), lend)[
        "credential_provider"
    ]

    assert [provide()[0]["sas_token"], provide()[0]["sas_token"]] == ["first", "second"]
    assert polars_uri(SourceKind.AZURE, "abfs://box@account/x") == "az://box/x"


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    "words",
    [
        "int64",
        "double",
        "bool",
        "string",
        "date32[day]",
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
        "decimal128(10, 2)",
        "null",
        "time32[s]",
    ],
)
def test_every_type_that_a_csv_can_be_registered_with_can_be_read(words: str) -> None:
    assert polars_type(words) is not None
    assert isinstance(arrow_type(words), pa.DataType)


def test_numbers_of_any_precision_become_decimals_and_what_does_not_fit_floats() -> None:
    opaque = pa.opaque(pa.string(), "numeric", "PostgreSQL")

    def numbers(*texts: str | None) -> Any:
        column = pa.ExtensionArray.from_storage(opaque, pa.array(texts, pa.string()))
        return plain(pa.table({"n": column})).column("n")

    assert numbers("1.5", "22.25", None).type == pa.decimal128(38, 2)
    assert numbers("1", "2").type == pa.decimal128(38, 0)
    assert numbers("1.5", "NaN").to_pylist()[0] == 1.5
    assert numbers().to_pylist() == []


def test_a_table_finds_its_things_by_place_and_by_name_and_says_what_there_is() -> None:
    table = Table("Sources", ["lake", "shop"], [("name", str.upper)], name=str, nothing="none")

    assert (table[0], table["shop"], len(table)) == ("lake", "shop", 2)
    with pytest.raises(DataProblem, match="It has: lake, shop"):
        table["warehouse"]


@pytest.mark.promise("DATA-6")
def test_an_interruption_ends_the_work_and_cancels_what_it_began() -> None:
    cancelled, begun = threading.Event(), threading.Event()
    telling = progress.Progress("Asking", unit="rows", cancel=[cancelled.set])

    def work() -> bool:
        begun.set()
        return cancelled.wait(60)

    interruption = threading.Thread(
        target=lambda: begun.wait(60) and os.kill(os.getpid(), signal.SIGINT)
    )
    interruption.start()
    with pytest.raises(KeyboardInterrupt):
        progress.carry_out(work, telling)
    interruption.join()
    assert cancelled.is_set()


@pytest.mark.parametrize(
    ("telling", "words"),
    [
        (progress.Progress("Loading sales", total=187_000_000), "Loading sales · 187 MB · 3 s"),
        (
            progress.Progress("Loading sales", total=2_000_000, done=500_000),
            "Loading sales · 500 kB of 2.0 MB · 3 s",
        ),
        (
            progress.Progress("Asking w", unit="rows", done=1_234_567),
            "Asking w · 1,234,567 rows · 3 s",
        ),
        (progress.Progress("Asking w", unit="rows"), "Asking w · 3 s"),
    ],
)
def test_how_far_a_load_is_stands_in_one_line(telling: progress.Progress, words: str) -> None:
    assert telling.words(3.2) == words


def test_importing_allotment_loads_nothing_that_is_heavy() -> None:
    code = "import sys, allotment; print(sorted({'polars', 'pyarrow', 'pandas', 'httpx', 'pydantic'} & set(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert said.stdout.strip() == "[]"
