"""What has been put into targets already: an unchanged file is neither read nor put again.

It can be thrown away at any time: what is not known here is put once more, under the same name.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from allotment.data.datasets.cache_file import CacheFile
from allotment.data.datasets.stores.store import StoredFile

_SCHEMA = """
create table if not exists hashed (
    store text not null, uri text not null, etag text not null, size integer not null,
    md5 text not null, primary key (store, uri, etag, size)
) without rowid;
create table if not exists kept (place text not null, md5 text not null, primary key (place, md5))
    without rowid;
"""


class Known:
    """Which contents are where."""

    def __init__(self, file: Path, place: str) -> None:
        """Open it for one place: a target's store of one dataset."""
        self._cache, self._place = CacheFile(file, _SCHEMA), place

    def hashes(self, files: Iterable[StoredFile]) -> dict[StoredFile, str]:
        """The MD5 of those files whose contents are in the place already."""
        statement = (
            "select md5 from hashed join kept using (md5) "
            "where store = ? and uri = ? and etag = ? and size = ? and place = ?"
        )
        found = {}
        with self._cache.open() as connection:
            for file in files:
                row = connection.execute(statement, (*_key(file), self._place)).fetchone()
                if row:
                    found[file] = str(row[0])
        return found

    def kept(self) -> set[str]:
        """The MD5 of all contents that are in the place."""
        with self._cache.open() as connection:
            rows = connection.execute("select md5 from kept where place = ?", (self._place,))
            return {str(md5) for (md5,) in rows}

    def add(self, kept: Iterable[tuple[StoredFile, str]]) -> None:
        """Remember files whose contents are in the place now."""
        listed = list(kept)
        with self._cache.open() as connection:
            connection.executemany(
                "insert or replace into hashed values (?, ?, ?, ?, ?)",
                [(*_key(file), md5) for file, md5 in listed],
            )
            connection.executemany(
                "insert or ignore into kept values (?, ?)",
                [(self._place, md5) for _, md5 in listed],
            )


def _key(file: StoredFile) -> tuple[str, str, str, int]:
    return file.store, str(file.uri), file.etag, file.size
