"""No database is told a password in clear over a connection that is not encrypted."""

from ipaddress import ip_network

import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.mariadb import MariaDB
from allotment.data.kinds.postgresql import PostgreSQL
from allotment.data.problems import SourceProblem
from faulty_connections import HOST, scripted

SECRET = "correct-horse-battery"
LOOPBACK = Door(networks=(ip_network("127.0.0.0/8"),))
# AuthenticationCleartextPassword, by the chapter "Message Formats" of PostgreSQL's manual.
ASKS_IN_CLEAR = b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big")


def packet(number: int, content: bytes) -> bytes:
    """A packet of MySQL's protocol."""
    return len(content).to_bytes(3, "little") + bytes([number]) + content


# A handshake (version 10) that knows plug-ins, and then one that asks for the password itself.
GREETING = packet(
    0,
    b"\x0a5.5.5-10.11.0-MariaDB\0" + b"\1\0\0\0" + b"saltsalt\0" + (0x8209).to_bytes(2, "little")
    + b"\x2d\2\0" + (0x8).to_bytes(2, "little") + b"\x15" + bytes(10) + b"saltsaltsalt\0"
    + b"mysql_native_password\0",
)  # fmt: skip
SWITCHES = {
    name: packet(2, b"\xfe" + name + b"\0") for name in (b"mysql_clear_password", b"dialog")
}


def source(kind: PostgreSQL | MariaDB, port: int) -> Opened:
    given = {
        "host": HOST,
        "port": port,
        "database": "shop",
        "user": "allotment",
        "password": SECRET,
        "tls": "off",
    }
    return Opened("warehouse", fill(kind.fields, given).fields, {"password": SECRET})


@pytest.mark.promise("DATA-5")
def test_postgresql_is_not_told() -> None:
    kind = PostgreSQL()
    with (
        scripted(ASKS_IN_CLEAR, speaks_first=False) as heard,
        pytest.raises(SourceProblem, match="authentication method requirement"),
    ):
        kind.check(source(kind, heard.port), LOOPBACK)

    assert heard
    assert SECRET.encode() not in b"".join(heard)


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize("asked", SWITCHES)
def test_mariadb_is_not_told(asked: bytes) -> None:
    kind = MariaDB()
    with (
        scripted(GREETING, SWITCHES[asked], speaks_first=True) as heard,
        pytest.raises(SourceProblem, match="asks for the password in clear"),
    ):
        kind.check(source(kind, heard.port), LOOPBACK)

    assert heard
    assert SECRET.encode() not in b"".join(heard)
