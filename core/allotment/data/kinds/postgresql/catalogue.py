"""What lies in a PostgreSQL database: schemas, tables and views, columns."""

from __future__ import annotations

import sqlalchemy as sa

from allotment.data.kinds.connections import rows
from allotment.data.kinds.listings import Page, page
from allotment.model.sources import Browsed, Entry

PAGE_BYTES = 8192
"""PostgreSQL's usual block."""
_KINDS = {"r": "table", "p": "table", "v": "view", "m": "view", "f": "foreign table"}

# In all three: what the role :reader may read, which is what servers' accounts are members of.
_SCHEMAS = """
SELECT n.nspname AS name FROM pg_namespace AS n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname > :after
  AND has_schema_privilege(:reader, n.oid, 'USAGE')
ORDER BY n.nspname LIMIT :limit
"""
_TABLES = """
SELECT c.relname AS name, c.relkind::text AS kind, c.reltuples::bigint AS rows, c.relpages AS pages
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname > :after
  AND NOT c.relispartition AND has_schema_privilege(:reader, n.oid, 'USAGE')
  AND has_any_column_privilege(:reader, c.oid, 'SELECT')
ORDER BY c.relname LIMIT :limit
"""
_COLUMNS = """
SELECT a.attnum AS number, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table AND a.attnum > :after AND NOT a.attisdropped
  AND has_schema_privilege(:reader, n.oid, 'USAGE')
  AND has_column_privilege(:reader, c.oid, a.attnum, 'SELECT')
ORDER BY a.attnum LIMIT :limit
"""


def browse(connection: sa.Connection, reader: str, path: tuple[str, ...], wanted: Page) -> Browsed:
    """What the reader sees at a place: schemas, a schema's tables, a table's columns."""
    if not path:
        return _schemas(connection, reader, wanted)
    if len(path) == 1:
        return _tables(connection, reader, path[0], wanted)
    return _columns(connection, reader, path, wanted)


def _schemas(connection: sa.Connection, reader: str, wanted: Page) -> Browsed:
    found = rows(connection, _SCHEMAS, reader=reader, after=wanted.after, limit=wanted.asked)
    return page(
        [(one.name, Entry(one.name, "schema", (one.name,), holds=True)) for one in found], wanted
    )


def _tables(connection: sa.Connection, reader: str, schema: str, wanted: Page) -> Browsed:
    found = rows(
        connection, _TABLES, reader=reader, schema=schema, after=wanted.after, limit=wanted.asked
    )
    return page([(one.name, _table(schema, one)) for one in found], wanted)


def _table(schema: str, found: sa.Row[tuple[object, ...]]) -> Entry:
    """A table never analysed says -1 rows, a view 0: both mean that nothing is known."""
    known = found.rows >= 0 and found.kind in "rm"
    return Entry(
        name=found.name,
        kind=_KINDS[found.kind],
        path=(schema, found.name),
        holds=True,
        size=found.pages * PAGE_BYTES if known else None,
        rows=found.rows if known else None,
    )


def _columns(
    connection: sa.Connection, reader: str, path: tuple[str, ...], wanted: Page
) -> Browsed:
    found = rows(
        connection,
        _COLUMNS,
        reader=reader,
        schema=path[0],
        table=path[1],
        after=wanted.number,
        limit=wanted.asked,
    )
    place = path[:2]
    return page(
        [
            (str(one.number), Entry(one.name, "column", (*place, one.name), type=one.type))
            for one in found
        ],
        wanted,
    )
