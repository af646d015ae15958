"""A shop's database with sales, as an operator registers it: once in PostgreSQL, once in MariaDB."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pymysql

from allotment.data.forms import fill
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.lent_accounts import LendsAccounts
from allotment.data.kinds.mariadb import MariaDB
from allotment.data.kinds.mysql import session as mysql_session
from allotment.data.kinds.postgresql import PostgreSQL
from allotment.model.sources import Credential
from database_servers import DatabaseServer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=2)
SECRET = 'correct horse % battery\'s \\ "staple"'  # noqa: S105 - lives for one test run
ROWS = 1000
Connection = Any
"""psycopg's or PyMySQL's, in autocommit."""


def borrower() -> Borrower:
    """A server of Ada's."""
    return Borrower("ada", "lab", "a1", UNTIL, f"allotment_{secrets.token_hex(10)}")


class Shop(ABC):
    """A database of its own with a table of sales, and the account with which it is registered."""

    kind: LendsAccounts
    silent_for: str
    """The name of the constant that bounds how long signing in may take."""

    def __init__(self, server: DatabaseServer, name: str = "") -> None:
        """Make the database, the table and the account."""
        self.server = server.with_database(name) if name else server.new_database()
        self.registered = f"registered_{secrets.token_hex(4)}"
        self.set_up()

    @abstractmethod
    def set_up(self) -> None:
        """Make sales, and an account that may make accounts which read them."""

    @abstractmethod
    def connect(self, **how: Any) -> Connection:
        """Connect with the driver."""

    @abstractmethod
    def accounts(self) -> list[str]:
        """Accounts that were made for servers and proofs, and read here."""

    @abstractmethod
    def is_denied(self, error: Exception) -> bool:
        """Whether one of the driver's errors says that a right is lacking."""

    @property
    def more(self) -> dict[str, Any]:
        """What else the form asks for."""
        return {}

    def source(self, password: str = SECRET, **changes: Any) -> Opened:
        """The form as an operator fills it in."""
        given = {
            "host": self.server.host,
            "port": self.server.port,
            "database": self.server.database,
            "user": self.registered,
            "password": password,
            **self.more,
            **changes,
        }
        return Opened("warehouse", fill(self.kind.fields, given).fields, {"password": password})

    def signed_in(self, lent: Credential) -> Connection:
        """A server's connection with what it was lent, in autocommit."""
        told = lent.fields
        return self.connect(
            host=told["host"],
            port=told["port"],
            user=told["user"],
            password=told["password"],
            autocommit=True,
        )

    def rows(self, connection: Connection, *statements: str) -> list[tuple[Any, ...]]:
        """The rows that the last of some statements answers."""
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())


class PostgreSQLShop(Shop):
    """In PostgreSQL, whose accounts become members of a role of readers."""

    kind = PostgreSQL()
    silent_for = "allotment.data.kinds.postgresql.session.CONNECT_SECONDS"

    def set_up(self) -> None:
        """Make sales, the readers, and an account that may make more of them."""
        self.readers = f"readers {secrets.token_hex(4)}"
        self.server.run(
            "CREATE TABLE sales (id int PRIMARY KEY, item text)",
            f"INSERT INTO sales SELECT n, 'pear' FROM generate_series(1, {ROWS}) AS n",  # noqa: S608 - a constant
            f'CREATE ROLE "{self.readers}"',
            f"CREATE ROLE {self.registered} LOGIN CREATEROLE PASSWORD {self.literal(SECRET)}",
            f'GRANT "{self.readers}" TO {self.registered} WITH ADMIN OPTION',
            f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{self.readers}"',
        )

    @property
    def more(self) -> dict[str, Any]:
        """The server has no TLS."""
        return {"readers": self.readers, "tls": "off"}

    def connect(self, **how: Any) -> Connection:
        """By psycopg."""
        return psycopg.connect(dbname=self.server.database, **how)

    def is_denied(self, error: Exception) -> bool:
        """By its SQLSTATE."""
        return isinstance(error, psycopg.errors.InsufficientPrivilege)

    def literal(self, text: str) -> str:
        """A text in SQL."""
        return psycopg.sql.Literal(text).as_string()

    def accounts(self) -> list[str]:
        """Members of the readers."""
        query = (
            "SELECT m.rolname FROM pg_auth_members AS a JOIN pg_roles AS m ON m.oid = a.member"
            " JOIN pg_roles AS r ON r.oid = a.roleid"
            " WHERE m.rolname LIKE 'allotment%' AND r.rolname = "
        )
        return [name for (name,) in self.server.rows(query + self.literal(self.readers))]


class MariaDBShop(Shop):
    """In MariaDB, with TLS by a certificate of its own."""

    kind = MariaDB()
    silent_for = "allotment.data.kinds.mysql.session.CONNECT_SECONDS"

    def set_up(self) -> None:
        """Make sales, and an account that may make accounts and let them read."""
        self.server.run(
            "CREATE TABLE sales (id INT PRIMARY KEY, item VARCHAR(20))",
            f"INSERT INTO sales SELECT seq, 'pear' FROM seq_1_to_{ROWS}",  # noqa: S608 - a constant
            f"CREATE USER {self.registered} IDENTIFIED BY {mysql_session.literal(SECRET)}",
            f"GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO {self.registered}",
            f"GRANT SELECT ON {self.pattern}.* TO {self.registered} WITH GRANT OPTION",
        )

    @property
    def pattern(self) -> str:
        """The database in a grant."""
        return mysql_session.exactly(self.server.database)

    @property
    def more(self) -> dict[str, Any]:
        """Whom to believe about its certificate."""
        return {"ca": self.server.authority}

    def connect(self, **how: Any) -> Connection:
        """By PyMySQL."""
        return pymysql.connect(database=self.server.database, **how)

    def is_denied(self, error: Exception) -> bool:
        """By its number."""
        return error.args[0] in {1044, 1045, 1142, 1227}

    def accounts(self) -> list[str]:
        """Accounts with a grant on the database."""
        query = "SELECT User FROM mysql.db WHERE User LIKE 'allotment%' AND Db = "
        pattern = mysql_session.literal(self.pattern.strip("`"))
        return [name for (name,) in self.server.rows(query + pattern)]
