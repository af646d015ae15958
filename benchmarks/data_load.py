"""``allotment.load`` and ``allotment.sql`` beside the bare libraries, on the same file and the same query.

Parquet of about 187 MB from the disk and from S3 (SeaweedFS), a million rows from PostgreSQL and
MariaDB. Each round runs all candidates in an order of its own, so that what else the machine does, and
what memory the one before left, hits all; medians count. What is lent is held already, as it is in a notebook after the first line; the first
line is a figure of its own.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, permutations
from pathlib import Path
from statistics import median
from typing import Any

import connectorx
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from adbc_driver_postgresql import dbapi
from pyarrow import fs

import allotment
from allotment import notebook
from allotment.model.datasets import FileFormat
from allotment.model.documents import (
    DatasetAccess,
    DatasetFile,
    DatasetStorage,
    Source,
    SourceCredential,
)
from allotment.model.sources import SourceKind
from database_servers import DatabaseServer, mariadb, postgresql
from object_stores import S3Store, seaweedfs
from table import Row, main

AIM = 1.05
"""Times the fastest bare library, at most."""
ROWS, FEW = 5_200_000, 200_000
QUERY_ROWS, FEW_QUERY_ROWS = 1_000_000, 50_000
ROUNDS = 24
ON_POSTGRESQL = (
    "CREATE TABLE sales AS SELECT n::int AS id, n * 1.5::float8 AS amount, 'north ' || n %% 100 AS region, "
    "now() AS at FROM generate_series(1, %d) AS n"
)
ON_MARIADB = (
    "CREATE TABLE sales AS SELECT seq AS id, seq * 1.5e0 AS amount, concat('north ', seq %% 100) AS region, "
    "now() AS at FROM seq_1_to_%d"
)

Candidates = Mapping[str, Callable[[], object]]


@dataclass
class Lender:
    """What the control plane would answer, without asking it: the benchmark is of loading."""

    kinds: dict[str, tuple[SourceKind, dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def sources(self) -> Lender:
        """``client.sources``."""
        return self

    @property
    def datasets(self) -> Lender:
        """``client.datasets``."""
        return self

    def get(self, name: str) -> Source:
        """It may still be used."""
        kind, _fields = self.kinds[name]
        return Source(
            name=name,
            kind=kind,
            kind_title=kind.value,
            enabled=True,
            proven=True,
            manages=False,
            usable=True,
            revision=1,
        )

    def credentials(self, name: str) -> SourceCredential:
        """What it is read with."""
        kind, fields = self.kinds[name]
        now = datetime.now(UTC)
        return SourceCredential(
            source=name, kind=kind, fields=fields, expires_at=now + timedelta(hours=1), now=now
        )

    def access(self, name: str, version: object = None, *, files: bool = True) -> DatasetAccess:
        """How it is opened."""
        del version, files
        kind, fields = self.kinds[name]
        uri, size = self.files[name]
        now = datetime.now(UTC)
        return DatasetAccess(
            dataset=name,
            format=FileFormat.PARQUET,
            files=(DatasetFile(path=uri, uri=uri, size=size),),
            storage=DatasetStorage(
                kind=kind, fields=fields, expires_at=now + timedelta(hours=1), now=now
            ),
        )


def measure(quick: bool) -> list[Row]:
    """All of it."""
    lender = Lender()
    notebook.use(lender)  # type: ignore[arg-type]  # answers the three questions that are asked here
    rounds = 2 if quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="load") as text:
        folder = Path(text)
        file = folder / "sales.parquet"
        write(file, FEW if quick else ROWS)
        rows = [*from_disk(lender, file, rounds), *from_s3(lender, folder, file, rounds)]
        number = FEW_QUERY_ROWS if quick else QUERY_ROWS
        rows += from_postgresql(lender, folder, number, rounds)
        rows += from_mariadb(lender, folder, number, rounds)
    return rows


def write(file: Path, rows: int) -> None:
    """A table of sales, of 187 MB for 5.2 M rows."""
    chance = np.random.default_rng(1)
    table = pa.table(
        {
            "id": np.arange(rows),
            "amount": chance.random(rows) * 1000,
            "price": chance.random(rows),
            "pieces": chance.integers(0, 100, rows).astype("int32"),
            "region": np.array(["north", "south", "east", "west"])[chance.integers(0, 4, rows)],
            "at": np.datetime64("2026-01-01", "us")
            + chance.integers(0, 10**9, rows).astype("timedelta64[us]"),
            "customer": [f"c{number}" for number in chance.integers(0, 1_000_000, rows)],
        }
    )
    pq.write_table(table, file, row_group_size=500_000)


def from_disk(lender: Lender, file: Path, rounds: int) -> list[Row]:
    """A file on this machine."""
    lender.kinds["disk"] = (SourceKind.FOLDER, {"path": str(file.parent)})
    lender.files["disk"] = (str(file), file.stat().st_size)
    what = f"Parquet, {file.stat().st_size / 1e6:.0f} MB on disk"
    first = timed(lambda: allotment.load("disk", limit=1))
    bare: dict[str, Callable[[], object]] = {
        "polars": lambda: pl.read_parquet(file),
        "pyarrow": lambda: pq.read_table(file),
        "DuckDB": lambda: duckdb.read_parquet(str(file)).to_arrow_table(),
    }
    rows = [Row("first line: libraries loaded, asked, one row", str(first))]
    rows.append(compared(what, lambda: allotment.load("disk"), bare, rounds))
    bare["polars"] = lambda: pl.read_parquet(file).to_arrow()
    arrow = compared(f"{what}, as Arrow", lambda: allotment.load("disk", as_="arrow"), bare, rounds)
    return [*rows, arrow]


def from_s3(lender: Lender, folder: Path, file: Path, rounds: int) -> list[Row]:
    """The same file in a bucket."""
    place = folder / "s3"
    place.mkdir()
    with seaweedfs(place) as store:
        bucket = store.bucket()
        store.client().upload_file(str(file), bucket, "sales.parquet")
        lender.kinds["lake"] = (SourceKind.S3, s3_fields(store, bucket))
        lender.files["lake"] = (f"s3://{bucket}/sales.parquet", file.stat().st_size)
        what = f"Parquet, {file.stat().st_size / 1e6:.0f} MB on S3"
        bare = bare_s3(store, f"{bucket}/sales.parquet")
        return [compared(what, lambda: allotment.load("lake"), bare, rounds)]


def s3_fields(store: S3Store, bucket: str) -> dict[str, Any]:
    """What a server is lent of it."""
    return {
        "bucket": bucket,
        "prefix": "",
        "endpoint": store.endpoint,
        "region": store.region,
        "access_key_id": store.access_key_id,
        "secret_access_key": store.secret_access_key,
        "session_token": "",
        "path_style": True,
    }


def bare_s3(store: S3Store, key: str) -> Candidates:
    """Libraries that read S3 themselves; DuckDB's wheel does not."""
    options = {
        "aws_endpoint_url": store.endpoint,
        "aws_region": store.region,
        "aws_allow_http": "true",
        "aws_virtual_hosted_style_request": "false",
        "aws_access_key_id": store.access_key_id,
        "aws_secret_access_key": store.secret_access_key,
    }
    files = fs.S3FileSystem(
        access_key=store.access_key_id,
        secret_key=store.secret_access_key,
        endpoint_override=store.endpoint,
        region=store.region,
    )
    return {
        "polars": lambda: pl.read_parquet(f"s3://{key}", storage_options=options),
        "pyarrow": lambda: pq.read_table(key, filesystem=files),
    }


@contextmanager
def filled(server: DatabaseServer, *statements: str) -> Iterator[DatabaseServer]:
    """A database of its own with a table of sales."""
    database = server.new_database()
    database.run(*statements)
    yield database


def from_postgresql(lender: Lender, folder: Path, number: int, rounds: int) -> list[Row]:
    """A million rows from PostgreSQL."""
    statement = ON_POSTGRESQL % number
    place = folder / "pg"
    place.mkdir()
    with postgresql(place) as server, filled(server, statement) as database:
        lender.kinds["warehouse"] = (SourceKind.POSTGRESQL, fields_of(database))
        address = f"postgresql://{database.user}:{database.password}@{database.host}:{database.port}/{database.database}"

        def adbc() -> object:
            with dbapi.connect(address) as connection, connection.cursor() as cursor:
                cursor.execute(QUERY)
                return cursor.fetch_arrow_table()

        bare: Candidates = {
            "ADBC": adbc,
            "connectorx": lambda: connectorx.read_sql(address, QUERY, return_type="arrow"),
        }
        what = f"PostgreSQL, {number:,} rows, as Arrow"
        ours = lambda: allotment.sql("warehouse", QUERY, as_="arrow")  # noqa: E731 - one of the candidates
        return [compared(what, ours, bare, rounds)]


def from_mariadb(lender: Lender, folder: Path, number: int, rounds: int) -> list[Row]:
    """A million rows from MariaDB."""
    statement = ON_MARIADB % number
    place = folder / "my"
    place.mkdir()
    with mariadb(place) as server, filled(server, statement) as database:
        lender.kinds["shop"] = (SourceKind.MARIADB, fields_of(database))
        address = f"mysql://{database.user}:{database.password}@{database.host}:{database.port}/{database.database}"
        bare: Candidates = {
            "connectorx": lambda: connectorx.read_sql(address, QUERY, return_type="arrow"),
        }
        what = f"MariaDB, {number:,} rows, as Arrow"
        return [compared(what, lambda: allotment.sql("shop", QUERY, as_="arrow"), bare, rounds)]


QUERY = "select * from sales"


def fields_of(database: DatabaseServer) -> dict[str, Any]:
    """What a server is lent of it."""
    return {
        "host": database.host,
        "port": database.port,
        "database": database.database,
        "user": database.user,
        "password": database.password,
        "tls": "off",
    }


def compared(what: str, ours: Callable[[], object], bare: Candidates, rounds: int) -> Row:
    """Ours and the bare libraries in turn; the median of each, and how long the processor worked for it."""
    candidates = {"ours": ours, **bare}
    taken: dict[str, list[Taken]] = {name: [] for name in candidates}
    # Who follows a library of the same kind finds its memory warm: in all orders, each follows each as often.
    for call in candidates.values():
        timed(call)  # warms caches
    for order in islice(cycle(permutations(candidates)), rounds):
        for name in order:
            taken[name].append(timed(candidates[name]))
    middle = {
        name: Taken(median(one.wall for one in all_of), median(one.processor for one in all_of))
        for name, all_of in taken.items()
    }
    mine = middle.pop("ours")
    fastest = min(one.wall for one in middle.values())
    words = [f"{name} {one}" for name, one in sorted(middle.items(), key=lambda item: item[1].wall)]
    ratio = mine.wall / fastest
    aim = f"≤ {AIM:.2f} of the fastest"
    return Row(what, str(mine), ", ".join(words), f"{ratio:.2f}", aim, ratio <= AIM)


@dataclass(frozen=True)
class Taken:
    """Seconds of a clock on the wall, and of processors working for this process."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.processor:.2f})"


def timed(call: Callable[[], object]) -> Taken:
    """What a call takes. What it returns is given back before the next."""
    gc.collect()
    began, worked = time.perf_counter(), time.process_time()
    returned = call()
    took = Taken(time.perf_counter() - began, time.process_time() - worked)
    del returned
    return took


if __name__ == "__main__":
    main("Loading data: seconds (of processors in brackets)", measure)
