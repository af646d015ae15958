"""Transactions of one process that share a commit, on SQLite.

A commit costs what the disk takes to write through, and there is one writer at a time. So whoever has
written and finds others waiting hands the open transaction on instead of ending it, and is let go when
the last of them has committed for all. Each still gets all of its own or nothing: what fails is taken
back to where its turn began. Whoever reads sees nothing before the commit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection, Engine, Transaction
from sqlalchemy.exc import DBAPIError

from allotment.model.refusals import RecordUnavailable
from allotment.record.turnstile import Turns

MOST = 8
"""Transactions that share one commit at most: the first of them waits for the last."""


@dataclass
class _Shared:
    """An open transaction of several."""

    connection: Connection
    transaction: Transaction
    members: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    error: str = ""

    def wait(self) -> None:
        """Wait until another has committed.

        Raises:
            RecordUnavailable: the commit failed; nothing was written.
        """
        self.done.wait()
        if self.error:
            raise RecordUnavailable(self.error)


class Commits:
    """The one writing connection of a process. Safe to use from many threads."""

    def __init__(self, writer: Engine, patience: float) -> None:
        self._writer = writer
        self._turns = Turns(writer.url.database, patience)
        self._shared: _Shared | None = None

    @contextmanager
    def connection(self, *, joins: bool) -> Iterator[Connection]:
        """Write in a transaction that is committed when this ends. ``joins``: it may share its commit.

        Raises:
            RecordUnavailable: no turn came in time, or the commit failed.
        """
        self._turns.enter(joins=joins)
        shared = self._shared or self._begin()
        first = shared.members == 0
        try:
            if not first:
                shared.connection.exec_driver_sql("SAVEPOINT member")
            yield shared.connection
            if not first:
                shared.connection.exec_driver_sql("RELEASE member")
        except BaseException:
            self._take_back(shared, joins=joins, first=first)
            raise
        shared.members += 1
        if self._hand_on(shared, joins=joins):
            shared.wait()
        else:
            self._end(shared)

    def close(self) -> None:
        """Leave nothing open."""
        self._turns.close()

    def _begin(self) -> _Shared:
        try:
            connection = self._writer.connect()
            try:
                self._shared = _Shared(connection, connection.begin())
            except BaseException:
                connection.close()
                raise
        except BaseException:
            self._turns.leave()
            raise
        return self._shared

    def _hand_on(self, shared: _Shared, *, joins: bool) -> bool:
        """Let the next who waits go on in this transaction, if there is one that may."""
        return joins and shared.members < MOST and self._turns.hand_on()

    def _take_back(self, shared: _Shared, *, joins: bool, first: bool) -> None:
        """Undo the member that failed; what the others wrote stays."""
        if first:
            self._end(shared, "It was taken back.")
            return
        try:
            shared.connection.exec_driver_sql("ROLLBACK TO member")
            shared.connection.exec_driver_sql("RELEASE member")
        except DBAPIError as error:  # the database has given up the whole transaction
            self._end(shared, f"The record did not answer: {type(error.orig).__name__}.")
            return
        if not self._hand_on(shared, joins=joins):
            with suppress(DBAPIError):  # its members are told; this one has failed already
                self._end(shared)

    def _end(self, shared: _Shared, error: str = "") -> None:
        """Commit for all members, or with an error undo everything; then the turn is the next one's."""
        shared.error = error or "The record did not answer: its commit failed."
        try:
            if error:
                shared.transaction.rollback()
            else:
                shared.transaction.commit()
                shared.error = ""
        finally:
            shared.connection.close()
            self._shared = None
            self._turns.leave()
            shared.done.set()
