"""Datasets in object stores, read with exactly what a server would be lent."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from allotment.data.datasets.footers_cache import FootersCache
from allotment.data.datasets.listing import list_files
from allotment.data.datasets.reading import read_dataset
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import FileUnreadable, Store
from allotment.data.datasets.uris import parse
from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.datasets import FileFormat
from allotment.model.sources import Credential, SourceKind
from object_stores import AzureStore, S3Store

NOW = datetime.now(UTC)


def table(rows: int) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table({"n": list(range(rows)), "t": ["x"] * rows}), out)
    return out.getvalue()


FILES: Mapping[str, bytes] = {
    "sales/2026/1.parquet": table(3),
    "sales/2026/2.parquet": table(4),
    "sales/_SUCCESS": b"",
    "sales/prices.csv": b"item;price\npear;1,5\n",
    "sales/empty.csv": b"",
    "wages/1.parquet": table(5),
}


class Lake:
    """A bucket or container with some files, and the source that opens its sales."""

    def __init__(self, kind: SourceKind, scheme: str, place: str, source: Opened) -> None:
        self.kind, self.scheme, self.place, self.source = kind, scheme, place, source

    def uri(self, path: str) -> str:
        return f"{self.scheme}://{self.place}/{path}"

    def lent(self, door: Door) -> Credential:
        until = datetime.now(UTC) + timedelta(minutes=30)
        borrower = Borrower("ada", "lab", "a1", until, "allotment_0")
        return KINDS[self.kind].issue(self.source, borrower, door, datetime.now(UTC))


def opened(kind: SourceKind, fields: Mapping[str, Any], secrets: Mapping[str, str]) -> Opened:
    form = fill(KINDS[kind].fields, {**fields, **secrets})
    return Opened("lake", form.fields, {k: v for k, v in form.secrets.items() if v})


def s3_lake(store: S3Store) -> Lake:
    bucket = store.bucket(FILES)
    source = opened(SourceKind.S3, store.fields(bucket, "sales"), store.secrets)
    return Lake(SourceKind.S3, "s3", bucket, source)


def azure_lake(store: AzureStore) -> Lake:
    container = store.container(FILES)
    source = opened(SourceKind.AZURE, store.fields(container, "sales"), store.secrets)
    return Lake(SourceKind.AZURE, "azure", container, source)


def gcs_lake(store: Any) -> Lake:
    bucket = store.bucket(FILES)
    source = opened(SourceKind.GCS, store.fields(bucket, "sales"), store.secrets)
    return Lake(SourceKind.GCS, "gs", bucket, source)


MAKERS: Mapping[str, Callable[[Any], Lake]] = {
    "s3_store": s3_lake,
    "azure_store": azure_lake,
    "gcs_store": gcs_lake,
}


@pytest.fixture(scope="module", params=MAKERS)
def lake(request: pytest.FixtureRequest) -> Lake:
    return MAKERS[request.param](request.getfixturevalue(request.param))


@pytest.fixture
def store(lake: Lake, loopback: Door) -> Iterator[Store]:
    with closing(open_store(lake.kind, lake.lent(loopback), loopback)) as found:
        yield found


@pytest.fixture
def cache(tmp_path: Path) -> FootersCache:
    return FootersCache(tmp_path / "footers.sqlite")


@pytest.mark.promise("SET-1", "SET-3")
def test_a_dataset_in_a_store_is_known_by_its_footers(
    lake: Lake, store: Store, cache: FootersCache
) -> None:
    format_, reading = read_dataset([lake.uri("sales/2026/")], None, {}, store, cache, NOW)

    assert format_ is FileFormat.PARQUET
    assert {one.name: one.type for one in reading.columns} == {"n": "int64", "t": "string"}
    assert (reading.rows, reading.rows_exact, reading.files) == (7, True, 2)
    assert reading.problems == ()


@pytest.mark.promise("SET-1")
def test_a_csv_in_a_store_is_found_out(lake: Lake, store: Store, cache: FootersCache) -> None:
    format_, reading = read_dataset([lake.uri("sales/prices.csv")], None, {}, store, cache, NOW)

    assert format_ is FileFormat.CSV
    assert {one.name: one.type for one in reading.columns} == {"item": "string", "price": "double"}


@pytest.mark.promise("SET-1")
def test_what_is_missing_or_empty_in_a_store_is_named(
    lake: Lake, store: Store, cache: FootersCache
) -> None:
    names = ["sales/empty.csv", "sales/none.csv", "sales/none/", "sales/*.json"]

    _, reading = read_dataset(
        [lake.uri(one) for one in names], FileFormat.CSV, {}, store, cache, NOW
    )

    found = {one.uri.removeprefix(lake.uri("")): one.problem for one in reading.problems}
    assert found == {
        "sales/empty.csv": "is empty",
        "sales/none.csv": "is not there",
        "sales/none/": "holds no file",
        "sales/*.json": "matches no file",
    }


@pytest.mark.promise("SET-1", "DATA-2")
def test_nothing_beyond_what_was_lent_is_read(lake: Lake, store: Store) -> None:
    within = next(store.list(list_uri(lake, "sales/2026/1.parquet")))
    beyond = replace(within, uri=replace(within.uri, path="wages/1.parquet"))

    with pytest.raises((FileUnreadable, SourceProblem)):
        store.read(beyond, 0, 4)


@pytest.mark.promise("SET-1")
def test_a_bucket_that_is_not_there_is_said_so(lake: Lake, store: Store) -> None:
    wrong = lake.uri("sales/").replace(lake.place, f"{lake.place}-gone")

    with pytest.raises(SourceProblem):
        list_files([wrong], store)


# Google's emulator answers whatever generation is asked for.
@pytest.mark.parametrize("lake", ["s3_store", "azure_store"], indirect=True)
def test_a_file_that_was_exchanged_is_not_taken_for_the_one_listed(
    lake: Lake, store: Store
) -> None:
    listed = next(store.list(list_uri(lake, "sales/2026/1.parquet")))
    etag = "1" if listed.etag.isdigit() else '"0123456789abcdef0123456789abcdef"'
    exchanged = replace(listed, etag=etag)

    with pytest.raises(FileUnreadable, match="changed"):
        store.read(exchanged, 0, 4)


def test_a_whole_file_is_read_as_it_is(lake: Lake, store: Store) -> None:
    for path in ("sales/2026/1.parquet", "sales/empty.csv"):
        with store.open(next(store.list(list_uri(lake, path)))) as file:
            assert file.read(1 << 20) == FILES[path]
            assert file.read(1 << 20) == b""


def list_uri(lake: Lake, path: str) -> Any:
    return parse(lake.uri(path))
