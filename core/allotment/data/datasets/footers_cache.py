"""What was read of files, kept by store, address, ETag and size: what has not changed is not read again.

It holds no contents, can be thrown away at any time, and two processes may share it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from allotment.data.datasets.cache_file import CacheFile
from allotment.data.datasets.facts import FileFacts
from allotment.data.datasets.stores.store import StoredFile
from allotment.model.datasets import DatasetColumn

_SCHEMA = """
create table if not exists columns (hash text primary key, document text not null) without rowid;
create table if not exists files (
    key blob primary key, hash text not null, rows integer, exact integer not null, options text not null
) without rowid;
"""
_AT_ONCE = 500
"""Keys asked for in one statement."""


class FootersCache:
    """Facts of files in one SQLite file."""

    def __init__(self, file: Path) -> None:
        self._cache = CacheFile(file, _SCHEMA)

    def known(self, files: Iterable[StoredFile], way: str) -> dict[StoredFile, FileFacts]:
        """The facts of those files that were read before, in this way, and have not changed."""
        keys = {_key(file, way): file for file in files}
        listed = list(keys)
        found: dict[StoredFile, FileFacts] = {}
        columns: dict[str, tuple[DatasetColumn, ...]] = {}
        with self._cache.open() as connection:
            for start in range(0, len(listed), _AT_ONCE):
                some = listed[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = connection.execute(
                    f"select key, hash, rows, exact, options from files where key in ({marks})",  # noqa: S608 - marks only
                    some,
                )
                for key, digest, count, exact, options in rows.fetchall():
                    if digest not in columns:
                        columns[digest] = _columns(connection, digest)
                    found[keys[key]] = FileFacts(
                        columns[digest], count, bool(exact), json.loads(options)
                    )
        return found

    def keep(self, facts: Mapping[StoredFile, FileFacts], way: str) -> None:
        """Remember what was read now."""
        schemas: dict[str, str] = {}
        rows = []
        for file, one in facts.items():
            document = json.dumps([asdict(column) for column in one.columns])
            digest = hashlib.sha256(document.encode()).hexdigest()
            schemas[digest] = document
            options = json.dumps(dict(one.options))
            rows.append((_key(file, way), digest, one.rows, one.rows_exact, options))
        with self._cache.open() as connection:
            connection.executemany("insert or ignore into columns values (?, ?)", schemas.items())
            connection.executemany("insert or replace into files values (?, ?, ?, ?, ?)", rows)


def way_of(format_: str, options: Mapping[str, Any]) -> str:
    """How files are read, as a part of the key: the same file read otherwise tells something else."""
    return json.dumps([format_, sorted(options.items())])


def _key(file: StoredFile, way: str) -> bytes:
    # Hashed, so that the keys of a bucket do not lie readable in a cache.
    text = json.dumps([file.store, str(file.uri), file.etag, file.size, way])
    return hashlib.sha256(text.encode()).digest()


def _columns(connection: sqlite3.Connection, digest: str) -> tuple[DatasetColumn, ...]:
    row = connection.execute("select document from columns where hash = ?", (digest,)).fetchone()
    return tuple(DatasetColumn(**one) for one in json.loads(row[0]))
