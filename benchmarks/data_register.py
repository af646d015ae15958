"""Registering a dataset of 1,000 Parquet objects in S3: footers and listings, never downloads.

SeaweedFS on this machine stands in for the store; the bytes are those that its answers had. *Beside* is
pyarrow's own dataset, which opens one file's footer and counts rows by opening all. A hundred thousand
objects are served from memory, since it is the platform's part that is measured.
"""

from __future__ import annotations

import io
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import dataset as arrow_dataset
from pyarrow import fs as arrow_fs
from pyarrow import parquet

from allotment.data.datasets.footers_cache import FootersCache
from allotment.data.datasets.listing import MOST_FILES
from allotment.data.datasets.reading import read_dataset
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import Store
from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.datasets import DatasetReading
from allotment.model.sources import Credential, SourceKind
from many_objects import BUCKET, many_objects
from object_stores import S3Store, seaweedfs
from table import Row, main

COLUMNS, ROWS = 20, 12_500
"""Of one object: about 2 MB."""
MOST_SECONDS, MOST_BYTES, MOST_AGAIN = 6.0, 20_000_000, 1.0
WARM = 2
"""Runs that are thrown away, and their cache with them."""


def an_object() -> bytes:
    """One Parquet file of random numbers, which do not compress."""
    random = np.random.default_rng(7)
    columns = {f"column_{n}": random.random(ROWS) for n in range(COLUMNS)}
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


@contextmanager
def counted() -> Iterator[Callable[[], int]]:
    """Bytes that sockets of this process have received."""
    received = 0
    plain = socket.SocketIO.readinto

    def counting(self: socket.SocketIO, buffer: Any) -> int | None:
        nonlocal received
        count = plain(self, buffer)
        received += count or 0
        return count

    socket.SocketIO.readinto = counting  # type: ignore[method-assign] # counts, and does the same
    try:
        yield lambda: received
    finally:
        socket.SocketIO.readinto = plain  # type: ignore[method-assign] # as it was


class Registration:
    """A bucket with objects, and what registers them."""

    def __init__(self, store: S3Store, objects: int, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.bucket = store.bucket()
        self.client = store.client()
        content = an_object()
        self.size = objects * len(content)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: self.put(n, content), range(objects)))
        self.door = Door(networks=(ip_network("127.0.0.0/8"),))

    def put(self, number: int, content: bytes) -> None:
        """Put one object."""
        key = f"sales/{number:05}.parquet"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def lent(self) -> Credential:
        """What a server would be lent."""
        kind = KINDS[SourceKind.S3]
        form = fill(kind.fields, self.store.fields(self.bucket, "sales") | self.store.secrets)
        source = Opened("lake", form.fields, {k: v for k, v in form.secrets.items() if v})
        now = datetime.now(UTC)
        borrower = Borrower("ada", "lab", "a1", now + timedelta(minutes=30), "allotment_0")
        return kind.issue(source, borrower, self.door, now)

    def register(self, cache: FootersCache) -> tuple[float, DatasetReading]:
        """Seconds from being asked, credentials included."""
        begin = time.perf_counter()
        with closing(open_store(SourceKind.S3, self.lent(), self.door)) as opened:
            _, reading = read_dataset(
                [f"s3://{self.bucket}/sales/"], None, {}, opened, cache, datetime.now(UTC)
            )
        return time.perf_counter() - begin, reading

    def arrow(self) -> float:
        """Seconds of pyarrow's own way to the same facts."""
        begin = time.perf_counter()
        filesystem = arrow_fs.S3FileSystem(
            access_key=self.store.access_key_id,
            secret_key=self.store.secret_access_key,
            endpoint_override=self.store.endpoint,
            scheme="http",
            region=self.store.region,
        )
        found = arrow_dataset.dataset(f"{self.bucket}/sales", filesystem=filesystem)
        found.count_rows()
        return time.perf_counter() - begin


def measure(quick: bool) -> list[Row]:
    """Register a thousand, and again after one has changed; and as many as a dataset may have."""
    return [*a_thousand(quick), *the_most(quick)]


def the_most(quick: bool) -> list[Row]:
    """As many small objects as a dataset may have, of a store that costs next to nothing.

    What does not end within the time for it is refused, and asked for again until it is registered.
    """
    objects = 3_000 if quick else MOST_FILES
    door = Door(networks=(ip_network("127.0.0.0/8"),))
    with tempfile.TemporaryDirectory() as folder, many_objects(objects, a_row()) as store:
        cache = FootersCache(Path(folder) / "footers.sqlite")
        with closing(open_store(SourceKind.S3, Credential(store.fields), door)) as opened:
            times = list(until_registered(opened, cache, objects))
            again = next(until_registered(opened, cache, objects))
    answers = f"{len(times)} answers, the longest {max(times):.0f} s"
    return [
        Row(f"{objects:,} small objects: registered", f"{sum(times):.0f} s", answers),
        Row("again, nothing has changed", f"{again:.1f} s"),
    ]


def until_registered(store: Store, cache: FootersCache, objects: int) -> Iterator[float]:
    """Seconds of each answer, the last of which is the reading."""
    while True:
        begin = time.perf_counter()
        try:
            _, reading = read_dataset(
                [f"s3://{BUCKET}/"], None, {}, store, cache, datetime.now(UTC)
            )
        except SourceProblem:
            yield time.perf_counter() - begin
            continue
        yield time.perf_counter() - begin
        assert (reading.files, reading.problems) == (objects, ())
        return


def a_row() -> bytes:
    """The smallest Parquet file that says something."""
    out = io.BytesIO()
    parquet.write_table(pa.table({"n": [1]}), out)
    return out.getvalue()


def a_thousand(quick: bool) -> list[Row]:
    """Objects of 2 MB in SeaweedFS, and one of them changed."""
    objects = 100 if quick else 1_000
    with tempfile.TemporaryDirectory() as folder, seaweedfs(Path(folder)) as store:
        one = Registration(store, objects, Path(folder))
        for run in range(WARM):
            one.register(FootersCache(Path(folder) / f"warm-{run}"))
        cache = FootersCache(Path(folder) / "footers.sqlite")
        with counted() as received:
            first, reading = one.register(cache)
            moved = received()
        assert reading.rows == objects * ROWS
        assert not reading.problems
        one.put(objects // 2, an_object())
        again, reading = one.register(cache)
        assert reading.rows == objects * ROWS
        arrow = one.arrow()
    judged = None if quick else True
    return [
        Row(
            f"{objects:,} Parquet objects, {one.size / 1e9:.1f} GB: registered",
            f"{first:.2f} s",
            f"pyarrow dataset, rows counted: {arrow:.2f} s",
            f"{first / arrow:.2f}",
            f"under {MOST_SECONDS:.0f} s",
            judged and first < MOST_SECONDS,
        ),
        Row(
            "bytes moved for it",
            f"{moved / 1e6:.1f} MB",
            aim=f"under {MOST_BYTES / 1e6:.0f} MB",
            met=judged and moved < MOST_BYTES,
        ),
        Row(
            "again after one object has changed",
            f"{again:.2f} s",
            aim=f"under {MOST_AGAIN:.0f} s",
            met=judged and again < MOST_AGAIN,
        ),
    ]


if __name__ == "__main__":
    main("Registering datasets", measure)
