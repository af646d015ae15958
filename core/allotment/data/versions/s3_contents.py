"""Contents of versions in an S3 bucket, written with the target's registered account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.manager import TransferManager

from allotment.data.door import Door
from allotment.data.kinds import s3
from allotment.data.kinds.kind import Opened
from allotment.data.problems import SourceProblem
from allotment.data.versions.contents import PIECE, KeptObject, OnTheWay, refused_by_bucket

_AT_ONCE = 64 << 20
"""Bytes that are put by one request; more go in parts."""


class S3Contents(OnTheWay):
    """Objects of an S3 bucket."""

    def __init__(self, source: Opened, door: Door, work: Path | None = None) -> None:
        super().__init__(work)
        self._client = s3.account_client(source, door)
        self._bucket, self._prefix = str(source.fields["bucket"]), str(source.fields["prefix"])

    def keep(self, key: str, incoming: IO[bytes]) -> None:
        """Put it; a bucket shows an object when all of it is there."""
        size = incoming.tell()
        incoming.seek(0)
        where = {"Bucket": self._bucket, "Key": self._prefix + key}
        try:
            if size <= _AT_ONCE:
                self._client.put_object(**where, Body=incoming)
            else:
                # In parts, and broken off whole if one of them fails.
                with TransferManager(self._client) as transfer:
                    transfer.upload(incoming, where["Bucket"], where["Key"]).result()
        except (BotoCoreError, ClientError, OSError) as error:
            raise _problem("written", key, error) from None

    def get(self, key: str) -> Iterator[bytes]:
        """An object in pieces."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            with closing(found["Body"]) as body:
                yield from body.iter_chunks(PIECE)
        except (BotoCoreError, ClientError, OSError) as error:
            raise _problem("read", key, error) from None

    def drop(self, key: str) -> None:
        """Delete an object."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)
        except (BotoCoreError, ClientError, OSError) as error:
            raise _problem("deleted", key, error) from None

    def all(self) -> Iterator[KeptObject]:
        """Every object below the prefix; it needs the right to list the bucket."""
        pages = self._client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for one in page.get("Contents", ()):
                    yield KeptObject(one["Key"].removeprefix(self._prefix), int(one["Size"]))
        except (BotoCoreError, ClientError, OSError) as error:
            raise _problem("listed", self._prefix, error) from None

    def emptied(self) -> None:
        """A bucket has no folders."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _problem(done: str, key: str, error: Exception) -> SourceProblem:
    code = type(error).__name__
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
    return refused_by_bucket(done, key, code)
