"""The SQL of docs/sources.md makes accounts that pass: it is run as it stands there."""

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


def statements(kind: str) -> list[str]:
    (block,) = re.findall(rf"```sql {kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [one.strip() for one in block.split(";") if one.strip()]


def source(kind: PostgreSQL | MariaDB, server: DatabaseServer, tls: str) -> Opened:
    given = {
        "host": server.host,
        "port": server.port,
        "database": server.database,
        "user": "allotment",
        "password": PASSWORD,
        "tls": tls,
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

    assert "an account of its own" in kind.check(source(kind, server, "off"), loopback)
    assert kind.prove(source(kind, server, "off"), loopback, NOW).verdict is Verdict.READ_ONLY
    shown = kind.browse(source(kind, server, "off"), ("public",), loopback).entries
    assert [entry.name for entry in shown] == ["before", "later"]


@pytest.mark.promise("DATA-1", "DATA-2")
@pytest.mark.needs("mariadb")
def test_the_sql_for_mariadb_makes_an_account_that_passes(
    mariadb_server: DatabaseServer, loopback: Door
) -> None:
    server, kind = mariadb_server.with_database("shop"), MariaDB()
    server.run("CREATE TABLE sales (id INT)", *statements("mariadb"))

    assert "an account of its own" in kind.check(source(kind, server, "require"), loopback)
    assert kind.prove(source(kind, server, "require"), loopback, NOW).verdict is Verdict.READ_ONLY
