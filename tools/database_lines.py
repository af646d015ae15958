"""A line to PostgreSQL that breaks when it is told to: before a statement, after it, or because its backend was killed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

import psycopg
import sqlalchemy as sa

HOST = "127.0.0.1"
COMMIT = b"COMMIT\0"
"""How a client says it: no other word, such as that of an isolation, ends so."""
NAME = "over-a-line"
"""What connections over a line call themselves at the database."""


class Break(StrEnum):
    """How a line breaks at a statement."""

    BEFORE = "before"
    """The statement never reaches the database."""
    ANSWER = "answer"
    """The database has done it, and its answer is lost."""
    KILLED = "killed"
    """The backend is killed when the statement is about to come."""


class DatabaseLine:
    """Passes a client's messages on. A client asks and waits, so one message is one statement."""

    def __init__(self, url: str) -> None:
        """``url`` is a database that listens on a Unix socket."""
        self._url = sa.make_url(url)
        self._socket = str(Path(str(self._url.query["host"])) / ".s.PGSQL.5432")
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._breaks: tuple[int | bytes, Break] | None = None
        self._away = self._ending = False
        self.broke = False
        self.said: list[bytes] = []
        """The messages since it was told to break."""
        self.port = 0
        self.when_broken: Callable[[], object] = lambda: None
        """Called when it has broken, before the client can notice."""

    @property
    def url(self) -> str:
        """The database's address over this line."""
        options = {"application_name": NAME, "sslmode": "disable"}
        over = self._url.set(host=HOST, port=self.port, query={}).update_query_dict(options)
        return over.render_as_string(hide_password=False)

    def break_at(self, number: int, how: Break) -> None:
        """Break once, at the so manieth message from now on; the first is 0."""
        with self._lock:
            self._breaks, self.broke = (number, how), False
            self.said.clear()

    def break_at_commit(self, how: Break) -> None:
        """Break once, at the next commit."""
        with self._lock:
            self._breaks, self.broke = (COMMIT, how), False
            self.said.clear()

    def go_away(self) -> None:
        """Cut every connection, and refuse new ones."""
        self._away = True
        self._cut_all()

    def come_back(self) -> None:
        """Pass on again."""
        self._away = False

    @contextmanager
    def running(self) -> Iterator[DatabaseLine]:
        """Pass on until the end of the block."""
        with socket.create_server((HOST, 0)) as listening:
            self.port = listening.getsockname()[1]
            threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
            yield self
            self._ending = True
            listening.shutdown(socket.SHUT_RDWR)
            self._cut_all()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while not self._ending:
                near, _ = listening.accept()
                if self._away:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._socket)
                self._open += [near, far]
                threading.Thread(target=self._pass_on, args=(near, far), daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        answers = threading.Event()
        answers.set()
        back = threading.Thread(target=self._answer, args=(near, far, answers), daemon=True)
        back.start()
        with suppress(OSError):
            while chunk := near.recv(1 << 20):
                how = self._due(chunk)
                if how is Break.BEFORE:
                    break
                if how is Break.KILLED:
                    self._kill_backends()
                if how is Break.ANSWER:
                    answers.clear()
                far.sendall(chunk)
        _cut(near, far)

    def _answer(self, near: socket.socket, far: socket.socket, answers: threading.Event) -> None:
        with suppress(OSError):
            while chunk := far.recv(1 << 20):
                if not answers.is_set():
                    self.when_broken()
                    break
                near.sendall(chunk)
        _cut(near, far)

    def _due(self, chunk: bytes) -> Break | None:
        """How it is to break at this message, if it is."""
        with self._lock:
            if self._breaks is None:
                return None
            self.said.append(chunk)
            at, how = self._breaks
            if len(self.said) <= at if isinstance(at, int) else at not in chunk:
                return None
            self._breaks, self.broke = None, True
        if how is Break.BEFORE:
            self.when_broken()
        return how

    def _kill_backends(self) -> None:
        """Kill the backends of this database behind lines, and wait until they are gone."""
        direct = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(direct) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = %s",
                [NAME],
            )

    def _cut_all(self) -> None:
        cut, self._open = self._open, []
        _cut(*cut)


def _cut(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
