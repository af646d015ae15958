"""MariaDB as a source, against a real one: read by accounts that cannot write and that end."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import connections
from allotment.data.kinds.databases import Login
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.mariadb import MariaDB
from allotment.data.kinds.mysql import MySQL, session
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Credential, Verdict
from database_servers import DatabaseServer, self_signed
from faulty_connections import Line, silent

pytestmark = pytest.mark.needs("mariadb")
KIND = MariaDB()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = 'correct horse % battery\'s \\ "staple"'
DENIED = {1044, 1142, 1143, 1227}


def borrower() -> Borrower:
    account = f"allotment_{secrets.token_hex(10)}"
    return Borrower("ada", "lab", "a1", NOW + timedelta(hours=2), account)


@dataclass
class Shop:
    """A database with sales, and the account with which it is registered."""

    server: DatabaseServer
    registered: str = field(default_factory=lambda: f"registered_{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self.server.run(
            "CREATE TABLE sales (id INT PRIMARY KEY, item VARCHAR(20))",
            "INSERT INTO sales SELECT seq, 'pear' FROM seq_1_to_1000",
            f"CREATE USER {self.registered} IDENTIFIED BY {session.literal(SECRET)}",
            f"GRANT CREATE USER, PROCESS, CONNECTION ADMIN ON *.* TO {self.registered}",
            f"GRANT SELECT ON {self.pattern}.* TO {self.registered} WITH GRANT OPTION",
        )

    @property
    def pattern(self) -> str:
        return session.exactly(self.server.database)

    def source(self, password: str = SECRET, **changes: Any) -> Opened:
        given = {
            "host": self.server.host,
            "port": self.server.port,
            "database": self.server.database,
            "user": self.registered,
            "password": password,
            "ca": self.server.authority,
            **changes,
        }
        return Opened("warehouse", fill(KIND.fields, given).fields, {"password": password})

    def signed_in(self, credential: Credential) -> "pymysql.Connection[Any]":
        told = credential.fields
        return pymysql.connect(
            host=told["host"],
            port=told["port"],
            database=told["database"],
            user=told["user"],
            password=told["password"],
            autocommit=True,
        )

    def accounts(self) -> list[str]:
        """Accounts that were made for servers and proofs and read here."""
        query = "SELECT User FROM mysql.db WHERE User LIKE 'allotment%' AND Db = "
        pattern = self.pattern.strip("`")
        return [name for (name,) in self.server.rows(query + session.literal(pattern))]


@pytest.fixture
def shop(mariadb_server: DatabaseServer) -> Shop:
    return Shop(mariadb_server.new_database())


def execute(connection: "pymysql.Connection[Any]", *statements: str) -> Any:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


@pytest.mark.promise("DATA-2", "DATA-5")
def test_a_server_reads_one_database_with_an_account_of_its_own(shop: Shop, loopback: Door) -> None:
    other = shop.server.new_database()
    asking = borrower()
    lent = KIND.issue(shop.source(), asking, loopback, NOW)
    with shop.signed_in(lent) as connection:
        assert execute(connection, "SELECT COUNT(*) FROM sales") == ((1000,),)
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            execute(connection, f"USE {other.database}")

    assert lent.account == lent.fields["user"] == asking.account
    assert (lent.shared, lent.expires_at) == (False, asking.until)
    assert lent.fields["session"] == ["SET SESSION TRANSACTION READ ONLY"]
    assert SECRET not in str(lent)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sales VALUES (0, 'plum')",
        "UPDATE sales SET item = 'plum'",
        "DELETE FROM sales",
        "TRUNCATE sales",
        "DROP TABLE sales",
        "CREATE TABLE mine (id INT)",
        "CREATE DATABASE mine",
        "CREATE USER mine",
        "SELECT * FROM sales INTO OUTFILE '/tmp/allotment-sales'",
    ],
)
def test_what_a_server_is_lent_cannot_write_even_with_the_read_only_session_off(
    shop: Shop, loopback: Door, statement: str
) -> None:
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    with shop.signed_in(lent) as connection, pytest.raises(pymysql.err.MySQLError) as refused:
        execute(connection, "SET SESSION TRANSACTION READ WRITE", statement)

    assert refused.value.args[0] in DENIED | {1045}


@pytest.mark.promise("DATA-2")
def test_the_proof_tries_to_write_and_leaves_nothing_behind(shop: Shop, loopback: Door) -> None:
    proof = KIND.prove(shop.source(), loopback, NOW)

    assert (proof.verdict, proof.possible, proof.problem) == (Verdict.READ_ONLY, (), "")
    database = shop.server.database
    assert f"insert into {database}.sales: refused" in proof.tried
    assert f"create a table in {database}: refused" in proof.tried
    assert "every account of MariaDB may write to test.*, as it comes; nothing of it is lent" in (
        proof.tried
    )
    assert shop.accounts() == []


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("allow", "found"),
    [
        ("GRANT INSERT ON sales TO {account}", "insert into {database}.sales"),
        ("GRANT UPDATE (item) ON sales TO {account}", "UPDATE on {database}.sales"),
        ("GRANT DELETE ON {pattern}.* TO {account}", "delete from {database}.sales"),
        ("GRANT CREATE ON {pattern}.* TO {account}", "CREATE on {database}.*"),
        ("GRANT CREATE, DROP ON *.* TO {account}", "CREATE on everything"),
        ("GRANT CREATE USER ON *.* TO {account}", "CREATE USER on everything"),
        ("GRANT FILE ON *.* TO {account}", "FILE on everything"),
        ("GRANT ALL ON *.* TO {account} WITH GRANT OPTION", "update {database}.sales"),
        (
            "CREATE ROLE r{account}; GRANT INSERT ON sales TO r{account}; GRANT r{account} TO {account}",
            "INSERT on {database}.sales",
        ),
    ],
)
def test_whatever_lets_users_write_with_the_registered_account_is_found(
    shop: Shop, loopback: Door, allow: str, found: str
) -> None:
    account, database = f"reader_{secrets.token_hex(4)}", shop.server.database
    words = {"account": account, "database": database, "pattern": shop.pattern}
    shop.server.run(
        f"CREATE USER {account} IDENTIFIED BY 'reads'",
        f"GRANT SELECT ON {shop.pattern}.* TO {account}",
    )
    source = shop.source("reads", user=account, accounts="registered")
    before = KIND.prove(source, loopback, NOW)
    shop.server.run(*allow.format(**words).split("; "))

    proof = KIND.prove(source, loopback, NOW)

    assert (before.verdict, before.shared) == (Verdict.READ_ONLY, True)
    assert proof.verdict is Verdict.WRITABLE
    assert any(found.format(**words) in one.replace("\\_", "_") for one in proof.possible)
    assert shop.server.rows("SELECT COUNT(*) FROM sales") == [(1000,)]
    assert shop.server.rows("SHOW TABLES") == [("sales",)]
    assert shop.server.rows("SHOW DATABASES LIKE 'allotment%'") == []


@pytest.mark.promise("DATA-7")
def test_withdrawing_cuts_the_connections_and_drops_the_account(shop: Shop, loopback: Door) -> None:
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    connection = shop.signed_in(lent)
    KIND.withdraw(shop.source(), lent.fields["user"], loopback)

    with pytest.raises(pymysql.err.MySQLError):
        execute(connection, "SELECT 1")
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        shop.signed_in(lent)
    assert shop.accounts() == []
    KIND.withdraw(shop.source(), lent.fields["user"], loopback)


@pytest.mark.promise("DATA-2")
def test_many_servers_come_and_go_at_once(shop: Shop, loopback: Door) -> None:
    asking = [borrower() for _ in range(12)]

    with ThreadPoolExecutor(6) as threads:
        lent = list(threads.map(lambda one: KIND.issue(shop.source(), one, loopback, NOW), asking))
        made = shop.accounts()
        list(threads.map(lambda one: KIND.withdraw(shop.source(), one.account, loopback), asking))

    assert sorted(made) == sorted(str(one.account) for one in lent)
    assert shop.accounts() == []


@pytest.mark.promise("DATA-7")
def test_only_accounts_that_the_platform_made_are_dropped(shop: Shop, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="was not made by the platform"):
        KIND.withdraw(shop.source(), "root", loopback)


@pytest.mark.promise("DATA-5")
def test_the_password_of_an_account_is_never_in_the_servers_log(shop: Shop, loopback: Door) -> None:
    ((folder, name),) = shop.server.rows("SELECT @@datadir, @@general_log_file")
    shop.server.run("SET GLOBAL general_log = 1")
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    shop.server.run("SET GLOBAL general_log = 0")

    log = Path(folder, name).read_text()
    assert lent.fields["user"] in log
    assert lent.fields["password"] not in log


@pytest.mark.promise("DATA-2", "DATA-4")
def test_the_check_says_how_servers_will_sign_in(shop: Shop, loopback: Door) -> None:
    own = KIND.check(shop.source(), loopback)
    shared = KIND.check(shop.source(accounts="registered"), loopback)

    assert own.startswith("MariaDB 1")
    assert "an account of its own" in own
    assert "its users can read its password" in shared


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ("REVOKE CREATE USER ON *.* FROM {account}", "lacks CREATE USER"),
        ("REVOKE CONNECTION ADMIN ON *.* FROM {account}", "lacks CONNECTION ADMIN"),
        ("REVOKE PROCESS ON *.* FROM {account}", "lacks PROCESS"),
        ("REVOKE GRANT OPTION ON {pattern}.* FROM {account}", "lacks SELECT WITH GRANT OPTION"),
    ],
)
def test_where_no_account_can_be_made_the_registered_one_is_not_handed_out_instead(
    shop: Shop, loopback: Door, change: str, obstacle: str
) -> None:
    shop.server.run(change.format(account=shop.registered, pattern=shop.pattern))

    for call in (
        lambda: KIND.check(shop.source(), loopback),
        lambda: KIND.issue(shop.source(), borrower(), loopback, NOW),
    ):
        with pytest.raises(SourceProblem, match=obstacle) as refused:
            call()
        assert "choose the registered account" in str(refused.value)


@pytest.mark.promise("DATA-1")
def test_a_mariadb_registered_as_mysql_is_told_apart(shop: Shop, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="This is MariaDB, not MySQL"):
        MySQL().check(shop.source(), loopback)


@pytest.mark.promise("DATA-6")
def test_tables_and_columns_are_shown_whatever_they_are_called(
    mariadb_server: DatabaseServer, loopback: Door
) -> None:
    hostile = 'x`; DROP TABLE sales; -- %s :name "'
    database = f"a_b%`{secrets.token_hex(3)}'"
    shop = Shop(mariadb_server.with_database(database))
    shop.server.run(
        f"CREATE TABLE {session.name(hostile)} ({session.name(hostile)} INT UNSIGNED, later DATETIME(6))",
        "CREATE VIEW seen AS SELECT id FROM sales",
        "ANALYZE TABLE sales",
    )
    source = shop.source()

    (schema,) = KIND.browse(source, (), loopback).entries
    tables = KIND.browse(source, (database,), loopback).entries
    columns = KIND.browse(source, (database, hostile), loopback).entries

    assert schema.path == (database,)
    assert [(entry.name, entry.kind) for entry in tables] == [
        ("sales", "table"),
        ("seen", "view"),
        (hostile, "table"),
    ]
    assert tables[0].rows == 1000
    assert tables[0].size
    assert [(entry.name, entry.type) for entry in columns] == [
        (hostile, "int(10) unsigned"),
        ("later", "datetime(6)"),
    ]
    assert KIND.browse(source, ("mysql",), loopback).entries == ()
    lent = KIND.issue(source, borrower(), loopback, NOW)
    with shop.signed_in(lent) as connection:
        assert execute(connection, "SELECT COUNT(*) FROM sales") == ((1000,),)
    assert KIND.prove(source, loopback, NOW).verdict is Verdict.READ_ONLY


@pytest.mark.promise("DATA-6")
def test_tables_are_shown_page_by_page(shop: Shop, loopback: Door) -> None:
    shop.server.run(*(f"CREATE TABLE {name} (a INT, b INT)" for name in ("T1", "t1", "t2", "u")))
    source, seen, after = shop.source(), [], ""
    while after is not None:
        page = KIND.browse(source, (shop.server.database,), loopback, after=after, limit=2)
        seen.append([entry.name for entry in page.entries])
        after = page.next

    assert seen == [["T1", "sales"], ["t1", "t2"], ["u"]]


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "Access denied"),
        ({"database": "nowhere"}, "nowhere"),
        ({"port": 1}, "Connection refused"),
        ({"ca": ""}, "CERTIFICATE_VERIFY_FAILED"),
        ({"ca": "nonsense"}, "no PEM certificate"),
        ({"host": "127.0.0.2"}, "IP address mismatch|Connection refused"),
    ],
)
def test_what_keeps_it_from_being_reached_is_said_without_the_password(
    shop: Shop, loopback: Door, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(SourceProblem, match=words) as refused:
        KIND.check(shop.source(**change), loopback)

    assert SECRET not in str(refused.value)
    assert KIND.prove(shop.source(**change), loopback, NOW).verdict is Verdict.UNPROVEN


@pytest.mark.promise("DATA-4")
def test_a_certificate_of_another_is_not_believed(
    shop: Shop, loopback: Door, tmp_path: Path
) -> None:
    other, _key = self_signed(tmp_path)

    with pytest.raises(SourceProblem, match="CERTIFICATE_VERIFY_FAILED"):
        KIND.check(shop.source(ca=other.read_text()), loopback)


@pytest.mark.promise("DATA-4")
def test_a_server_that_never_answers_is_given_up(
    shop: Shop, loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CONNECT_SECONDS", 0.5)
    with silent() as port, pytest.raises(SourceProblem, match="did not answer"):
        KIND.check(shop.source(port=port), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("act", "words"),
    [(Line.hush, "did not answer within 1 s"), (Line.break_off, "Lost connection")],
)
def test_a_line_that_falls_silent_or_breaks_is_said(
    shop: Shop,
    loopback: Door,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Line], None],
    words: str,
) -> None:
    monkeypatch.setattr(connections, "CALL_SECONDS", 1.0)
    with Line(shop.server.port).running() as line:
        login = Login.registered(shop.source(port=line.port))

        def ask() -> None:
            with session.connected(login, loopback, "MariaDB") as connection:
                act(line)
                connections.run(connection, "SELECT 1")

        with pytest.raises(SourceProblem, match=words):
            ask()


@pytest.mark.promise("DATA-4")
def test_an_address_that_the_door_refuses_is_not_reached(shop: Shop) -> None:
    with pytest.raises(SourceProblem) as refused:
        KIND.check(shop.source(), Door())

    assert refused.value.reasons[0].rule is Rule.DATA_ADDRESS
