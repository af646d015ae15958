"""Snowflake as a source, against a stand-in that knows queries but no grants, and by what grants say."""

import contextlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fakesnow import server as played_snowflake  # by name: a module of that name takes its place
from snowflake import connector

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.snowflake import Service, Snowflake, session
from allotment.data.kinds.snowflake.proof import judge
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Verdict
from faulty_connections import HOST, silent

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BORROWER = Borrower("ada", "lab", "a1", NOW + timedelta(hours=2), "allotment_0123456789")
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[Service]:
    """A stand-in for the service, with a table of sales."""
    # Its own log of requests goes to where a test's output is caught.
    with contextlib.redirect_stderr(io.StringIO()), played_snowflake() as told:
        with connector.connect(**told, database="SHOP", schema="PUBLIC") as connection:
            for statement in (
                "CREATE TABLE sales (id INT, item VARCHAR, price NUMBER(10, 2))",
                "INSERT INTO sales VALUES (1, 'pear', 1.5)",
                "CREATE TABLE shelves (id INT)",
            ):
                connection.cursor().execute(statement)
        yield Service(host=told["host"], port=told["port"], protocol="http")


def source(**changes: Any) -> Opened:
    given = {
        "account": "myorganisation-warehouse",
        "user": "reader",
        "identity": "password",
        "password": SECRET,
        "role": "READERS",
        "warehouse": "SMALL",
        "database": "SHOP",
        **changes,
    }
    secrets = {name: given[name] for name in ("password", "private_key") if name in given}
    return Opened("warehouse", fill(Snowflake.fields, given).fields, secrets)


@pytest.mark.promise("DATA-1", "DATA-4")
def test_the_check_signs_in_and_says_what_servers_get(stand_in: Service, loopback: Door) -> None:
    answer = Snowflake(stand_in).check(source(), loopback)

    assert "database SHOP" in answer
    assert "its users can read its password or key" in answer


@pytest.mark.promise("DATA-6")
def test_schemas_tables_and_columns_are_shown_page_by_page(
    stand_in: Service, loopback: Door
) -> None:
    kind = Snowflake(stand_in)

    schemas = kind.browse(source(), (), loopback).entries
    first = kind.browse(source(), ("PUBLIC",), loopback, limit=1)
    last = kind.browse(source(), ("PUBLIC",), loopback, after=str(first.next), limit=1)
    columns = kind.browse(source(), ("PUBLIC", "SALES"), loopback).entries

    assert "PUBLIC" in [entry.name for entry in schemas]
    assert [(one.name, one.kind, one.rows) for one in first.entries] == [("SALES", "table", 1)]
    assert [(one.name, one.kind) for one in last.entries] == [("SHELVES", "table")]
    assert last.next is None
    assert [(one.name, one.type) for one in columns] == [
        ("ID", "number(38,0)"),
        ("ITEM", "text"),
        ("PRICE", "number(10,2)"),
    ]
    hostile = "'; DROP TABLE sales; --"
    assert kind.browse(source(), (hostile, hostile), loopback).entries == ()


@pytest.mark.promise("DATA-2")
def test_a_write_that_goes_through_is_found_and_rolled_back(
    stand_in: Service, loopback: Door
) -> None:
    kind = Snowflake(stand_in)

    proof = kind.prove(source(), loopback, NOW)

    assert (proof.verdict, proof.shared) == (Verdict.WRITABLE, True)
    assert "insert into PUBLIC.SALES" in proof.possible
    (sales, _shelves) = kind.browse(source(), ("PUBLIC",), loopback).entries
    assert sales.rows == 1


@pytest.mark.promise("DATA-1", "DATA-2")
def test_servers_get_the_registered_user_and_only_the_secret_it_signs_in_with() -> None:
    lent = Snowflake().issue(source(), BORROWER, Door(), NOW)

    assert lent.shared
    assert lent.fields["host"] == "myorganisation-warehouse.snowflakecomputing.com"
    assert lent.fields["password"] == SECRET
    assert "private_key" not in lent.fields


@pytest.mark.promise("DATA-1")
def test_a_key_pair_signs_in_and_a_key_that_is_none_is_refused() -> None:
    pem = (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )
    Snowflake().validate(source(identity="key", private_key=pem))

    assert session.key_bytes(pem).startswith(b"\x30")
    with pytest.raises(SourceProblem, match="private key is none"):
        Snowflake().validate(source(identity="key", private_key=SECRET))


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("account", ["https://x", "x/../y", "x:8080", "x@y", ".internal"])
def test_an_account_that_would_be_another_host_is_refused(account: str) -> None:
    with pytest.raises(SourceProblem, match="no name of one"):
        Snowflake().validate(source(account=account))


@pytest.mark.promise("DATA-4")
def test_a_service_that_is_away_or_silent_is_said_without_the_password(
    loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOGIN_SECONDS", 1)
    monkeypatch.setattr(session, "ANSWER_SECONDS", 1)
    with silent() as port:
        for closed in (port, 1):
            kind = Snowflake(Service(host=HOST, port=closed, protocol="http"))
            with pytest.raises(SourceProblem, match=f"Snowflake at {HOST}") as refused:
                kind.check(source(), loopback)
            assert SECRET not in str(refused.value)
            assert kind.prove(source(), loopback, NOW).verdict is Verdict.UNPROVEN


@pytest.mark.promise("DATA-4")
def test_an_address_that_the_door_refuses_is_not_reached(stand_in: Service) -> None:
    with pytest.raises(SourceProblem) as refused:
        Snowflake(stand_in).check(source(), Door())

    assert refused.value.reasons[0].rule is Rule.DATA_ADDRESS


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("privilege", "kind", "possible", "within"),
    [
        ("SELECT", "TABLE", [], []),
        ("USAGE", "WAREHOUSE", [], []),
        ("USAGE", "ROLE", [], ["SHOP"]),
        ("INSERT", "TABLE", ["INSERT on table SHOP, by the role R"], []),
        ("OWNERSHIP", "TABLE", ["OWNERSHIP on table SHOP, by the role R"], []),
        ("CREATE TABLE", "SCHEMA", ["CREATE TABLE on schema SHOP, by the role R"], []),
        ("OWNERSHIP", "ROLE", ["OWNERSHIP on role SHOP, by the role R"], []),
        ("A NEW ONE", "ACCOUNT", ["A NEW ONE on account SHOP, by the role R"], []),
    ],
)
def test_what_a_role_could_write_is_told_by_its_grants(
    privilege: str, kind: str, possible: list[str], within: list[str]
) -> None:
    attempts = Attempts()
    row = {"privilege": privilege, "granted_on": kind, "name": "SHOP"}

    assert judge(attempts, "R", [row]) == within
    assert attempts.possible == possible


@pytest.mark.promise("DATA-2")
def test_where_grants_cannot_be_read_refused_writes_prove_nothing() -> None:
    attempts = Attempts()
    attempts.refused("insert into SALES")
    attempts.missed("What the roles may do", "no answer")
    proof = attempts.proof(NOW)

    assert proof.verdict is Verdict.UNPROVEN
    assert proof.problem == "What the roles may do could not be looked at (no answer)"
