"""Contents of versions in a Google Cloud Storage bucket, written with the target's registered account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.retry import DEFAULT_RETRY

from allotment.data.door import Door
from allotment.data.kinds import gcs
from allotment.data.kinds.kind import Opened
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import PIECE, KeptObject, OnTheWay, refused_by_bucket

_SECONDS = (5, 60)
"""Within which a connection must be taken, and something said on it."""
_RETRY = DEFAULT_RETRY.with_timeout(15.0)
"""Faults that pass are tried again for so many seconds; by itself the library goes on for two minutes."""
_PATIENCE: dict[str, Any] = {"timeout": _SECONDS, "retry": _RETRY}


class GcsContents(OnTheWay):
    """Objects of a Google Cloud Storage bucket."""

    def __init__(self, source: Opened, door: Door, work: Path | None = None) -> None:
        super().__init__(work)
        self._client = gcs.account_client(source, door)
        self._bucket = self._client.bucket(str(source.fields["bucket"]))
        self._prefix = str(source.fields["prefix"])

    def keep(self, key: str, incoming: IO[bytes]) -> None:
        """Put it; a bucket shows an object when all of it is there."""
        size = incoming.tell()
        incoming.seek(0)
        try:
            self._blob(key).upload_from_file(incoming, size=size, **_PATIENCE)
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise _problem("written", key, error) from None

    def get(self, key: str) -> Iterator[bytes]:
        """An object in pieces."""
        try:
            with self._blob(key).open("rb", chunk_size=8 * PIECE, **_PATIENCE) as file:
                while piece := file.read(PIECE):
                    yield piece
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise _problem("read", key, error) from None

    def drop(self, key: str) -> None:
        """Delete an object."""
        try:
            self._blob(key).delete(**_PATIENCE)
        except NotFound:
            return
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise _problem("deleted", key, error) from None

    def all(self) -> Iterator[KeptObject]:
        """Every object below the prefix."""
        try:
            for one in self._client.list_blobs(self._bucket, prefix=self._prefix, **_PATIENCE):
                yield KeptObject(one.name.removeprefix(self._prefix), int(one.size or 0))
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise _problem("listed", self._prefix, error) from None

    def emptied(self) -> None:
        """A bucket has no folders."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _blob(self, key: str) -> Any:
        return self._bucket.blob(self._prefix + key)


def _problem(done: str, key: str, error: Exception) -> SourceProblem:
    code = getattr(error, "code", None)
    told = f"HTTP {int(code)}" if isinstance(code, int) else type(error).__name__
    return refused_by_bucket(done, key, told)
