"""Files of an Azure blob container, read with the signature that was lent for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, cast

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores.failing import listing_failed, reading_failed
from allotment.data.datasets.stores.pieces import Pieces
from allotment.data.datasets.stores.store import (
    StoredFile,
    check_within,
    span,
)
from allotment.data.datasets.uris import DataUri
from allotment.data.door import Door
from allotment.data.kinds import azure
from allotment.model.sources import SourceKind

_NEEDED = "Its account needs to read and list blobs; check this machine's clock too."


class AzureStore:
    """Files of a container."""

    def __init__(self, fields: Mapping[str, Any], door: Door) -> None:
        self._fields = fields
        self._client = azure.reading_client(fields, door)
        self._store = f"{fields.get('account') or ''} {fields.get('endpoint') or ''}"

    def list(self, uri: DataUri, patience: Patience | None = None) -> Iterator[StoredFile]:
        """All files that a URI names."""
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - heavy

        check_within(SourceKind.AZURE, self._fields, uri)
        try:
            for blob in self._blobs(uri):
                if patience is not None:
                    patience.seen(1)
                if uri.matches(blob.name) and not _is_folder(blob):
                    found = uri.file(blob.name)
                    yield StoredFile(found, int(blob.size), str(blob.etag), self._store)
        except AzureError as error:
            raise listing_failed(
                str(uri), _status(error), error, place="container", remedy=_NEEDED
            ) from None

    def _blobs(self, uri: DataUri) -> Iterator[Any]:
        """What may be meant. A single blob is asked for itself: what is lent for it need not list."""
        from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - heavy

        if uri.is_folder or uri.is_pattern:
            yield from self._client.list_blobs(name_starts_with=uri.start or None)
            return
        with suppress(ResourceNotFoundError):
            yield self._client.get_blob_client(uri.path).get_blob_properties()

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """Some bytes of a blob that is still the one listed."""
        first, end = span(file.size, start, length)
        if first >= end:
            return b""
        return b"".join(self._chunks(file, offset=first, length=end - first))

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[IO[bytes]]:
        """The whole blob."""
        yield cast("IO[bytes]", Pieces(self._chunks(file) if file.size else iter(())))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _chunks(self, file: StoredFile, **options: int) -> Iterator[bytes]:
        from azure.core import MatchConditions  # noqa: PLC0415 - heavy
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - heavy

        try:
            blob = self._client.download_blob(
                file.uri.path,
                etag=file.etag,
                match_condition=MatchConditions.IfNotModified,
                **options,
            )
            yield from blob.chunks()
        except AzureError as error:
            raise reading_failed(_status(error), error, gone="is not there any more") from None


def _is_folder(blob: Any) -> bool:
    """Whether it stands for a folder of a hierarchical namespace."""
    return (blob.metadata or {}).get("hdi_isfolder") == "true"


def _status(error: Any) -> int:
    return int(getattr(error, "status_code", None) or 0)
