"""PostgreSQL as a source, against a real one: read by accounts that cannot write and that end."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import connections
from allotment.data.kinds.databases import Login
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.postgresql import PostgreSQL, session
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Credential, Verdict
from database_servers import DatabaseServer
from faulty_connections import Line, silent

pytestmark = pytest.mark.needs("postgresql")
KIND = PostgreSQL()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = 'correct horse % battery\'s "staple"'


def borrower(**changes: Any) -> Borrower:
    account = f"allotment_{secrets.token_hex(10)}"
    values = {
        "person": "ada",
        "server": "lab",
        "allotment": "a1",
        "until": NOW + timedelta(hours=2),
    }
    return Borrower(**{**values, "account": account, **changes})


def quoted(text: str) -> str:
    return psycopg.sql.Literal(text).as_string()


@dataclass
class Shop:
    """A database with sales, and the account with which it is registered."""

    server: DatabaseServer
    registered: str = field(default_factory=lambda: f"registered_{secrets.token_hex(4)}")
    readers: str = field(default_factory=lambda: f"readers {secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self.server.run(
            "CREATE TABLE sales (id int PRIMARY KEY, item text)",
            "INSERT INTO sales SELECT n, 'pear' FROM generate_series(1, 1000) AS n",
            f'CREATE ROLE "{self.readers}"',
            f"CREATE ROLE {self.registered} LOGIN CREATEROLE PASSWORD {quoted(SECRET)}",
            f'GRANT "{self.readers}" TO {self.registered} WITH ADMIN OPTION',
            f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{self.readers}"',
        )

    def source(self, password: str = SECRET, **changes: Any) -> Opened:
        given = {
            "host": self.server.host,
            "port": self.server.port,
            "database": self.server.database,
            "user": self.registered,
            "password": password,
            "readers": self.readers,
            "tls": "off",
            **changes,
        }
        return Opened("warehouse", fill(KIND.fields, given).fields, {"password": password})

    def signed_in(self, credential: Credential) -> psycopg.Connection[Any]:
        told = credential.fields
        return psycopg.connect(
            host=told["host"],
            port=told["port"],
            dbname=told["database"],
            user=told["user"],
            password=told["password"],
            autocommit=True,
        )

    def accounts(self) -> list[str]:
        """Accounts that were made for servers and proofs here."""
        query = (
            "SELECT m.rolname FROM pg_auth_members AS a JOIN pg_roles AS m ON m.oid = a.member"
            " JOIN pg_roles AS r ON r.oid = a.roleid"
            " WHERE m.rolname LIKE 'allotment%' AND r.rolname = "
        )
        return [name for (name,) in self.server.rows(query + quoted(self.readers))]


@pytest.fixture
def shop(postgresql_server: DatabaseServer) -> Shop:
    return Shop(postgresql_server.new_database())


@pytest.mark.promise("DATA-2", "DATA-5")
def test_a_server_reads_with_an_account_of_its_own_that_ends_by_the_servers_clock(
    shop: Shop, loopback: Door
) -> None:
    asking = borrower()
    lent = KIND.issue(shop.source(), asking, loopback, NOW)
    with shop.signed_in(lent) as connection:
        count = connection.execute("SELECT count(*) FROM sales").fetchone()

    assert count == (1000,)
    assert lent.account == lent.fields["user"] == asking.account
    assert not lent.shared
    assert lent.expires_at == asking.until
    assert SECRET not in str(lent)
    query = "SELECT rolvaliduntil - now() FROM pg_roles WHERE rolname = "
    ((left,),) = shop.server.rows(query + quoted(asking.account))
    assert timedelta(hours=1) < left < timedelta(hours=2, minutes=1)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sales VALUES (0, 'plum')",
        "UPDATE sales SET item = 'plum'",
        "DELETE FROM sales",
        "TRUNCATE sales",
        "DROP TABLE sales",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "COPY sales TO PROGRAM 'cat'",
    ],
)
def test_what_a_server_is_lent_cannot_write_even_with_the_read_only_session_off(
    shop: Shop, loopback: Door, statement: str
) -> None:
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    with shop.signed_in(lent) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


@pytest.mark.promise("DATA-2")
def test_the_proof_tries_to_write_and_leaves_nothing_behind(shop: Shop, loopback: Door) -> None:
    proof = KIND.prove(shop.source(), loopback, NOW)

    assert (proof.verdict, proof.possible, proof.problem) == (Verdict.READ_ONLY, (), "")
    assert "insert into public.sales: refused" in proof.tried
    assert "create a table in public: refused" in proof.tried
    assert (proof.at, proof.shared) == (NOW, False)
    assert shop.accounts() == []
    assert shop.server.rows("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("allow", "found"),
    [
        ('GRANT INSERT ON sales TO "{readers}"', "insert into public.sales"),
        ('GRANT UPDATE (item) ON sales TO "{readers}"', "write into public.sales"),
        ("GRANT DELETE ON sales TO PUBLIC", "delete from public.sales"),
        ('GRANT TRUNCATE ON sales TO "{readers}"', "write into public.sales"),
        ('ALTER TABLE sales OWNER TO "{readers}"', "write into public.sales"),
        ('GRANT CREATE ON SCHEMA public TO "{readers}"', "create a table in public"),
        ('GRANT CREATE ON DATABASE {database} TO "{readers}"', "create a schema"),
        ('GRANT pg_write_all_data TO "{readers}"', "update public.sales"),
        (
            'GRANT pg_write_server_files TO "{readers}"',
            "act with the rights of pg_write_server_files",
        ),
        (
            """CREATE ROLE "w {readers}"; GRANT INSERT ON sales TO "w {readers}";
            GRANT "w {readers}" TO "{readers}" WITH INHERIT FALSE""",
            "write into public.sales",
        ),
        (
            'CREATE SEQUENCE numbers; GRANT USAGE ON numbers TO "{readers}"',
            "advance the sequence public.numbers",
        ),
        (
            'CREATE VIEW v AS SELECT id FROM sales; GRANT UPDATE ON v TO "{readers}"',
            "write into public.v",
        ),
    ],
)
def test_whatever_lets_users_write_is_found(
    shop: Shop, loopback: Door, allow: str, found: str
) -> None:
    shop.server.run(allow.format(readers=shop.readers, database=shop.server.database))

    proof = KIND.prove(shop.source(), loopback, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert found in proof.possible
    assert shop.server.rows("SELECT count(*) FROM sales") == [(1000,)]


@pytest.mark.promise("DATA-2")
def test_a_superuser_handed_out_is_found_out(shop: Shop, loopback: Door) -> None:
    source = shop.source(shop.server.password, user="postgres", accounts="registered")

    proof = KIND.prove(source, loopback, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert proof.shared
    assert {"run a program on the server", "create an account"} <= set(proof.possible)


@pytest.mark.promise("DATA-2")
def test_large_objects_can_be_forbidden(shop: Shop, loopback: Door) -> None:
    allowed = KIND.prove(shop.source(), loopback, NOW)
    shop.server.run(
        "REVOKE EXECUTE ON FUNCTION"
        " lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) FROM PUBLIC"
    )
    forbidden = KIND.prove(shop.source(), loopback, NOW)

    assert any(one.startswith("make a large object of its own: possible") for one in allowed.tried)
    assert "make a large object: refused" in forbidden.tried


@pytest.mark.promise("DATA-2")
def test_many_servers_come_and_go_at_once(shop: Shop, loopback: Door) -> None:
    asking = [borrower() for _ in range(12)]

    with ThreadPoolExecutor(6) as threads:
        lent = list(threads.map(lambda one: KIND.issue(shop.source(), one, loopback, NOW), asking))
        made = shop.accounts()
        list(threads.map(lambda one: KIND.withdraw(shop.source(), one.account, loopback), asking))

    assert sorted(made) == sorted(str(one.account) for one in lent)
    assert shop.accounts() == []


@pytest.mark.promise("DATA-2")
def test_functions_that_run_with_their_owners_rights_are_named(shop: Shop, loopback: Door) -> None:
    shop.server.run(
        "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM sales'"
    )

    proof = KIND.prove(shop.source(), loopback, NOW)

    assert "Not examined: functions that run with their owner's rights: public.wipe" in proof.tried


@pytest.mark.promise("DATA-7")
def test_withdrawing_cuts_the_connections_and_drops_the_account(shop: Shop, loopback: Door) -> None:
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    account = lent.fields["user"]
    with shop.signed_in(lent) as connection:
        KIND.withdraw(shop.source(), account, loopback)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    assert shop.accounts() == []
    with pytest.raises(psycopg.OperationalError):
        shop.signed_in(lent)
    KIND.withdraw(shop.source(), account, loopback)


@pytest.mark.promise("DATA-7")
def test_what_an_account_made_where_writing_was_accepted_outlives_it(
    shop: Shop, loopback: Door
) -> None:
    shop.server.run(f'GRANT CREATE ON SCHEMA public TO "{shop.readers}"')
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    with shop.signed_in(lent) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("CREATE TABLE result AS SELECT 42 AS answer")

    KIND.withdraw(shop.source(), lent.fields["user"], loopback)

    assert shop.accounts() == []
    assert shop.server.rows("SELECT answer FROM result") == [(42,)]


@pytest.mark.promise("DATA-7")
def test_only_accounts_that_the_platform_made_are_dropped(shop: Shop, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="was not made by the platform"):
        KIND.withdraw(shop.source(), shop.registered, loopback)


@pytest.mark.promise("DATA-5")
def test_the_password_of_an_account_is_never_in_the_servers_log(shop: Shop, loopback: Door) -> None:
    shop.server.run(f"ALTER ROLE {shop.registered} SET log_statement = 'all'")
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)

    ((folder,),) = shop.server.rows("SHOW data_directory")
    log = Path(folder, "log").read_text()
    assert lent.fields["user"] in log
    assert lent.fields["password"] not in log


@pytest.mark.promise("DATA-2", "DATA-4")
def test_the_check_says_how_servers_will_sign_in(shop: Shop, loopback: Door) -> None:
    own = KIND.check(shop.source(), loopback)
    shared = KIND.check(shop.source(accounts="registered"), loopback)

    assert "PostgreSQL 16" in own
    assert "an account of its own" in own
    assert "its users can read its password" in shared


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ("ALTER ROLE {registered} NOCREATEROLE", "lacks CREATEROLE"),
        ('REVOKE ADMIN OPTION FOR "{readers}" FROM {registered}', "lacks the ADMIN OPTION"),
        ('ALTER ROLE "{readers}" SUPERUSER', "is a superuser"),
        ('DROP OWNED BY "{readers}"; DROP ROLE "{readers}"', "there is no role"),
    ],
)
def test_where_no_account_can_be_made_the_registered_one_is_not_handed_out_instead(
    shop: Shop, loopback: Door, change: str, obstacle: str
) -> None:
    shop.server.run(change.format(readers=shop.readers, registered=shop.registered))

    for call in (
        lambda: KIND.check(shop.source(), loopback),
        lambda: KIND.issue(shop.source(), borrower(), loopback, NOW),
    ):
        with pytest.raises(SourceProblem, match=obstacle) as refused:
            call()
        assert "choose the registered account" in str(refused.value)
    assert KIND.prove(shop.source(), loopback, NOW).verdict is Verdict.UNPROVEN


@pytest.mark.promise("DATA-2")
def test_the_registered_account_is_handed_out_only_where_that_was_chosen(
    shop: Shop, loopback: Door
) -> None:
    lent = KIND.issue(shop.source(accounts="registered"), borrower(), loopback, NOW)

    assert lent.shared
    assert lent.account is None
    assert lent.fields["session"] == ["SET default_transaction_read_only = on"]


@pytest.mark.promise("DATA-6")
def test_only_what_readers_may_read_is_shown_whatever_it_is_called(
    shop: Shop, loopback: Door
) -> None:
    hostile = 'x"; DROP TABLE sales; -- %s :name'
    quoted = psycopg.sql.Identifier(hostile).as_string()
    shop.server.run(
        f"CREATE SCHEMA {quoted}",
        f"CREATE TABLE {quoted}.{quoted} ({quoted} int, later timestamptz NOT NULL)",
        f"CREATE TABLE {quoted}.hidden (id int)",
        f'GRANT USAGE ON SCHEMA {quoted} TO "{shop.readers}"',
        f'GRANT SELECT ON {quoted}.{quoted} TO "{shop.readers}"',
        "CREATE SCHEMA closed",
        "ANALYZE sales",
    )
    source = shop.source()

    schemas = KIND.browse(source, (), loopback).entries
    tables = KIND.browse(source, (hostile,), loopback).entries
    columns = KIND.browse(source, (hostile, hostile), loopback).entries
    (sales,) = KIND.browse(source, ("public",), loopback).entries

    assert [entry.name for entry in schemas] == ["public", hostile]
    assert [entry.path for entry in tables] == [(hostile, hostile)]
    assert [(entry.name, entry.type, entry.holds) for entry in columns] == [
        (hostile, "integer", False),
        ("later", "timestamp with time zone", False),
    ]
    assert (sales.name, sales.kind, sales.rows, sales.holds) == ("sales", "table", 1000, True)
    assert sales.size
    assert KIND.prove(source, loopback, NOW).verdict is Verdict.READ_ONLY


@pytest.mark.promise("DATA-6")
def test_tables_and_columns_are_shown_page_by_page(shop: Shop, loopback: Door) -> None:
    shop.server.run(*(f"CREATE TABLE t{n} (a int, b int, c int)" for n in range(5)))
    shop.server.run(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{shop.readers}"')
    source, seen, after = shop.source(), [], ""
    while after is not None:
        page = KIND.browse(source, ("public",), loopback, after=after, limit=2)
        seen.append([entry.name for entry in page.entries])
        after = page.next
    first = KIND.browse(source, ("public", "t0"), loopback, limit=2)
    last = KIND.browse(source, ("public", "t0"), loopback, after=str(first.next), limit=2)

    assert seen == [["sales", "t0"], ["t1", "t2"], ["t3", "t4"]]
    assert [entry.name for entry in (*first.entries, *last.entries)] == ["a", "b", "c"]
    assert last.next is None


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"database": "nowhere"}, "does not exist"),
        ({"port": 1}, "Connection refused"),
        ({"tls": "verify"}, "does not support SSL"),
        ({"tls": "verify", "ca": "nonsense"}, "no PEM certificate"),
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
def test_a_server_that_never_answers_is_given_up(
    shop: Shop, loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CONNECT_SECONDS", 2)
    with silent() as port, pytest.raises(SourceProblem, match="timeout expired"):
        KIND.check(shop.source(port=port), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("act", "words"),
    [(Line.hush, "did not answer within 1 s"), (Line.break_off, "closed the connection")],
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
            with session.connected(login, loopback) as connection:
                act(line)
                connections.run(connection, "SELECT 1")

        with pytest.raises(SourceProblem, match=words):
            ask()


@pytest.mark.promise("DATA-4")
def test_an_address_that_the_door_refuses_is_not_reached(shop: Shop) -> None:
    with pytest.raises(SourceProblem) as refused:
        KIND.check(shop.source(), Door())

    assert refused.value.reasons[0].rule is Rule.DATA_ADDRESS
