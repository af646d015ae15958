"""A Snowflake source through the API and in a cell, on a stand-in that answers queries and knows no grants."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from fakesnow import server as played_snowflake  # by name: a module of that name takes its place
from snowflake import connector

import allotment
from allotment import notebook
from allotment.data.kinds import KINDS
from allotment.data.kinds.snowflake import Service, Snowflake
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience, SourceKind, Verdict
from allotment.notebook import lending
from allotment.notebook.databases import DATABASES
from allotment.notebook.problems import DataProblem
from allotment.notebook.progress import Progress

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

FORM = {
    "account": "myorganisation-warehouse",
    "user": "reader",
    "identity": "password",
    "password": "correct-horse-battery",
    "role": "READERS",
    "warehouse": "SMALL",
    "database": "STORE",
}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Service]:
    """A stand-in for the service, with a table of sales."""
    # Its own log of requests goes to where a test's output is caught.
    with contextlib.redirect_stderr(io.StringIO()), played_snowflake() as told:
        with connector.connect(**told, database="STORE", schema="PUBLIC") as connection:
            for statement in (
                "CREATE TABLE sales (id INT, item VARCHAR, price NUMBER(10, 2))",
                "INSERT INTO sales VALUES (1, 'pear', 1.5), (2, 'fig', 0.25)",
            ):
                connection.cursor().execute(statement)
        yield Service(host=told["host"], port=told["port"], protocol="http")


@pytest.fixture
def warehouse(data_api: Any, stand_in: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The source, registered by the custodian for vision; a cell of bob's server asks it."""
    monkeypatch.setitem(KINDS, SourceKind.SNOWFLAKE, Snowflake(stand_in))
    vision = Audience(groups=("vision",))
    data_api.client("carl+").sources.create("warehouse", "snowflake", FORM, audience=vision)
    notebook.use(data_api.client("bobs-server"))
    yield data_api
    notebook.use(None)


@pytest.mark.promise("DATA-2")
def test_a_user_who_can_write_is_lent_to_nobody_until_somebody_accepts_it(warehouse: Any) -> None:
    found = warehouse.client("carl+").sources.get("warehouse")

    assert found.proof.verdict is Verdict.WRITABLE
    assert found.proof.ending == "Revoking does not end it: the registered account itself is lent."
    with pytest.raises(Refusal, match="Nothing shows yet that users"):
        allotment.sql("warehouse", "select 1")


@pytest.mark.promise("DATA-6")
def test_snowflake_is_asked_in_one_line(warehouse: Any) -> None:
    warehouse.client("olga+").sources.accept("warehouse")
    query = "select id, item, price from store.public.sales order by id"

    found = allotment.sql("warehouse", query)

    assert found.rename(str.lower).rows() == [
        (1, "pear", Decimal("1.5")),
        (2, "fig", Decimal("0.25")),
    ]
    assert len(allotment.sql("warehouse", query, as_="pandas")) == 2
    assert allotment.sql("warehouse", "select id from store.public.sales where id > 5").height == 0


@pytest.mark.promise("DATA-6")
def test_snowflake_is_asked_by_sqlalchemy_too(warehouse: Any) -> None:
    warehouse.client("olga+").sources.accept("warehouse")

    with allotment.connect("warehouse").connect() as connection:
        (items,) = connection.exec_driver_sql("select count(*) from store.public.sales").one()

    assert items == 2


@pytest.mark.promise("DATA-6")
def test_a_query_that_snowflake_refuses_is_said_without_the_password(warehouse: Any) -> None:
    warehouse.client("olga+").sources.accept("warehouse")

    with pytest.raises(DataProblem, match="warehouse refused the query") as raised:
        allotment.sql("warehouse", "select nothing from nowhere")

    assert FORM["password"] not in str(raised.value)


@pytest.mark.promise("DATA-6")
def test_an_interrupted_query_is_ended_in_snowflake_too(
    warehouse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The stand-in does not know the function, and says what it was asked."""
    warehouse.client("olga+").sources.accept("warehouse")
    progress = Progress("Asking", unit="rows")
    lent = lending.lent(warehouse.client("bobs-server").sources.credentials("warehouse"), 0.0)
    DATABASES[SourceKind.SNOWFLAKE].read(lent, "select 1", progress)

    with caplog.at_level("INFO", "fakesnow.server"):
        for cancel in progress.cancel:
            cancel()

    assert "SYSTEM$CANCEL_ALL_QUERIES(" in caplog.text
