"""Real databases for tests and benchmarks, each a program of its own on loopback.

PostgreSQL comes with pgserver (without TLS); MariaDB is the system's, with a certificate of its own.
"""

from __future__ import annotations

import getpass
import importlib
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hubs import free_port, until
from object_stores import running

HOST = "127.0.0.1"
START_SECONDS = 60.0


@dataclass(frozen=True)
class DatabaseServer:
    """A database server on loopback, and its administrator. ``authority`` is the PEM of its certificate."""

    dialect: str
    port: int
    user: str
    password: str
    database: str = ""
    authority: str = ""
    host: str = HOST

    def engine(self, user: str = "", password: str = "") -> sa.Engine:
        """Connections in autocommit, the administrator's unless told another account."""
        url = sa.URL.create(
            self.dialect,
            username=user or self.user,
            password=password or self.password,
            host=self.host,
            port=self.port,
            database=self.database or None,
        )
        return sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")

    def run(self, *statements: str, user: str = "", password: str = "") -> None:
        """Execute statements as they stand."""
        with self.engine(user, password).connect() as connection:
            for statement in statements:
                raw = connection.execution_options(no_parameters=True)
                raw.exec_driver_sql(statement)

    def rows(self, query: str, user: str = "", password: str = "") -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with self.engine(user, password).connect() as connection:
            raw = connection.execution_options(no_parameters=True)
            return [tuple(row) for row in raw.exec_driver_sql(query)]

    def with_database(self, name: str) -> DatabaseServer:
        """Make a database, and speak of it."""
        quote = "`" if self.dialect.startswith("mysql") else '"'
        self.run(f"CREATE DATABASE {quote}{name.replace(quote, quote * 2)}{quote}")
        return replace(self, database=name)

    def new_database(self) -> DatabaseServer:
        """Make a database with a name of its own, and speak of it."""
        return self.with_database(f"shop_{secrets.token_hex(4)}")


@contextmanager
def postgresql(folder: Path) -> Iterator[DatabaseServer]:
    """Run PostgreSQL over a folder until the end of the block."""
    # By name: it has no wheel for every machine, and makes its functions while it is imported.
    pgserver: Any = importlib.import_module("pgserver")

    data = folder / "data"
    server = pgserver.get_server(data)
    owner = {"user": server.system_user} if server.system_user else {}
    password, port = secrets.token_urlsafe(12), free_port()
    server.psql(f"ALTER ROLE postgres PASSWORD '{password}'")
    (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    # It started on a Unix socket only, which nothing but another start changes.
    pgserver.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=data, **owner)
    options = f"-h {HOST} -p {port} -k {data} -c fsync=off"
    arguments = ["-w", "-l", str(data / "log"), "-o", options, "start"]
    pgserver.pg_ctl(arguments, pgdata=data, timeout=START_SECONDS, **owner)
    try:
        yield DatabaseServer("postgresql+psycopg", port, "postgres", password, "postgres")
    finally:
        pgserver.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=data, **owner)


@contextmanager
def mariadb(folder: Path) -> Iterator[DatabaseServer]:
    """Run MariaDB over a folder until the end of the block."""
    data, port = folder / "data", free_port()
    account = getpass.getuser()
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={account}"]
    install += ["--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, timeout=START_SECONDS)
    certificate, key = self_signed(folder)
    options = {
        "datadir": data,
        "user": account,
        "port": port,
        "bind-address": HOST,
        "socket": folder / "socket",
        "pid-file": folder / "pid",
        "ssl-cert": certificate,
        "ssl-key": key,
        "innodb-buffer-pool-size": "32M",
        "innodb-flush-log-at-trx-commit": 0,
    }
    program = shutil.which("mariadbd") or shutil.which("mysqld") or "/usr/sbin/mariadbd"
    told = [f"--{name}={value}" for name, value in options.items()]
    with running([program, "--no-defaults", "--skip-name-resolve", *told], folder, {}) as process:
        server = DatabaseServer("mysql+pymysql", port, "root", "", "", certificate.read_text())
        until(lambda: is_listening(port) or process.poll() is not None, "MariaDB", START_SECONDS)
        server.run("CREATE DATABASE IF NOT EXISTS test")
        yield server


def is_listening(port: int) -> bool:
    """Whether somebody listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a database for tests")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = (
        builder.not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, no_password))
    paths[1].chmod(0o600)
    return paths
