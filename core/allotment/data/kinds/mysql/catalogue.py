"""What lies in a database of MySQL or MariaDB: tables and views, columns."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from allotment.data.kinds.connections import rows
from allotment.data.kinds.listings import Page, page
from allotment.model.sources import Browsed, Entry

# Names are compared byte by byte: the catalogue's own collation takes a and A for one name.
_TABLES = """
SELECT TABLE_NAME AS name, TABLE_TYPE AS kind, TABLE_ROWS AS number,
       DATA_LENGTH + INDEX_LENGTH AS size, UPDATE_TIME AS changed
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = :database AND BINARY TABLE_NAME > BINARY :after
ORDER BY BINARY TABLE_NAME LIMIT :limit
"""
_COLUMNS = """
SELECT ORDINAL_POSITION AS number, COLUMN_NAME AS name, COLUMN_TYPE AS type
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = :database AND BINARY TABLE_NAME = BINARY :table AND ORDINAL_POSITION > :after
ORDER BY ORDINAL_POSITION LIMIT :limit
"""


def browse(
    connection: sa.Connection, database: str, path: tuple[str, ...], wanted: Page
) -> Browsed:
    """What lies at a place: the one database that is lent, its tables, a table's columns."""
    if not path:
        found = [] if wanted.after else [database]
        return page([(name, Entry(name, "schema", (name,), holds=True)) for name in found], wanted)
    if path[0] != database:
        return Browsed(())
    if len(path) == 1:
        return _tables(connection, database, wanted)
    return _columns(connection, path, wanted)


def _tables(connection: sa.Connection, database: str, wanted: Page) -> Browsed:
    found = rows(connection, _TABLES, database=database, after=wanted.after, limit=wanted.asked)
    return page([(one.name, _table(database, one)) for one in found], wanted)


def _table(database: str, found: sa.Row[Any]) -> Entry:
    return Entry(
        name=found.name,
        kind="view" if "VIEW" in found.kind else "table",
        path=(database, found.name),
        holds=True,
        size=None if found.size is None else int(found.size),
        rows=None if found.number is None else int(found.number),
    )


def _columns(connection: sa.Connection, path: tuple[str, ...], wanted: Page) -> Browsed:
    database, table = path[:2]
    found = rows(
        connection,
        _COLUMNS,
        database=database,
        table=table,
        after=wanted.number,
        limit=wanted.asked,
    )
    return page(
        [
            (str(one.number), Entry(one.name, "column", (database, table, one.name), type=one.type))
            for one in found
        ],
        wanted,
    )
