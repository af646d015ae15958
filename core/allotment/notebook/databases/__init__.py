"""Databases, as a notebook queries them: one module for each, and one list."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.model.sources import SourceKind
from allotment.notebook.databases.database import Database
from allotment.notebook.databases.mysql import MySql
from allotment.notebook.databases.oracle import Oracle
from allotment.notebook.databases.postgresql import PostgreSql
from allotment.notebook.databases.snowflake import Snowflake
from allotment.notebook.databases.sqlite import Sqlite

DATABASES: Mapping[SourceKind, Database] = {
    SourceKind.POSTGRESQL: PostgreSql(),
    SourceKind.MYSQL: MySql(),
    SourceKind.MARIADB: MySql(),
    SourceKind.SQLITE: Sqlite(),
    SourceKind.ORACLE: Oracle(),
    SourceKind.SNOWFLAKE: Snowflake(),
}

__all__ = ["DATABASES", "Database"]
