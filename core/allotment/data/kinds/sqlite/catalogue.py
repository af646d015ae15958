"""What lies in a SQLite file: tables and views, columns."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.data.kinds.connections import rows
from allotment.data.kinds.listings import Page, page
from allotment.model.sources import Browsed, Entry

SCHEMA = "main"
_TABLES = """
SELECT name, type FROM sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name > :after
ORDER BY name LIMIT :limit
"""
_COLUMNS = """
SELECT cid + 1 AS number, name, type FROM pragma_table_info(:table)
WHERE cid + 1 > :after ORDER BY cid LIMIT :limit
"""


def browse(connection: sa.Connection, path: tuple[str, ...], wanted: Page) -> Browsed:
    """What lies at a place: the one schema, its tables, a table's columns. No rows are counted."""
    if not path:
        return Browsed((Entry(SCHEMA, "schema", (SCHEMA,), holds=True),))
    if path[0] != SCHEMA:
        return Browsed(())
    if len(path) == 1:
        found = rows(connection, _TABLES, after=wanted.after, limit=wanted.asked)
        return page(
            [
                (one.name, Entry(one.name, one.type, (SCHEMA, one.name), holds=True))
                for one in found
            ],
            wanted,
        )
    found = rows(connection, _COLUMNS, table=path[1], after=wanted.number, limit=wanted.asked)
    return page(
        [
            (
                str(one.number),
                Entry(one.name, "column", (SCHEMA, path[1], one.name), type=one.type.lower()),
            )
            for one in found
        ],
        wanted,
    )
