"""A pytest plugin: one real PostgreSQL and MariaDB to read from, started when a test first asks for it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from database_servers import DatabaseServer


@pytest.fixture(scope="session")
def postgresql_server() -> "Iterator[DatabaseServer]":
    """PostgreSQL that asks for passwords over TCP."""
    from database_servers import postgresql  # noqa: PLC0415 - its libraries are large, few tests need it

    temporary = tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True)
    with temporary as folder, postgresql(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> "Iterator[DatabaseServer]":
    """MariaDB with TLS; its tests need the program ``mariadb``."""
    from database_servers import mariadb  # noqa: PLC0415 - likewise

    temporary = tempfile.TemporaryDirectory(prefix="my", ignore_cleanup_errors=True)
    with temporary as folder, mariadb(Path(folder)) as server:
        yield server
