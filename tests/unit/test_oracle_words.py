"""Oracle as far as it goes without a server: its errors in words, and what is asked of its catalogue."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import oracledb
import pytest
from oracledb import errors

from allotment.data.kinds.listings import Page
from allotment.data.kinds.oracle import catalogue
from allotment.data.kinds.oracle.session import told
from allotment.model.sources import Browsed

HOSTILE = "SALES'; DROP TABLE sales; --"


@pytest.mark.promise("DATA-4", "DATA-5")
@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ORA-01017: invalid credential; logon denied", "Enter account and password again."),
        ("ORA-28000: The account is locked.", "The account is locked"),
        ("ORA-28001: The account has expired.", "The password has expired"),
        ("ORA-12514: no such service", "Check the name of the service."),
        ("ORA-00942: table or view does not exist", ""),
    ],
)
def test_what_the_driver_says_is_repeated_in_a_line_with_what_helps(said: str, remedy: str) -> None:
    error = oracledb.DatabaseError(
        errors._Error(message=f"{said} as reader/hunter2\nHelp: https://docs.example")
    )

    words = str(told("Oracle at db.example:1521", error, ("hunter2",)))

    assert words.startswith(f"Oracle at db.example:1521: {said.rstrip('.')}")
    assert remedy in words
    assert "hunter2" not in words
    assert "Help:" not in words


class Asked:
    """A connection that answers with some rows, and keeps what it was asked."""

    def __init__(self, *rows: tuple[Any, ...]) -> None:
        self.rows = rows
        self.values: dict[str, Any] = {}
        self.query = ""

    async def fetchall(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        self.query, self.values = query, values
        return list(self.rows)


def browse(connection: Asked, path: tuple[str, ...], wanted: Page) -> Browsed:
    return asyncio.run(catalogue.browse(cast("Any", connection), path, wanted))


@pytest.mark.promise("DATA-6")
def test_schemas_tables_and_columns_are_told_page_by_page() -> None:
    schemas = browse(Asked(("HR",), ("SHOP",)), (), Page("", 1))
    tables = browse(Asked(("SALES", "TABLE", 12), ("TOTALS", "VIEW", None)), ("SHOP",), Page("", 5))
    columns = browse(
        Asked((1, "ID", "NUMBER", 10, 0), (2, "ITEM", "VARCHAR2", None, None)),
        ("SHOP", "SALES"),
        Page("", 5),
    )

    assert ([one.name for one in schemas.entries], schemas.next) == (["HR"], "HR")
    assert [(one.name, one.kind, one.rows) for one in tables.entries] == [
        ("SALES", "table", 12),
        ("TOTALS", "view", None),
    ]
    assert [(one.name, one.type) for one in columns.entries] == [
        ("ID", "number(10,0)"),
        ("ITEM", "varchar2"),
    ]


@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize("path", [(HOSTILE,), ("SHOP", HOSTILE)])
def test_names_are_handed_over_as_values_and_never_as_sql(path: tuple[str, ...]) -> None:
    connection = Asked()

    browse(connection, path, Page("", 5))

    assert HOSTILE in connection.values.values()
    assert HOSTILE not in connection.query
