"""Reading a dataset ends: after so many names and so long, and what was read until then is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from allotment.data.datasets.facts import FileFacts
from allotment.data.datasets.footers_cache import FootersCache
from allotment.data.datasets.listing import list_files
from allotment.data.datasets.patience import Patience
from allotment.data.datasets.reading import read_dataset
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import Store
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.known import Known
from allotment.model.datasets import DatasetReading

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FILES = 40


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "deep" / "er").mkdir(parents=True)
    for number in range(FILES):
        table = pa.table({"n": [number]})
        parquet.write_table(table, folder / "deep" / "er" / f"{number:02}.parquet")
    return folder


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = open_store(None, None, Door(roots=(data,)))
    yield opened
    opened.close()


@pytest.fixture
def cache(tmp_path: Path) -> FootersCache:
    return FootersCache(tmp_path / "footers.sqlite")


class Clock:
    """Goes on by a second with each file that is read."""

    def __init__(self, store: Store) -> None:
        self.now = 0.0
        self.read: list[str] = []
        read = store.read

        def counting(file: object, start: int, length: int) -> bytes:
            self.now += 1
            self.read.append(str(file.uri))  # type: ignore[attr-defined]  # a stored file
            return read(file, start, length)  # type: ignore[arg-type]  # likewise

        store.read = counting  # type: ignore[method-assign]  # counts, and does the same

    def __call__(self) -> float:
        return self.now


def read(
    data: Path, store: Store, cache: FootersCache, patience: Patience | None = None
) -> DatasetReading:
    return read_dataset([f"{data}/"], None, {}, store, cache, NOW, patience)[1]


@pytest.mark.promise("SET-1", "SET-3")
def test_no_more_names_are_walked_past_than_anybody_waits_for(data: Path, store: Store) -> None:
    listed = list_files([f"{data}/"], store, Patience(names=FILES + 2))
    assert len(listed.files) == FILES

    for uri in (f"{data}/", f"{data}/**/none-*.parquet"):
        with pytest.raises(SourceProblem, match=f"more than {FILES + 1} names"):
            list_files([uri], store, Patience(names=FILES + 1))


@pytest.mark.promise("SET-1")
def test_a_listing_ends_with_the_time_for_it(data: Path, store: Store) -> None:
    times = iter(range(100))

    with pytest.raises(SourceProblem, match="could not be listed within 10 s: 10 names"):
        list_files([f"{data}/"], store, Patience(10, clock=lambda: float(next(times))))


@pytest.mark.promise("SET-3")
def test_a_reading_that_ran_out_of_time_goes_on_from_there_when_it_is_done_again(
    data: Path, store: Store, cache: FootersCache
) -> None:
    clock = Clock(store)

    with pytest.raises(SourceProblem, match=rf"of {FILES} files were read within 5 s") as problem:
        read(data, store, cache, Patience(5, clock=clock))
    first, clock.read = clock.read, []
    found = read(data, store, cache)

    assert "goes on from there" in problem.value.reasons[0].remedy
    assert 0 < len(first) < FILES
    assert sorted(first + clock.read) == sorted(set(first + clock.read))
    assert (found.rows, found.problems) == (FILES, ())


@pytest.mark.promise("SET-3")
def test_what_is_read_of_one_store_says_nothing_of_another_with_the_same_names(
    data: Path, store: Store, cache: FootersCache, tmp_path: Path
) -> None:
    here = list_files([f"{data}/"], store).files[0].stored
    there = replace(here, store="https://elsewhere.example.org")
    known = Known(tmp_path / "known.sqlite", "kept")

    cache.keep({here: FileFacts((), 1)}, "parquet")
    known.add([(here, "0" * 32)])

    assert list(cache.known([here, there], "parquet")) == [here]
    assert list(known.hashes([here, there])) == [here]


@pytest.mark.promise("SET-1")
def test_what_vanishes_or_has_no_readable_name_while_it_is_listed_is_said_in_words(
    data: Path, store: Store
) -> None:
    (data / "gone.parquet").symlink_to(data / "nowhere.parquet")
    with pytest.raises(SourceProblem, match=r"gone.parquet' cannot be listed: No such file"):
        list_files([f"{data}/"], store)
    (data / "gone.parquet").unlink()
    Path(str(data).encode().decode() + "/caf\udce9.parquet").touch()
    with pytest.raises(SourceProblem, match="its name is no UTF-8"):
        list_files([f"{data}/"], store)
