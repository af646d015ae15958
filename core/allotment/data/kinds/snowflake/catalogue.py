"""What lies in a database of Snowflake: schemas, tables and views, columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allotment.data.kinds.listings import Page, page
from allotment.data.kinds.snowflake.session import rows
from allotment.model.sources import Browsed, Entry

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

_SCHEMAS = """
SELECT schema_name FROM information_schema.schemata
WHERE schema_name <> 'INFORMATION_SCHEMA' AND schema_name > %s ORDER BY schema_name LIMIT %s
"""
_TABLES = """
SELECT table_name, table_type, row_count, bytes FROM information_schema.tables
WHERE table_schema = %s AND table_name > %s ORDER BY table_name LIMIT %s
"""
_COLUMNS = """
SELECT ordinal_position, column_name, data_type, numeric_precision, numeric_scale
FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND ordinal_position > %s
ORDER BY ordinal_position LIMIT %s
"""


def browse(connection: SnowflakeConnection, path: tuple[str, ...], wanted: Page) -> Browsed:
    """What lies at a place: schemas, a schema's tables, a table's columns."""
    if not path:
        schemas = rows(connection, _SCHEMAS, wanted.after, wanted.asked)
        return page([(one, Entry(one, "schema", (one,), holds=True)) for (one,) in schemas], wanted)
    if len(path) == 1:
        tables = rows(connection, _TABLES, path[0], wanted.after, wanted.asked)
        return page([(one[0], _table(path[0], *one)) for one in tables], wanted)
    columns = rows(connection, _COLUMNS, *path[:2], wanted.number, wanted.asked)
    return page([(str(one[0]), _column(path, *one[1:])) for one in columns], wanted)


def _table(schema: str, name: str, kind: str, number: Any, size: Any) -> Entry:
    return Entry(
        name=name,
        kind="view" if "VIEW" in kind else "table",
        path=(schema, name),
        holds=True,
        size=None if size is None else int(size),
        rows=None if number is None else int(number),
    )


def _column(path: tuple[str, ...], name: str, kind: str, precision: Any, scale: Any) -> Entry:
    digits = "" if precision is None else f"({precision},{scale or 0})"
    return Entry(name, "column", (path[0], path[1], name), type=f"{kind}{digits}".lower())
