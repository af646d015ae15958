"""The SQL of docs/sources.md makes accounts that pass: it is run as it stands there, but for one name.

Roles belong to all databases of a server, and other tests use the role of the page on the same one.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.mariadb import MariaDB
from allotment.data.kinds.postgresql import PostgreSQL
from allotment.model.sources import Verdict
from database_servers import DatabaseServer

PAGE = Path(__file__).resolve().parents[3] / "docs" / "sources.md"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "choose one"
READERS = "readers_of_the_page"


def statements(kind: str) -> list[str]:
    (block,) = re.findall(rf"```sql {kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    renamed = block.replace("allotment_readers", READERS)
    return [one.strip() for one in renamed.split(";") if one.strip()]


def source(kind: PostgreSQL | MariaDB, server: DatabaseServer, **more: str) -> Opened:
    given = {
        "host": server.host,
        "port": server.port,
        "database": server.database,
        "user": "allotment",
        "password": PASSWORD,
        **more,
    }
    return Opened("warehouse", fill(kind.fields, given).fields, {"password": PASSWORD})


@pytest.mark.promise("DATA-1", "DATA-2")
@pytest.mark.needs("postgresql")
def test_the_sql_for_postgresql_makes_an_account_that_passes(
    postgresql_server: DatabaseServer, loopback: Door
) -> None:
    server, kind = postgresql_server.new_database(), PostgreSQL()
    server.run("CREATE TABLE before (id INT)", *statements("postgresql"))
    server.run("CREATE TABLE later (id INT)")

    registered = source(kind, server, tls="off", readers=READERS)
    assert "an account of its own" in kind.check(registered, loopback)
    assert kind.prove(registered, loopback, NOW).verdict is Verdict.READ_ONLY
    shown = kind.browse(registered, ("public",), loopback).entries
    assert [entry.name for entry in shown] == ["before", "later"]


@pytest.mark.promise("DATA-1", "DATA-2")
@pytest.mark.needs("mariadb")
def test_the_sql_for_mariadb_makes_an_account_that_passes(
    mariadb_server: DatabaseServer, loopback: Door
) -> None:
    server, kind = mariadb_server.with_database("shop"), MariaDB()
    server.run("CREATE TABLE sales (id INT)", *statements("mariadb"))

    registered = source(kind, server, tls="require")
    assert "an account of its own" in kind.check(registered, loopback)
    assert kind.prove(registered, loopback, NOW).verdict is Verdict.READ_ONLY
