"""A load that takes longer than a credential lives goes on; one whose right ends meanwhile ends in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import duckdb
import polars as pl
import pyarrow.dataset as arrow_dataset
import pytest

from allotment.client import AllotmentClient, ControlPlaneAway
from allotment.data.kinds import lasting
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience
from allotment.notebook import text_files
from allotment.notebook.reading import load_dataset
from allotment.notebook.sessions import Session
from allotment.notebook.source_paths import OpenedStore, SourcePath
from ending_store import EndingStore
from hubs import until

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
ROWS = 40_000
LATIN = "stadt;n\n" + "".join(f"Köln;{n}\n" for n in range(ROWS))


def parquet(first: int) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"n": range(first, first + 10)}).write_parquet(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def bucket(s3_store: Any) -> str:
    files = {f"sales/{n}.parquet": parquet(n * 10) for n in range(4)}
    name: str = s3_store.bucket({**files, "cities/all.csv": LATIN.encode("cp1252")})
    return name


@pytest.fixture
def lake(data_api: Any, ending: EndingStore, bucket: str) -> AllotmentClient:
    """A source that keeps to ends, with two datasets, for vision; the custodian's client."""
    client: AllotmentClient = data_api.client("carl+")
    form = {**ending.store.fields(bucket), **ending.store.secrets}
    client.sources.create("lake", "s3", form, audience=VISION, group="vision")
    client.datasets.create("sales", [f"s3://{bucket}/sales/"], audience=VISION)
    client.datasets.create("cities", [f"s3://{bucket}/cities/all.csv"], audience=VISION)
    return client


def load(session: Session, name: str) -> pl.DataFrame:
    frame: pl.DataFrame = load_dataset(
        session, name, version=None, columns=None, where=None, limit=None, as_="polars"
    )
    return frame


@pytest.fixture
def short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute takes two seconds: polars looks at the machine's own clock."""
    monkeypatch.setitem(lasting._TIMES, lasting.MINUTE, timedelta(seconds=2))


def late(ending: EndingStore, do: Callable[[], object] = lambda: None) -> Callable[[str], object]:
    """Answer the first file that is read once what it is read with has ended, having done something."""
    first = iter([do])

    def read(_path: str) -> None:
        begin = next(first, None)
        if begin is not None:
            begin()
            given = set(ending.ends)
            until(lambda: all(map(ending.is_over, given)), "the end of what is held", 20)

    return read


@pytest.mark.promise("DATA-5", "DATA-6")
@pytest.mark.usefixtures("short_lives", "lake")
def test_a_load_outlives_its_credential_in_mid_scan(data_api: Any, ending: EndingStore) -> None:
    ending.reading = late(ending)

    found = load(Session(data_api.client("bobs-server")), "sales")

    assert sorted(found["n"]) == list(range(40))
    assert len({end for end in ending.assumed if end}) > 1


@pytest.mark.promise("DATA-7")
@pytest.mark.usefixtures("short_lives")
def test_a_load_whose_source_is_revoked_meanwhile_ends_with_words_that_say_so(
    data_api: Any, lake: AllotmentClient, ending: EndingStore
) -> None:
    ending.reading = late(ending, lambda: lake.sources.revoke("lake"))

    with pytest.raises(Refusal, match=r"'lake' is disabled\. It was revoked on"):
        load(Session(data_api.client("bobs-server")), "sales")


class Time:
    """Seconds of a session and of a store, moved together by each read."""

    def __init__(self, ending: EndingStore) -> None:
        self.ending, self.now = ending, 0.0

    def pass_by(self, _path: str) -> None:
        self.now += 30
        self.ending.ahead += timedelta(seconds=30)

    def __call__(self) -> float:
        return self.now


@pytest.mark.promise("DATA-5", "DATA-6")
@pytest.mark.usefixtures("lake")
def test_one_long_file_is_read_with_many_credentials(
    data_api: Any, ending: EndingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "_BLOCK", len(LATIN) // 8)
    clock = Time(ending)
    ending.reading = clock.pass_by

    found = load(Session(data_api.client("bobs-server"), clock=clock), "cities")

    assert found["n"].to_list() == list(range(ROWS))
    assert found["stadt"].unique().to_list() == ["Köln"]
    assert clock.now > 120


@pytest.mark.promise("DATA-6", "DATA-7")
def test_a_file_that_is_open_is_read_on_until_its_source_is_revoked(
    data_api: Any, lake: AllotmentClient, ending: EndingStore
) -> None:
    clock = Time(ending)
    session = Session(data_api.client("bobs-server"), clock=clock)
    place = SourcePath(OpenedStore("lake", session.lender), ("cities", "all.csv"))

    with place.open(block_size=1000) as file:
        read = [file.read(100)]
        for _ in range(4):
            clock.pass_by("")
            file.seek(100_000 * len(read))
            read.append(file.read(100))
        lake.sources.revoke("lake")
        clock.pass_by("")
        file.seek(0)
        with pytest.raises(Refusal, match="revoked"):
            file.read(100)

    text = LATIN.encode("cp1252")
    assert read == [text[n * 100_000 : n * 100_000 + 100] for n in range(5)]


@pytest.mark.promise("DATA-5", "SERVER-7")
def test_a_dataset_is_loaded_on_while_the_control_plane_is_away(
    data_api: Any, lake: AllotmentClient, ending: EndingStore
) -> None:
    lake.sources.edit("lake", revision="any", fields={"lasts": "hour"})
    clock = Time(ending)
    session = Session(data_api.client("bobs-server"), clock=clock)
    before = load(session, "sales")

    data_api.stop()
    for _ in range(100):
        clock.pass_by("")

    assert load(session, "sales").equals(before)
    for _ in range(21):
        clock.pass_by("")
    with pytest.raises(ControlPlaneAway):
        load(session, "sales")


@pytest.mark.promise("DATA-5", "DATA-6")
@pytest.mark.usefixtures("lake")
def test_libraries_that_take_a_filesystem_read_on_with_the_next_credential(
    data_api: Any, ending: EndingStore
) -> None:
    clock = Time(ending)
    session = Session(data_api.client("bobs-server"), clock=clock)
    sales = SourcePath(OpenedStore("lake", session.lender), ("sales",))
    found = arrow_dataset.dataset(sales.location, filesystem=sales.filesystem, format="parquet")
    for _ in range(4):
        clock.pass_by("")

    rows = sorted(found.to_table()["n"].to_pylist())
    duck = duckdb.connect()
    duck.register_filesystem(sales.filesystem)
    clock.pass_by("")
    [counted] = duck.sql(f"from 's3://{sales.location}/0.parquet' select count(*)").fetchall()

    assert rows == list(range(40))
    assert counted == (10,)
