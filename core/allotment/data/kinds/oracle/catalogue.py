"""What lies in an Oracle database: schemas, tables and views, columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allotment.data.kinds.listings import Page, page
from allotment.data.kinds.oracle.session import rows
from allotment.model.sources import Browsed, Entry

if TYPE_CHECKING:
    import oracledb

# An empty text is NULL in Oracle, and nothing is after NULL: pages begin after a space.
_SCHEMAS = """
SELECT username FROM all_users u
WHERE oracle_maintained = 'N' AND username > :after AND EXISTS (
  SELECT 1 FROM all_objects o WHERE o.owner = u.username AND o.object_type IN ('TABLE', 'VIEW'))
ORDER BY username FETCH FIRST :most ROWS ONLY
"""
_TABLES = """
SELECT o.object_name, o.object_type, t.num_rows
FROM all_objects o LEFT JOIN all_tables t ON t.owner = o.owner AND t.table_name = o.object_name
WHERE o.owner = :owner AND o.object_type IN ('TABLE', 'VIEW') AND o.object_name > :after
ORDER BY o.object_name FETCH FIRST :most ROWS ONLY
"""
_COLUMNS = """
SELECT column_id, column_name, data_type, data_precision, data_scale
FROM all_tab_columns
WHERE owner = :owner AND table_name = :name AND column_id > :after
ORDER BY column_id FETCH FIRST :most ROWS ONLY
"""


async def browse(
    connection: oracledb.AsyncConnection, path: tuple[str, ...], wanted: Page
) -> Browsed:
    """What lies at a place: schemas, a schema's tables, a table's columns."""
    after, most = wanted.after or " ", wanted.asked
    if not path:
        schemas = await rows(connection, _SCHEMAS, after=after, most=most)
        return page([(one, Entry(one, "schema", (one,), holds=True)) for (one,) in schemas], wanted)
    if len(path) == 1:
        tables = await rows(connection, _TABLES, owner=path[0], after=after, most=most)
        return page([(one[0], _table(path[0], *one)) for one in tables], wanted)
    columns = await rows(
        connection, _COLUMNS, owner=path[0], name=path[1], after=wanted.number, most=most
    )
    return page([(str(one[0]), _column(path, *one[1:])) for one in columns], wanted)


def _table(owner: str, name: str, kind: str, number: int | None) -> Entry:
    return Entry(name, kind.lower(), (owner, name), holds=True, rows=number)


def _column(
    path: tuple[str, ...], name: str, kind: str, precision: int | None, scale: int | None
) -> Entry:
    digits = "" if precision is None else f"({precision},{scale or 0})"
    return Entry(name, "column", (path[0], path[1], name), type=f"{kind}{digits}".lower())
