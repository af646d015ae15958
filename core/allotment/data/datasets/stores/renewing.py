"""Files of a store whose credential ends: opened again with a new one before it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import Store, StoredFile
from allotment.data.datasets.uris import DataUri
from allotment.data.door import Door
from allotment.model.sources import Credential, SourceKind

Lend = Callable[[], Credential]
_EARLY = timedelta(minutes=10)
"""Before a credential's end: so long one request may take that has begun with it."""


def _now() -> datetime:
    return datetime.now(UTC)


class RenewingStore:
    """A store that asks for another credential in time, for reading that outlasts one."""

    def __init__(
        self,
        kind: SourceKind | None,
        credential: Credential | None,
        door: Door,
        lend: Lend | None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Open it with the first credential; without ``lend`` there will be no other."""
        self._kind, self._credential, self._door = kind, credential, door
        self._lend, self._clock = lend, clock
        self._lock = threading.Lock()
        self._opened = [open_store(kind, credential, door)]

    def list(self, uri: DataUri, patience: Patience | None = None) -> Iterator[StoredFile]:
        """All files that a URI names."""
        return self._current().list(uri, patience)

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """Some bytes of a file."""
        return self._current().read(file, start, length)

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[IO[bytes]]:
        """A whole file."""
        with self._current().open(file) as opened:
            yield opened

    def close(self) -> None:
        """Close the stores of all credentials: others may still be read with when one is renewed."""
        for store in self._opened:
            store.close()

    def _current(self) -> Store:
        with self._lock:
            ends = self._credential.expires_at if self._credential else None
            if self._lend is not None and ends is not None and ends - self._clock() < _EARLY:
                self._credential = self._lend()
                self._opened.append(open_store(self._kind, self._credential, self._door))
            return self._opened[-1]
