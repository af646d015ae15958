"""Databases in a cell: asked in one line, by accounts of the server."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import allotment
from allotment import notebook
from allotment.notebook.problems import DataProblem
from cells import VISION
from hubs import until

pytestmark = pytest.mark.parametrize("store", ["sqlite"])


PASSWORD = "correct horse battery"


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-5", "DATA-6")
def test_a_database_is_asked_in_one_line_by_an_account_of_this_server(warehouse: Any) -> None:
    found = allotment.sql(
        "warehouse", "select id, price, current_user as me from sales order by id"
    )

    assert found["price"].dtype == pl.Decimal(38, 2)
    assert found["id"].to_list() == list(range(1, 1001))
    assert str(found["me"][0]).startswith("allotment_")
    assert warehouse.password not in str(notebook.session().lender.credential("warehouse").fields)


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_an_answer_comes_in_the_library_of_choice() -> None:
    query = "select region, price from sales"

    assert len(allotment.sql("warehouse", query, as_="pandas")) == 1_000
    assert allotment.sql("warehouse", query, as_="arrow").num_rows == 1_000
    assert len(allotment.sql("warehouse", query, as_="duckdb").fetchall()) == 1_000


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_what_others_typed_is_handed_over_as_a_value_and_never_as_sql() -> None:
    hostile = "it's south'; drop table sales; --"

    none = allotment.sql("warehouse", "select id from sales where region = :r", {"r": hostile})
    some = allotment.sql("warehouse", "select id from sales where region = :r", {"r": "it's south"})

    assert (none.height, some.height) == (0, 500)
    assert allotment.sql("warehouse", "select count(*) as n from sales")["n"][0] == 1_000


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    "statement", ["delete from sales", "set transaction read write; delete from sales"]
)
def test_a_write_is_refused_and_the_words_say_why(warehouse: Any, statement: str) -> None:
    with pytest.raises(DataProblem) as problem:
        allotment.sql("warehouse", statement)

    assert "warehouse refused the query" in str(problem.value)
    assert "password" not in str(problem.value).lower()
    assert warehouse.rows("select count(*) from sales") == [(1_000,)]


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.usefixtures("warehouse")
def test_a_connection_is_what_pandas_and_sqlalchemy_take() -> None:
    engine = allotment.connect("warehouse")

    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from sales")).scalar() == 1_000
    with allotment.connect("warehouse", as_="adbc") as connection:
        assert connection.execute("select count(*) from sales").fetchone() == (1_000,)
    engine.dispose()


def interrupt_when(waiting: Callable[[], bool]) -> threading.Thread:
    """Interrupt the cell as soon as its query waits in the database."""

    def watch() -> None:
        until(waiting, "the query in the database", 60)
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize(
    ("asked", "parameters"),
    [("select pg_sleep(90)", None), ("select pg_sleep(90) where :one = 1", {"one": 1})],
)
def test_interrupting_the_cell_ends_the_query_in_the_database(
    warehouse: Any, asked: str, parameters: dict[str, int] | None
) -> None:
    query = (
        "select count(*) from pg_stat_activity"
        " where query like '%pg_sleep(90)%' and state = 'active' and pid <> pg_backend_pid()"
    )
    watcher = interrupt_when(lambda: warehouse.rows(query) == [(1,)])

    with pytest.raises(KeyboardInterrupt):
        allotment.sql("warehouse", asked, parameters)

    watcher.join()
    until(lambda: warehouse.rows(query) == [(0,)], "the end of the query", 60)


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-5", "DATA-7")
def test_an_account_that_was_dropped_meanwhile_is_replaced_without_a_word(warehouse: Any) -> None:
    me = str(allotment.sql("warehouse", "select current_user as me")["me"][0])
    warehouse.run(f'DROP OWNED BY "{me}"', f'DROP ROLE "{me}"')

    other = str(allotment.sql("warehouse", "select current_user as me")["me"][0])

    assert other.startswith("allotment_")
    assert other != me


@pytest.mark.needs("postgresql")
@pytest.mark.promise("DATA-4")
@pytest.mark.usefixtures("warehouse")
@pytest.mark.usefixtures("two_files")
def test_a_source_and_a_dataset_are_tested_from_ones_own_server() -> None:
    reached, loaded, unknown = (
        allotment.test("warehouse"),
        allotment.test("sales"),
        allotment.test("nothing"),
    )

    assert reached.reached
    assert "an account of this server" in reached.words
    assert loaded.reached
    assert not unknown.reached
    assert "nothing" in unknown.words


@pytest.mark.needs("mariadb")
@pytest.mark.promise("DATA-1", "DATA-6")
@pytest.mark.parametrize("encrypted", [False, True])
def test_mariadb_is_asked_the_same_way_encrypted_or_not(
    cell: Any, mariadb_server: Any, encrypted: bool
) -> None:
    database = mariadb_server.new_database()
    database.run(
        "CREATE TABLE sales (id int, item varchar(20))",
        "INSERT INTO sales SELECT seq, concat('pear ', seq) FROM seq_1_to_2000",
        f"CREATE USER {database.database} IDENTIFIED BY '{PASSWORD}'",
        f"GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO {database.database}",
        f"GRANT SELECT ON {database.database}.* TO {database.database} WITH GRANT OPTION",
    )
    tls = {"tls": "verify", "ca": database.authority} if encrypted else {"tls": "off"}
    fields = {
        "host": database.host,
        "port": database.port,
        "database": database.database,
        "user": database.database,
        "password": PASSWORD,
    }
    cell.client("carl+").sources.create("shop", "mariadb", fields | tls, audience=VISION)

    found = allotment.sql("shop", "select id, item from sales order by id;", as_="arrow")

    assert isinstance(found, pa.Table)
    assert found.num_rows == 2_000
    assert found.column("item")[1].as_py() == "pear 2"
    with pytest.raises(DataProblem, match="shop refused the query"):
        allotment.sql("shop", "delete from sales")
