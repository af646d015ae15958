"""Every database that lends accounts passes one suite: they read, cannot write, and end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pymysql
import pytest

from allotment.data.door import Door
from allotment.data.kinds import connections
from allotment.data.kinds.databases import Login
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Verdict
from allotment.notebook.databases import DATABASES
from allotment.notebook.lending import Lent
from database_shops import NOW, ROWS, SECRET, UNTIL, MariaDBShop, PostgreSQLShop, Shop, borrower
from faulty_connections import Line, silent

Refused = (psycopg.errors.Error, pymysql.err.MySQLError)
SHOPS = {"postgresql": PostgreSQLShop, "mariadb": MariaDBShop}
WRITES = {
    "postgresql": (
        "SET default_transaction_read_only = off",
        [
            "INSERT INTO sales VALUES (0, 'plum')",
            "UPDATE sales SET item = 'plum'",
            "DELETE FROM sales",
            "TRUNCATE sales",
            "DROP TABLE sales",
            "CREATE TABLE mine (id int)",
            "CREATE SCHEMA mine",
            "CREATE ROLE mine",
            "COPY sales TO PROGRAM 'cat'",
        ],
    ),
    "mariadb": (
        "SET SESSION TRANSACTION READ WRITE",
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
    ),
}


def at(kind: str, *more: object) -> Any:
    """A row of a table of examples for one kind."""
    return pytest.param(kind, *more, marks=pytest.mark.needs(kind))


@pytest.fixture(params=[at(kind) for kind in SHOPS])
def shop(request: pytest.FixtureRequest) -> Shop:
    return SHOPS[request.param](request.getfixturevalue(f"{request.param}_server"))


@pytest.mark.promise("DATA-2", "DATA-5")
def test_a_server_reads_with_an_account_of_its_own(shop: Shop, loopback: Door) -> None:
    asking = borrower()
    lent = shop.kind.issue(shop.source(), asking, loopback, NOW)
    with shop.signed_in(lent) as connection:
        count = shop.rows(connection, "SELECT COUNT(*) FROM sales")

    assert count == [(ROWS,)]
    assert lent.account == lent.fields["user"] == asking.account
    assert (lent.shared, lent.expires_at) == (False, UNTIL)
    assert lent.fields["session"] == list(shop.kind.session)
    assert SECRET not in str(lent)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("shop", "allow", "statement"),
    [at(kind, allow, one) for kind, (allow, ones) in WRITES.items() for one in ones],
    indirect=["shop"],
)
def test_what_a_server_is_lent_cannot_write_even_with_the_read_only_session_off(
    shop: Shop, loopback: Door, allow: str, statement: str
) -> None:
    lent = shop.kind.issue(shop.source(), borrower(), loopback, NOW)
    with shop.signed_in(lent) as connection, pytest.raises(Refused) as refused:
        shop.rows(connection, allow, statement)

    assert shop.is_denied(refused.value)


@pytest.mark.promise("DATA-2")
def test_the_proof_tries_to_write_and_leaves_nothing_behind(shop: Shop, loopback: Door) -> None:
    proof = shop.kind.prove(shop.source(), loopback, NOW)

    assert (proof.verdict, proof.possible, proof.problem) == (Verdict.READ_ONLY, (), "")
    assert (proof.at, proof.shared) == (NOW, False)
    for what in ("insert into", "update", "delete from"):
        assert any(one.startswith(what) and one.endswith("sales: refused") for one in proof.tried)
    assert any(one.startswith("create a table in") for one in proof.tried)
    assert shop.accounts() == []


@pytest.mark.promise("DATA-7")
def test_withdrawing_cuts_the_connections_and_drops_the_account(shop: Shop, loopback: Door) -> None:
    lent = shop.kind.issue(shop.source(), borrower(), loopback, NOW)
    connection = shop.signed_in(lent)
    shop.kind.withdraw(shop.source(), lent.fields["user"], loopback)

    with pytest.raises(Refused):
        shop.rows(connection, "SELECT 1")
    with pytest.raises(Refused):
        shop.signed_in(lent)
    assert shop.accounts() == []
    shop.kind.withdraw(shop.source(), lent.fields["user"], loopback)


@pytest.mark.promise("DATA-7")
def test_only_accounts_that_the_platform_made_are_dropped(shop: Shop, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="was not made by the platform"):
        shop.kind.withdraw(shop.source(), shop.registered, loopback)


@pytest.mark.promise("DATA-2")
def test_many_servers_come_and_go_at_once(shop: Shop, loopback: Door) -> None:
    asking, source = [borrower() for _ in range(12)], shop.source()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda one: shop.kind.issue(source, one, loopback, NOW), asking))
        made = shop.accounts()
        list(threads.map(lambda one: shop.kind.withdraw(source, one.account, loopback), asking))

    assert sorted(made) == sorted(one.account for one in asking)
    assert shop.accounts() == []


@pytest.mark.promise("DATA-2", "DATA-4")
def test_the_check_says_how_servers_will_sign_in(shop: Shop, loopback: Door) -> None:
    own = shop.kind.check(shop.source(), loopback)
    shared = shop.kind.check(shop.source(accounts="registered"), loopback)

    assert own.startswith(f"{shop.kind.title} 1")
    assert own.endswith("Each server gets an account of its own.")
    assert shared.endswith(f"{shop.registered} itself: its users can read its password.")


@pytest.mark.promise("DATA-2")
def test_the_registered_account_is_handed_out_only_where_that_was_chosen(
    shop: Shop, loopback: Door
) -> None:
    lent = shop.kind.issue(shop.source(accounts="registered"), borrower(), loopback, NOW)

    assert (lent.shared, lent.account, lent.fields["password"]) == (True, None, SECRET)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("shop", "change", "obstacle"),
    [
        at("postgresql", "ALTER ROLE {0.registered} NOCREATEROLE", "lacks CREATEROLE"),
        at(
            "postgresql",
            'REVOKE ADMIN OPTION FOR "{0.readers}" FROM {0.registered}',
            "lacks the ADMIN OPTION",
        ),
        at("postgresql", 'ALTER ROLE "{0.readers}" SUPERUSER', "is a superuser"),
        at(
            "postgresql",
            'DROP OWNED BY "{0.readers}"; DROP ROLE "{0.readers}"',
            "there is no role",
        ),
        at("mariadb", "REVOKE CREATE USER ON *.* FROM {0.registered}", "lacks CREATE USER"),
        at(
            "mariadb",
            "REVOKE CONNECTION ADMIN ON *.* FROM {0.registered}",
            "lacks CONNECTION ADMIN",
        ),
        at("mariadb", "REVOKE PROCESS ON *.* FROM {0.registered}", "lacks PROCESS"),
        at(
            "mariadb",
            "REVOKE GRANT OPTION ON {0.pattern}.* FROM {0.registered}",
            "lacks SELECT WITH GRANT OPTION",
        ),
    ],
    indirect=["shop"],
)
def test_where_no_account_can_be_made_the_registered_one_is_not_handed_out_instead(
    shop: Shop, loopback: Door, change: str, obstacle: str
) -> None:
    shop.server.run(change.format(shop))

    for call in (
        lambda: shop.kind.check(shop.source(), loopback),
        lambda: shop.kind.issue(shop.source(), borrower(), loopback, NOW),
    ):
        with pytest.raises(SourceProblem, match=obstacle) as refused:
            call()
        assert "choose the registered account" in str(refused.value)
    proof = shop.kind.prove(shop.source(), loopback, NOW)
    assert proof.verdict is Verdict.UNPROVEN
    assert obstacle in proof.problem


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("shop", "change", "words"),
    [
        at("postgresql", {"password": "wrong"}, "password authentication failed"),
        at("postgresql", {"database": "nowhere"}, "does not exist"),
        at("postgresql", {"port": 1}, "Connection refused"),
        at("postgresql", {"tls": "verify"}, "does not support SSL"),
        at("postgresql", {"tls": "verify", "ca": "nonsense"}, "no PEM certificate"),
        at("mariadb", {"password": "wrong"}, "Access denied"),
        at("mariadb", {"database": "nowhere"}, "nowhere"),
        at("mariadb", {"port": 1}, "Connection refused"),
        at("mariadb", {"ca": ""}, "CERTIFICATE_VERIFY_FAILED"),
        at("mariadb", {"ca": "nonsense"}, "no PEM certificate"),
        at("mariadb", {"host": "localhost"}, "Hostname mismatch"),
    ],
    indirect=["shop"],
)
def test_what_keeps_it_from_being_reached_is_said_without_the_password(
    shop: Shop, loopback: Door, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(SourceProblem, match=words) as refused:
        shop.kind.check(shop.source(**change), loopback)

    assert SECRET not in str(refused.value)
    proof = shop.kind.prove(shop.source(**change), loopback, NOW)
    assert (proof.verdict, proof.possible) == (Verdict.UNPROVEN, ())
    assert words in proof.problem


@pytest.mark.promise("DATA-4")
def test_a_server_that_never_answers_is_given_up(
    shop: Shop, loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The least that PostgreSQL's library takes for a limit.
    monkeypatch.setattr(shop.silent_for, 2)
    with silent() as port, pytest.raises(SourceProblem, match=r"timeout expired|did not answer"):
        shop.kind.check(shop.source(port=port), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("act", "words"),
    [
        (Line.hush, "did not answer within 1 s"),
        (Line.break_off, r"closed the connection|Lost connection"),
    ],
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
            with shop.kind.connected(login, loopback) as connection:
                act(line)
                connections.run(connection, "SELECT 1")

        with pytest.raises(SourceProblem, match=words):
            ask()


@pytest.mark.promise("DATA-4")
def test_an_address_that_the_door_refuses_is_not_reached(shop: Shop) -> None:
    with pytest.raises(SourceProblem) as refused:
        shop.kind.check(shop.source(), Door())

    assert refused.value.reasons[0].rule is Rule.DATA_ADDRESS


@pytest.mark.promise("DATA-6")
def test_a_notebook_signs_in_with_what_it_is_lent(shop: Shop, loopback: Door) -> None:
    lent = shop.kind.issue(shop.source(), borrower(), loopback, NOW)
    with (
        DATABASES[shop.kind.kind].connect(Lent("warehouse", shop.kind.kind, lent.fields)) as opened,
        pytest.raises(Refused, match=r"(?i)read.only|denied"),
    ):
        shop.rows(opened, "SELECT COUNT(*) FROM sales", "DELETE FROM sales")


@pytest.mark.promise("DATA-5")
def test_a_notebook_tells_no_password_to_a_server_whose_name_is_not_in_its_certificate(
    shop: Shop, loopback: Door
) -> None:
    lent = shop.kind.issue(shop.source(), borrower(), loopback, NOW)
    for changes in ({"ca": ""}, {"host": "localhost"}):
        told = {**lent.fields, "tls": "verify", **changes}
        with pytest.raises(Refused, match=r"SSL|CERTIFICATE_VERIFY_FAILED"):
            DATABASES[shop.kind.kind].connect(Lent("warehouse", shop.kind.kind, told))
