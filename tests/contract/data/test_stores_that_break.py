"""Stores that break off in the middle of a file: what was read is right or refused, never short."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from allotment.data.datasets.stores import gcs, open_store
from allotment.data.datasets.stores.store import FileUnreadable, Store, StoredFile
from allotment.data.datasets.uris import parse
from allotment.data.door import Door
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower
from allotment.model.sources import SourceKind
from faulty_connections import Line
from source_forms import opened

CONTENT = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(8_000))
FIELDS: dict[str, tuple[SourceKind, str, Callable[[Any], str]]] = {
    "s3_store": (SourceKind.S3, "s3", lambda store: store.bucket({"a.bin": CONTENT})),
    "azure_store": (SourceKind.AZURE, "azure", lambda store: store.container({"a.bin": CONTENT})),
    "gcs_store": (SourceKind.GCS, "gs", lambda store: store.bucket({"a.bin": CONTENT})),
}
FAR = ("endpoint", "sts_endpoint", "token_endpoint", "iam_endpoint")


@pytest.fixture(params=FIELDS)
def torn(
    request: pytest.FixtureRequest, loopback: Door
) -> Iterator[tuple[Line, Store, StoredFile]]:
    """A line to a real store, the store read through it, and its one file."""
    kind, scheme, make = FIELDS[request.param]
    real: Any = request.getfixturevalue(request.param)
    place = make(real)
    fields = real.fields(place)
    port = urlsplit(str(fields["endpoint"])).port
    with Line(port or 0).running() as line:
        near = {
            name: str(fields[name]).replace(f":{port}", f":{line.port}")
            for name in FAR
            if name in fields
        }
        source = opened(kind, **{**fields, **near, **real.secrets})
        now = datetime.now(UTC)
        borrower = Borrower("ada", "lab", "a1", now + timedelta(hours=1), "allotment_0")
        lent = KINDS[kind].issue(source, borrower, loopback, now)
        with closing(open_store(kind, lent, loopback)) as store:
            (file,) = store.list(parse(f"{scheme}://{place}/a.bin"))
            yield line, store, file


@pytest.mark.promise("SET-1")
def test_a_store_that_breaks_off_once_is_read_whole_or_refused(
    torn: tuple[Line, Store, StoredFile],
) -> None:
    line, store, file = torn
    line.tear(after=100_000)

    found = None
    with suppress(FileUnreadable):
        found = store.read(file, 0, len(CONTENT))

    assert line.torn
    assert found in (None, CONTENT)


def whole(store: Store, file: StoredFile) -> bytes:
    with store.open(file) as content:
        return content.read()


def piece(store: Store, file: StoredFile) -> bytes:
    return store.read(file, 0, len(CONTENT))


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("read", [whole, piece])
def test_a_store_that_breaks_off_each_time_is_refused_in_words(
    torn: tuple[Line, Store, StoredFile],
    read: Callable[[Store, StoredFile], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gcs, "AGAIN_SECONDS", 0.3)
    line, store, file = torn
    line.tear(after=0, times=1_000)

    with pytest.raises(FileUnreadable) as raised:
        read(store, file)

    assert "broke off" in str(raised.value)
    assert raised.value.__cause__ is None
