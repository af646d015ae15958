"""Connections to databases: none outlasts its time, and no error repeats a secret."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Iterator
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from allotment.data.door import Door
from allotment.data.problems import SourceProblem

CONNECT_SECONDS = 5
CALL_SECONDS = 25
"""How long the control plane deals with one source, connecting included."""
WORDS = 300
"""How much of a driver's message is repeated."""


class Watch:
    """Ends connections that take too long, also those whose other end takes all and answers nothing.

    Drivers have time limits for a statement or a read; a server that drips bytes outlasts them all.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.seconds = seconds = CALL_SECONDS if seconds is None else seconds
        self.ran_out = False
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        for watched in self._watched:
            watched.close()

    def over(self, descriptor: int) -> None:
        """Watch over a socket too, by a copy of its descriptor: the number may come to mean another."""
        self._watched.append(socket.socket(fileno=os.dup(descriptor)))
        if self.ran_out:
            self._end()

    def _end(self) -> None:
        self.ran_out = True
        for watched in self._watched:
            with contextlib.suppress(OSError):
                watched.shutdown(socket.SHUT_RDWR)


def dialled(host: str, port: int, door: Door, watch: Watch) -> socket.socket:
    """A TCP connection to the address that the door has checked, watched over."""
    address = door.host(host, port)
    connected = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    watch.over(connected.fileno())
    return connected


def trusting(authority: str) -> ssl.SSLContext:
    """A TLS context that believes an authority's certificates (PEM), or the usual ones if empty.

    Raises:
        SourceProblem: they are no certificates.
    """
    try:
        context = ssl.create_default_context(cadata=authority or None)
    except (ssl.SSLError, ValueError):
        raise SourceProblem(
            "The certificate authority is no PEM certificate.",
            remedy="Paste it whole, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
        ) from None
    # The certificates that database servers make for themselves do not pass what Python 3.13 asks for.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@contextlib.contextmanager
def database(
    dialect: str,
    where: str,
    connect: Callable[[Watch], Any],
    explain: Callable[[BaseException], str],
    secrets: Collection[str],
) -> Iterator[sa.Connection]:
    """A connection of its own in autocommit, whose every failure is told as a SourceProblem.

    Args:
        dialect: SQLAlchemy's name of dialect and driver, such as ``postgresql+psycopg``.
        where: What is reached, for messages, such as ``PostgreSQL at db.example.com:5432``.
        connect: Opens a connection with the driver, under a watch.
        explain: What a driver's error means and what would help, empty if it speaks for itself.
        secrets: What must not be repeated.
    """
    with Watch() as watch:
        engine = sa.create_engine(
            f"{dialect}://",
            creator=lambda: connect(watch),
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
        try:
            with engine.connect() as connection:
                yield connection
        except (sa.exc.SQLAlchemyError, OSError) as error:
            # Without its cause: the driver's error may hold the statement or the address with a password.
            raise told(where, error, watch, explain, secrets) from None


def told(
    where: str,
    error: BaseException,
    watch: Watch,
    explain: Callable[[BaseException], str],
    secrets: Collection[str],
) -> SourceProblem:
    """A failure in words: where, what, and what would help."""
    cause = driver_error(error)
    if watch.ran_out:
        return SourceProblem(
            f"{where} did not answer within {watch.seconds:g} s.", remedy="Try again later."
        )
    if isinstance(cause, TimeoutError):
        return SourceProblem(
            f"{where} did not answer within {CONNECT_SECONDS} s.",
            remedy="Check host and port, and whether a firewall stands between.",
        )
    return SourceProblem(f"{where}: {spoken(cause, secrets)}", remedy=explain(cause))


def driver_error(error: BaseException) -> BaseException:
    """The driver's own error inside SQLAlchemy's."""
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        return error.orig
    return error


def spoken(error: BaseException, secrets: Collection[str]) -> str:
    """An error's message in one line, secrets struck out, of bearable length, ending in a stop."""
    words = str(error) or type(error).__name__
    if len(error.args) == 2 and isinstance(error.args[0], int):  # noqa: PLR2004 - (number, message), as MySQL's drivers raise
        words = f"{error.args[1]} (error {error.args[0]})"
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        words = words.replace(secret, "…")
    words = re.sub(r"\s+", " ", words).strip()[:WORDS].rstrip(".")
    return f"{words}."


def run(connection: sa.Connection, statement: str) -> None:
    """Execute a statement as it stands: names in it are quoted already, and a % is a %."""
    connection.execution_options(no_parameters=True).exec_driver_sql(statement)


def rows(connection: sa.Connection, query: str, **values: Any) -> list[Any]:
    """The rows of a query, its values named with a colon."""
    return list(connection.execute(sa.text(query), values))
