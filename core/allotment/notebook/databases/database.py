"""What a notebook does with every kind of database."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

from allotment.notebook.lending import Lent
from allotment.notebook.progress import Progress

CONNECT_WITHIN = 10
"""Seconds that a database has to answer."""


class Database(Protocol):
    """One kind of database. Libraries are loaded when they are used."""

    dialect: str
    """SQLAlchemy's name for it, with the driver."""

    def connect(self, lent: Lent) -> Any:
        """A connection of Python's database API, made by the driver that SQLAlchemy uses."""

    def read(self, lent: Lent, query: str, progress: Progress) -> Any:
        """Everything that a query answers, as an Arrow table, by the fastest way there is."""


def session_statements(lent: Lent) -> tuple[str, ...]:
    """What every session begins with, by the source's own word."""
    return tuple(str(statement) for statement in lent.fields.get("session") or ())


def authority_file(lent: Lent) -> str:
    """The certificates that a server is checked against as a file of the person's own; empty where there are none."""
    text = lent.text("ca")
    if not text:
        return ""
    name = f"allotment-{os.getuid()}-ca-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pem"
    file = Path(tempfile.gettempdir()) / name
    if not _is_own(file, text):
        handle, new = tempfile.mkstemp(prefix="allotment-ca-")
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(new).replace(file)
    return str(file)


def _is_own(file: Path, text: str) -> bool:
    """Whether the file is there, this person's, and unchanged: others may write into the same folder."""
    try:
        status = file.lstat()
        own = status.st_uid == os.getuid() and not file.is_symlink()
        return own and file.read_text(encoding="utf-8") == text
    except OSError:
        return False
