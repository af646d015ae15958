"""PostgreSQL as a source, against a real one: what is its own, beside the suite of lent accounts."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from allotment.data.door import Door
from allotment.model.sources import Verdict
from database_servers import DatabaseServer
from database_shops import NOW, PostgreSQLShop, borrower

pytestmark = pytest.mark.needs("postgresql")
KIND = PostgreSQLShop.kind


@pytest.fixture
def shop(postgresql_server: DatabaseServer) -> PostgreSQLShop:
    return PostgreSQLShop(postgresql_server)


@pytest.mark.promise("DATA-5")
def test_an_account_ends_by_the_servers_clock_too(shop: PostgreSQLShop, loopback: Door) -> None:
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)

    query = "SELECT rolvaliduntil - now() FROM pg_roles WHERE rolname = "
    ((left,),) = shop.server.rows(query + shop.literal(lent.fields["user"]))
    assert timedelta(hours=1) < left < timedelta(hours=2, minutes=1)


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
    shop: PostgreSQLShop, loopback: Door, allow: str, found: str
) -> None:
    shop.server.run(allow.format(readers=shop.readers, database=shop.server.database))

    proof = KIND.prove(shop.source(), loopback, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert found in proof.possible
    assert shop.server.rows("SELECT count(*) FROM sales") == [(1000,)]


@pytest.mark.promise("DATA-2")
def test_a_superuser_handed_out_is_found_out(shop: PostgreSQLShop, loopback: Door) -> None:
    source = shop.source(shop.server.password, user="postgres", accounts="registered")

    proof = KIND.prove(source, loopback, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert proof.shared
    assert {"run a program on the server", "create an account"} <= set(proof.possible)


@pytest.mark.promise("DATA-2")
def test_large_objects_can_be_forbidden(shop: PostgreSQLShop, loopback: Door) -> None:
    allowed = KIND.prove(shop.source(), loopback, NOW)
    shop.server.run(
        "REVOKE EXECUTE ON FUNCTION"
        " lo_create(oid), lo_creat(integer), lo_from_bytea(oid, bytea) FROM PUBLIC"
    )
    forbidden = KIND.prove(shop.source(), loopback, NOW)

    assert any(one.startswith("make a large object of its own: possible") for one in allowed.tried)
    assert "make a large object: refused" in forbidden.tried


@pytest.mark.promise("DATA-2")
def test_functions_that_run_with_their_owners_rights_are_named(
    shop: PostgreSQLShop, loopback: Door
) -> None:
    shop.server.run(
        "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM sales'"
    )

    proof = KIND.prove(shop.source(), loopback, NOW)

    assert "Not examined: functions that run with their owner's rights: public.wipe" in proof.tried


@pytest.mark.promise("DATA-7")
def test_what_an_account_made_where_writing_was_accepted_outlives_it(
    shop: PostgreSQLShop, loopback: Door
) -> None:
    shop.server.run(f'GRANT CREATE ON SCHEMA public TO "{shop.readers}"')
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    with shop.signed_in(lent) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("CREATE TABLE result AS SELECT 42 AS answer")

    KIND.withdraw(shop.source(), lent.fields["user"], loopback)

    assert shop.accounts() == []
    assert shop.server.rows("SELECT answer FROM result") == [(42,)]


@pytest.mark.promise("DATA-5")
def test_the_password_of_an_account_is_never_in_the_servers_log(
    shop: PostgreSQLShop, loopback: Door
) -> None:
    shop.server.run(f"ALTER ROLE {shop.registered} SET log_statement = 'all'")
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)

    ((folder,),) = shop.server.rows("SHOW data_directory")
    log = Path(folder, "log").read_text()
    assert lent.fields["user"] in log
    assert lent.fields["password"] not in log


@pytest.mark.promise("DATA-6")
def test_only_what_readers_may_read_is_shown_whatever_it_is_called(
    shop: PostgreSQLShop, loopback: Door
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
def test_tables_and_columns_are_shown_page_by_page(shop: PostgreSQLShop, loopback: Door) -> None:
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
