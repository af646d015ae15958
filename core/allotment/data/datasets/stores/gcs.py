"""Files of a Google Cloud Storage bucket, read with the down-scoped token that was lent for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores.failing import listing_failed, reading_failed
from allotment.data.datasets.stores.pieces import Pieces
from allotment.data.datasets.stores.store import (
    PIECE,
    StoredFile,
    check_within,
    span,
)
from allotment.data.datasets.uris import DataUri
from allotment.data.door import Door
from allotment.data.kinds import gcs
from allotment.model.sources import SourceKind

_NEEDED = "Its service account needs to list and get objects there."
_FIELDS = "items(name,size,generation),nextPageToken"
_SECONDS = 30
"""Within which a request must begin to be answered."""
AGAIN_SECONDS = 5.0
"""For how long a request that failed is sent again; by itself the library tries for two minutes."""


class GcsStore:
    """Files of a bucket."""

    def __init__(self, fields: Mapping[str, Any], door: Door) -> None:
        self._fields = fields
        self._client = gcs.reading_client(fields, door)
        self._bucket = self._client.bucket(str(fields["bucket"]))
        self._store = str(fields.get("endpoint") or "")

    def list(self, uri: DataUri, patience: Patience | None = None) -> Iterator[StoredFile]:
        """All files that a URI names."""
        from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415 - heavy
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - heavy

        check_within(SourceKind.GCS, self._fields, uri)
        try:
            for blob in self._blobs(uri):
                if patience is not None:
                    patience.seen(1)
                if uri.matches(blob.name) and not blob.name.endswith("/"):
                    found = uri.file(blob.name)
                    size = int(blob.size or 0)
                    yield StoredFile(found, size, str(blob.generation), self._store)
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise listing_failed(
                str(uri), _code(error), error, place="bucket", remedy=_NEEDED
            ) from None

    def _blobs(self, uri: DataUri) -> Iterator[Any]:
        """What may be meant. A single object is asked for itself: what is lent for it need not list."""
        if uri.is_folder or uri.is_pattern:
            yield from self._client.list_blobs(
                self._bucket,
                prefix=uri.start or None,
                fields=_FIELDS,
                timeout=_SECONDS,
                retry=_again(),
            )
            return
        found = self._bucket.get_blob(uri.path, timeout=_SECONDS, retry=_again())
        if found is not None:
            yield found

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """Some bytes of an object that is still the one listed."""
        first, end = span(file.size, start, length)
        return self._piece(file, first, end) if first < end else b""

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[IO[bytes]]:
        """The whole object, by the piece: a request that breaks off loses no more than one."""
        step = 8 * PIECE
        parts = (
            self._piece(file, at, min(at + step, file.size)) for at in range(0, file.size, step)
        )
        yield cast("IO[bytes]", Pieces(parts))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _piece(self, file: StoredFile, first: int, end: int) -> bytes:
        from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415 - heavy
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - heavy

        try:
            found: bytes = self._bucket.blob(file.uri.path).download_as_bytes(
                start=first,
                end=end - 1,
                if_generation_match=int(file.etag),
                checksum=None,
                timeout=_SECONDS,
                retry=_again(),
            )
        except (GoogleAPIError, GoogleAuthError, OSError) as error:
            raise reading_failed(
                _code(error),
                error,
                gone="was changed or taken away while it was being read; try again",
            ) from None
        return found


def _again() -> Any:
    from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415 - heavy

    return DEFAULT_RETRY.with_delay(0.1, 1.0, 2.0).with_timeout(AGAIN_SECONDS)


def _code(error: Any) -> int:
    return int(getattr(error, "code", None) or 0)
