"""What a notebook does with every kind of database."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from allotment.notebook.lending import Lent
from allotment.notebook.progress import Progress

CONNECT_WITHIN = 10
"""Seconds that a database has to answer."""


class Database(Protocol):
    """One kind of database. Libraries are loaded when they are used."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name for it, with the driver."""

    def connect(self, lent: Lent) -> Any:
        """A connection of Python's database API, made by the driver that SQLAlchemy uses."""

    def cancel(self, lent: Lent, connection: Any) -> None:
        """End what such a connection is asked now, in the database too; called by another thread."""

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers, as an Arrow table, by the fastest way there is."""


def session_statements(lent: Lent) -> tuple[str, ...]:
    """What every session begins with, by the source's own word."""
    return tuple(str(statement) for statement in lent.fields.get("session") or ())


def authority_file(lent: Lent) -> str:
    """The certificates that a server is checked against, as a file; empty where the source names none."""
    text = lent.text("ca")
    if not text:
        return ""
    file = _own_folder() / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.pem"
    if not file.exists():
        file.write_text(text, encoding="utf-8")
    return str(file)


@cache
def _own_folder() -> Path:
    """A folder of this process that nobody else can write into, gone when it ends."""
    folder = tempfile.mkdtemp(prefix="allotment-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
