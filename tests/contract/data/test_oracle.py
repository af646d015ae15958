"""Oracle as a source, as far as it goes without one: addresses, failures, and how privileges are judged."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.oracle import Oracle, session
from allotment.data.kinds.oracle.proof import judge
from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Verdict
from faulty_connections import HOST, silent

KIND = Oracle()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BORROWER = Borrower("ada", "lab", "a1", NOW + timedelta(hours=2), "allotment_0123456789")
SECRET = "correct-horse-battery"


def source(**changes: Any) -> Opened:
    given = {
        "host": HOST,
        "port": 1,
        "service": "SHOP",
        "user": "reader",
        "password": SECRET,
        "tls": "off",
        **changes,
    }
    return Opened("warehouse", fill(KIND.fields, given).fields, {"password": SECRET})


@contextmanager
def sends_on(address: str) -> Iterator[int]:
    """A listener that sends every client on to another address, as Oracle's may."""
    told = f"{address}\0(CONNECT_DATA=)".encode()
    # Length, checksum, type (5: redirect, 6: data), flags, checksum of the header; then what is in it.
    redirect = b"\0\x0a\0\0\5\0\0\0" + len(told).to_bytes(2, "big")
    data = (10 + len(told)).to_bytes(2, "big") + b"\0\0\6\0\0\0\0\0" + told

    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(redirect + data)
            connection.recv(4096)

    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=answer, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


@pytest.mark.promise("DATA-1", "DATA-2")
def test_servers_get_the_registered_account_and_it_is_said() -> None:
    lent = KIND.issue(source(tls="verify"), BORROWER, Door(), NOW)

    assert lent.shared
    assert lent.account is None
    assert lent.fields["dsn"] == f"tcps://{HOST}:1/SHOP"
    assert lent.fields["session"] == ["SET TRANSACTION READ ONLY"]
    assert "its users can read its password" in next(
        field.help for field in KIND.fields if field.name == "user"
    )


@pytest.mark.promise("DATA-4")
def test_a_server_that_is_down_is_said_without_the_password(loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="Connect call failed") as refused:
        KIND.check(source(), loopback)
    proof = KIND.prove(source(), loopback, NOW)

    assert "Check host and port." in str(refused.value)
    assert SECRET not in str(refused.value)
    assert (proof.verdict, proof.shared) == (Verdict.UNPROVEN, True)
    assert "Connect call failed" in proof.problem


@pytest.mark.promise("DATA-4")
def test_a_server_that_never_answers_is_given_up(
    loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CONNECT_SECONDS", 0.5)
    with silent() as port, pytest.raises(SourceProblem, match="did not answer in time"):
        KIND.check(source(port=port), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "SHOP)(ADDRESS=(HOST=db.internal))"),
        ("service", "SHOP?wallet_location=/etc"),
        ("host", "db.example.com:1521/OTHER"),
        ("host", "(DESCRIPTION=(ADDRESS=(HOST=db)))"),
    ],
)
def test_names_that_mean_something_else_in_an_address_are_refused(field: str, value: str) -> None:
    with pytest.raises(SourceProblem, match=f"The {field} is no name"):
        KIND.validate(source(**{field: value}))
    with pytest.raises(SourceProblem, match=f"The {field} is no name"):
        KIND.issue(source(**{field: value}), BORROWER, Door(), NOW)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("target", ["169.254.169.254", "10.0.0.1", "0.0.0.0"])  # noqa: S104 - refused
def test_where_a_listener_sends_its_clients_passes_the_door_too(
    loopback: Door, target: str
) -> None:
    with (
        sends_on(f"(ADDRESS=(PROTOCOL=tcp)(HOST={target})(PORT=80))") as port,
        pytest.raises(SourceProblem) as refused,
    ):
        KIND.check(source(port=port), loopback)

    assert refused.value.reasons[0].rule is Rule.DATA_ADDRESS
    assert target in str(refused.value)


@pytest.mark.promise("DATA-4")
def test_an_address_that_the_door_refuses_is_not_reached() -> None:
    with pytest.raises(SourceProblem) as refused:
        KIND.check(source(), Door())

    assert refused.value.reasons[0].rule is Rule.DATA_ADDRESS


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("system", "own", "objects", "possible"),
    [
        (["CREATE SESSION", "SELECT ANY TABLE"], [], [], []),
        (["CREATE SESSION", "CREATE TABLE"], [], [], ["the system privilege CREATE TABLE"]),
        (["A NEW PRIVILEGE"], [], [], ["the system privilege A NEW PRIVILEGE"]),
        ([], ["MINE"], [], ["write into its own table MINE"]),
        ([], [], [("INSERT", "SHOP", "SALES")], ["INSERT on SHOP.SALES"]),
    ],
)
def test_what_an_account_could_write_is_told_by_its_privileges(
    system: list[str], own: list[str], objects: list[tuple[str, str, str]], possible: list[str]
) -> None:
    attempts = Attempts()
    judge(attempts, system, own, objects)

    assert attempts.possible == possible


@pytest.mark.promise("DATA-2")
def test_privileges_alone_prove_nothing() -> None:
    attempts = Attempts()
    judge(attempts, ["CREATE SESSION"], [], [])

    assert attempts.proof(NOW).verdict is Verdict.UNPROVEN
