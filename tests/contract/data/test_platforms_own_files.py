"""What the platform's system account keeps for its own database is shown to none that somebody registered."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from shutil import copyfile

import psycopg
import pytest

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds.databases import Login
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.postgresql import PostgreSQL
from allotment.data.problems import SourceProblem
from database_servers import DatabaseServer, self_signed
from database_shops import PostgreSQLShop

KIND = PostgreSQL()
HOST = "127.0.0.1"
LOOPBACK = Door(networks=(ip_network("127.0.0.0/8"),))


@dataclass
class Curious:
    """A server that asks for a client's certificate, and what it was shown."""

    port: int = 0
    shown: list[bool] = field(default_factory=list)


@contextmanager
def curious(certificate: Path, key: Path) -> Iterator[Curious]:
    """Speak TLS as PostgreSQL does, as far as the client's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    found = Curious()

    def take(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                plain, _ = listening.accept()
                with plain:
                    plain.recv(8)  # SSLRequest, by the chapter "Message Formats" of its manual
                    plain.sendall(b"S")
                    with context.wrap_socket(plain, server_side=True) as line:
                        line.recv(4096)
                        found.shown.append(bool(line.getpeercert(binary_form=True)))

    with socket.create_server((HOST, 0)) as listening:
        found.port = listening.getsockname()[1]
        threading.Thread(target=take, args=(listening,), daemon=True).start()
        yield found
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A certificate and its key, where the library looks for them by itself."""
    certificate, key = self_signed(tmp_path)
    folder = tmp_path / ".postgresql"
    folder.mkdir()
    copyfile(certificate, folder / "postgresql.crt")
    copyfile(key, folder / "postgresql.key")
    (folder / "postgresql.key").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    return certificate, key


def source(port: int, tls: str, authority: str) -> Opened:
    given = {
        "host": HOST,
        "port": port,
        "database": "shop",
        "user": "allotment",
        "password": "correct-horse",
        "tls": tls,
        "ca": authority,
    }
    return Opened("warehouse", fill(KIND.fields, given).fields, {"password": "correct-horse"})


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize("tls", ["require", "verify"])
def test_a_database_that_asks_for_a_certificate_is_shown_none(
    own: tuple[Path, Path], tls: str
) -> None:
    with curious(*own) as server:
        registered = source(server.port, tls, own[0].read_text() if tls == "verify" else "")
        with pytest.raises(SourceProblem):
            KIND.check(registered, LOOPBACK)

        assert server.shown == [False]

        # Left to itself, the library shows it: else this test could not fail.
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=HOST, port=server.port, user="u", sslmode="require")
        assert server.shown == [False, True]


@pytest.mark.promise("DATA-5")
@pytest.mark.needs("postgresql")
def test_neither_its_environment_nor_its_services_change_a_session(
    postgresql_server: DatabaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = Login.registered(PostgreSQLShop(postgresql_server).source())
    services = tmp_path / "services"
    services.write_text("[record]\noptions=-c enable_seqscan=off\nclient_encoding=LATIN1\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    monkeypatch.setenv("PGSERVICE", "record")
    monkeypatch.setenv("PGOPTIONS", "-c enable_indexscan=off")
    monkeypatch.setenv("PGREQUIREAUTH", "none")

    with KIND.connected(login, LOOPBACK) as connection:
        asked = ("enable_seqscan", "enable_indexscan", "client_encoding")
        told = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]

    assert told == ["on", "on", "UTF8"]
