"""MariaDB as a source, against a real one: what is its own, beside the suite of lent accounts."""

import secrets
from pathlib import Path

import pymysql
import pytest

from allotment.data.door import Door
from allotment.data.kinds.mysql import MySQL, session
from allotment.data.problems import SourceProblem
from allotment.model.sources import Verdict
from database_servers import DatabaseServer, self_signed
from database_shops import NOW, MariaDBShop, borrower

pytestmark = pytest.mark.needs("mariadb")
KIND = MariaDBShop.kind


@pytest.fixture
def shop(mariadb_server: DatabaseServer) -> MariaDBShop:
    return MariaDBShop(mariadb_server)


@pytest.mark.promise("DATA-2")
def test_an_account_reads_one_database_only(shop: MariaDBShop, loopback: Door) -> None:
    other = shop.server.new_database()
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)

    with (
        shop.signed_in(lent) as connection,
        pytest.raises(pymysql.err.OperationalError, match="denied"),
    ):
        shop.rows(connection, f"USE {other.database}")


@pytest.mark.promise("DATA-2")
def test_what_every_account_may_write_to_is_told(shop: MariaDBShop, loopback: Door) -> None:
    proof = KIND.prove(shop.source(), loopback, NOW)

    told = "every account of MariaDB may write to test.*, as it comes; nothing of it is lent"
    assert told in proof.tried


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
    shop: MariaDBShop, loopback: Door, allow: str, found: str
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


@pytest.mark.promise("DATA-5")
def test_the_password_of_an_account_is_never_in_the_servers_log(
    shop: MariaDBShop, loopback: Door
) -> None:
    ((folder, name),) = shop.server.rows("SELECT @@datadir, @@general_log_file")
    shop.server.run("SET GLOBAL general_log = 1")
    lent = KIND.issue(shop.source(), borrower(), loopback, NOW)
    shop.server.run("SET GLOBAL general_log = 0")

    log = Path(folder, name).read_text()
    assert lent.fields["user"] in log
    assert lent.fields["password"] not in log


@pytest.mark.promise("DATA-1")
def test_a_mariadb_registered_as_mysql_is_told_apart(shop: MariaDBShop, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="This is MariaDB, not MySQL"):
        MySQL().check(shop.source(), loopback)


@pytest.mark.promise("DATA-6")
def test_tables_and_columns_are_shown_whatever_they_are_called(
    mariadb_server: DatabaseServer, loopback: Door
) -> None:
    hostile = 'x`; DROP TABLE sales; -- %s :name "'
    database = f"a_b%`{secrets.token_hex(3)}'"
    shop = MariaDBShop(mariadb_server, database)
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
        assert shop.rows(connection, "SELECT COUNT(*) FROM sales") == [(1000,)]
    assert KIND.prove(source, loopback, NOW).verdict is Verdict.READ_ONLY


@pytest.mark.promise("DATA-6")
def test_tables_are_shown_page_by_page(shop: MariaDBShop, loopback: Door) -> None:
    shop.server.run(*(f"CREATE TABLE {name} (a INT, b INT)" for name in ("T1", "t1", "t2", "u")))
    source, seen, after = shop.source(), [], ""
    while after is not None:
        page = KIND.browse(source, (shop.server.database,), loopback, after=after, limit=2)
        seen.append([entry.name for entry in page.entries])
        after = page.next

    assert seen == [["T1", "sales"], ["t1", "t2"], ["u"]]


@pytest.mark.promise("DATA-4")
def test_a_certificate_of_another_is_not_believed(
    shop: MariaDBShop, loopback: Door, tmp_path: Path
) -> None:
    other, _key = self_signed(tmp_path)

    with pytest.raises(SourceProblem, match="CERTIFICATE_VERIFY_FAILED"):
        KIND.check(shop.source(ca=other.read_text()), loopback)
