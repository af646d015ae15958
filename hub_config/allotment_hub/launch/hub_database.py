"""How JupyterHub's own database on one machine is opened: a commit waits for no disk."""

from __future__ import annotations

import sqlite3
from typing import Any


class HubConnection(sqlite3.Connection):
    """A connection of JupyterHub's to its SQLite file.

    JupyterHub commits some sixty times while it starts, from its event loop, and SQLite would wait for
    the disk three times in each: a minute, and a hub that answers nobody, where the disk is busy. With a
    write-ahead log nothing is lost when the hub dies; a machine that loses power may forget the last
    commits, and with them has lost the servers that they told of. The record waits for its disk.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Open the file."""
        super().__init__(*arguments, **options)
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=NORMAL")


def engine_options() -> dict[str, Any]:
    """What ``c.JupyterHub.db_kwargs`` gets for a SQLite file."""
    return {"connect_args": {"check_same_thread": False, "factory": HubConnection}}
