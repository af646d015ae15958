"""Servers that misbehave: silent ones, and lines that break when told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server((HOST, 0)) as listening:
        yield listening.getsockname()[1]


class Line:
    """Passes bytes on to a server, until it is told to be silent or to break."""

    def __init__(self, target: int) -> None:
        """Listen on a port of its own for connections to another."""
        self.port = 0
        self._target = target
        self._sockets: list[socket.socket] = []
        self._open = threading.Event()
        self._open.set()
        self._ending = False
        self._after: int = 0
        self._left: int | None = None
        self._tears = 0
        self.asking: Callable[[bytes], object] = lambda _said: None
        """Called with what clients say, before it is passed on."""

    def hush(self) -> None:
        """From now on pass nothing on, and keep the connections."""
        self._open.clear()

    def break_off(self) -> None:
        """Cut all connections."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def tear(self, after: int, times: int = 1) -> None:
        """Cut the connection in which the server has said so many bytes from now on, and begin to count anew."""
        self._after = self._left = after
        self._tears = times

    @property
    def torn(self) -> bool:
        """Whether it was cut as often as it should be."""
        return self._tears == 0

    @contextmanager
    def running(self) -> Iterator[Line]:
        """Pass bytes on until the end of the block."""
        with socket.create_server((HOST, 0)) as listening:
            self.port = listening.getsockname()[1]
            threading.Thread(target=self._accept, args=(listening,), daemon=True).start()
            yield self
            self._ending = True
            listening.shutdown(socket.SHUT_RDWR)
            self._open.set()
            self.break_off()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while not self._ending:
                near, _ = listening.accept()
                far = socket.create_connection((HOST, self._target))
                self._sockets += [near, far]
                for way in ((near, far, False), (far, near, True)):
                    threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, answers: bool) -> None:  # noqa: FBT001 - one of a pair
        with suppress(OSError):
            while chunk := one.recv(65_536):
                self._open.wait()
                if not answers:
                    self.asking(chunk)
                kept = self._kept(chunk) if answers else chunk
                other.sendall(kept)
                if len(kept) < len(chunk):
                    break
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _kept(self, chunk: bytes) -> bytes:
        """What of it is passed on: all, until the line is to be torn."""
        if self._left is None or not self._tears:
            return chunk
        self._left -= len(chunk)
        if self._left >= 0:
            return chunk
        kept = chunk[: self._left]
        self._tears -= 1
        self._left = self._after
        return kept


class Heard(list[bytes]):
    """What a client has said to a server that speaks by a script."""

    port = 0


@contextmanager
def scripted(*lines: bytes, speaks_first: bool) -> Iterator[Heard]:
    """A server that says one line after each of the client's, whatever that was, and keeps those."""
    heard = Heard()

    def speak(listening: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                rest = list(lines)
                if speaks_first:
                    connection.sendall(rest.pop(0))
                while said := connection.recv(65_536):
                    heard.append(said)
                    if rest:
                        connection.sendall(rest.pop(0))

    with socket.create_server((HOST, 0)) as listening:
        heard.port = listening.getsockname()[1]
        speaking = threading.Thread(target=speak, args=(listening,), daemon=True)
        speaking.start()
        yield heard
        speaking.join(10)
