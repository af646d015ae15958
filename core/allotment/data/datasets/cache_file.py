"""SQLite files that hold nothing of their own: broken or of another make, they are begun anew."""

from __future__ import annotations

import fcntl
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_WAIT = 10.0
"""Seconds to wait for another process that writes."""


class CacheFile:
    """A cache that several processes may share."""

    def __init__(self, file: Path, schema: str) -> None:
        """Open it, or make it anew where it is no SQLite file or has other tables."""
        self._file = file
        self._make = zlib.crc32(schema.encode()) & 0x7FFFFFFF
        file.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_ours():
            with file.with_name(f"{file.name}.lock").open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._begin(schema)

    def _begin(self, schema: str) -> None:
        """Make it anew, unless another has done so by now."""
        if self._is_ours():
            return
        for name in (self._file.name, f"{self._file.name}-wal", f"{self._file.name}-shm"):
            self._file.with_name(name).unlink(missing_ok=True)
        with self.open() as connection:
            connection.executescript(schema)
            connection.execute(f"pragma user_version = {self._make}")

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection, and one transaction."""
        with closing(sqlite3.connect(self._file, timeout=_WAIT)) as connection:
            connection.execute("pragma journal_mode = wal")
            # What a power cut takes is read or sent again.
            connection.execute("pragma synchronous = off")
            with connection:
                yield connection

    def _is_ours(self) -> bool:
        if not self._file.exists():
            return False
        try:
            with self.open() as connection:
                (make,) = connection.execute("pragma user_version").fetchone()
                (sound,) = connection.execute("pragma quick_check(1)").fetchone()
        except sqlite3.OperationalError:
            # Locked for longer than anybody writes to it; not broken.
            raise
        except sqlite3.DatabaseError:
            return False
        return bool(make == self._make and sound == "ok")
