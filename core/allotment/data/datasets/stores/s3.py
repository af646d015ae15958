"""Files of an S3 bucket, read as a server would: with what was lent for its bucket and prefix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import IO, Any

from allotment.data.datasets.patience import Patience
from allotment.data.datasets.stores.failing import broken_off
from allotment.data.datasets.stores.store import (
    FileChanged,
    FileUnreadable,
    StoredFile,
    check_within,
    span,
)
from allotment.data.datasets.uris import DataUri
from allotment.data.door import Door
from allotment.data.kinds import s3
from allotment.data.problems import SourceProblem
from allotment.model.sources import SourceKind

_CHANGED = {"PreconditionFailed", "412"}
_GONE = {"NoSuchKey", "404"}
_DENIED = {"AccessDenied", "403", "AllAccessDisabled"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}


class S3Store:
    """Files of a bucket."""

    def __init__(self, fields: Mapping[str, Any], door: Door) -> None:
        self._fields = fields
        self._client = s3.reading_client(fields, door)
        self._bucket = str(fields["bucket"])
        self._store = str(fields.get("endpoint") or "")

    def list(self, uri: DataUri, patience: Patience | None = None) -> Iterator[StoredFile]:
        """All files that a URI names: a thousand with each request."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy

        check_within(SourceKind.S3, self._fields, uri)
        pages = self._client.get_paginator("list_objects_v2")
        prefix = uri.start
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                entries = page.get("Contents", ())
                if patience is not None:
                    patience.seen(len(entries))
                for entry in entries:
                    if uri.matches(entry["Key"]) and not entry["Key"].endswith("/"):
                        found = uri.file(entry["Key"])
                        yield StoredFile(found, entry["Size"], entry.get("ETag", ""), self._store)
                if prefix == uri.path and not uri.is_folder:
                    return  # the key itself is the first of those that begin with it
        except ClientError as error:
            raise _listing_failed(str(uri), _code(error)) from None
        except BotoCoreError as error:
            raise _listing_failed(str(uri), type(error).__name__) from None

    def read(self, file: StoredFile, start: int, length: int) -> bytes:
        """Some bytes of an object that is still the one listed."""
        first, end = span(file.size, start, length)
        if first >= end:
            return b""
        with self._body(file, Range=f"bytes={first}-{end - 1}") as body:
            data: bytes = body.read()
        return data

    @contextmanager
    def open(self, file: StoredFile) -> Iterator[IO[bytes]]:
        """The whole object."""
        with self._body(file) as body:
            yield body

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _body(self, file: StoredFile, **options: str) -> Iterator[Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy

        try:
            answer = self._client.get_object(
                Bucket=self._bucket, Key=file.uri.path, IfMatch=file.etag, **options
            )
            # Not as a context itself: that would be the plain stream, which fails in other words.
            with closing(answer["Body"]) as body:
                yield body
        except ClientError as error:
            raise _reading_failed(_code(error)) from None
        except BotoCoreError as error:
            raise broken_off(error) from None


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))


def _reading_failed(code: str) -> FileUnreadable:
    if code in _CHANGED:
        return FileChanged()
    if code in _GONE:
        return FileUnreadable("is not there any more")
    if code in _DENIED:
        return FileUnreadable("may not be read with what the source lends (AccessDenied)")
    return FileUnreadable(f"could not be read ({code})")


def _listing_failed(uri: str, code: str) -> SourceProblem:
    if code == "NoSuchBucket":
        return SourceProblem(f"{uri}: there is no such bucket.", remedy="Check its name.")
    if code in _DENIED:
        return SourceProblem(
            f"{uri} may not be listed with what the source lends (AccessDenied).",
            remedy="Its role or keys need s3:ListBucket and s3:GetObject there.",
        )
    if code in _EXPIRED:
        return SourceProblem(
            f"{uri}: what the source lent has ended ({code}).",
            remedy="Try again; where it happens again, check this machine's clock.",
        )
    return SourceProblem(f"{uri} could not be listed ({code}).", remedy="Test the source.")
