"""Azure's and Google's stores in a cell: loaded and walked, with what ends meanwhile, and with lines that break."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import polars as pl
import pytest

from allotment.client import AllotmentClient
from allotment.data.kinds import lasting
from allotment.model.refusals import Refusal
from allotment.model.sources import Audience
from allotment.notebook.reading import load_dataset
from allotment.notebook.sessions import Session
from allotment.notebook.source_paths import OpenedStore, SourcePath
from faulty_connections import Line

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

VISION = Audience(groups=("vision",))
SHORT = timedelta(seconds=2)
ENDPOINTS = ("endpoint", "token_endpoint", "iam_endpoint")


def parquet(first: int) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"n": range(first, first + 1_000)}).write_parquet(file)
    return file.getvalue()


FILES = {f"team/sales/{n}.parquet": parquet(n * 1_000) for n in range(3)}
FILES |= {"team/notes.txt": b"notes", "wages.txt": b"not theirs"}


@dataclass
class Lake:
    """A source of vision in a real store, reached over a line; ``pass_time`` lets what was lent end."""

    line: Line
    custodian: AllotmentClient
    session: Session
    pass_time: Callable[[], object]
    read: list[bytes] = field(default_factory=list)

    def load(self) -> pl.DataFrame:
        frame: pl.DataFrame = load_dataset(
            self.session,
            "sales",
            version=None,
            columns=None,
            where=None,
            limit=None,
            as_="polars",
        )
        return frame

    def when_a_file_is_read(self, do: Callable[[], object]) -> None:
        """Do something once, as soon as the first file of the dataset is asked for."""
        left = [do]

        def asked(said: bytes) -> None:
            if said.startswith(b"GET ") and b".parquet" in said.partition(b"\r\n")[0] and left:
                left.pop()()

        self.line.asking = asked


@pytest.fixture
def azure(azure_store: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A minute takes two seconds, for Azurite has no clock of its own that could be moved."""
    monkeypatch.setitem(lasting._TIMES, lasting.MINUTE, SHORT)
    place = azure_store.container(FILES)

    def pass_time() -> None:
        time.sleep(SHORT.total_seconds() + 0.5)  # how slow the store is

    form = {**azure_store.fields(place, "team"), **azure_store.secrets}
    return "azure", form, place, pass_time


@pytest.fixture
def gcs(gcs_store: Any) -> Iterator[Any]:
    """The store's clock is put forward."""
    place = gcs_store.bucket(FILES)

    def pass_time() -> None:
        gcs_store.slow -= timedelta(minutes=2)

    form = {**gcs_store.fields(place, "team"), **gcs_store.secrets}
    yield "gcs", form, place, pass_time
    gcs_store.slow = timedelta(0)


@pytest.fixture(params=["azure", "gcs"])
def lake(request: pytest.FixtureRequest, data_api: Any) -> Iterator[Lake]:
    kind, form, place, pass_time = request.getfixturevalue(request.param)
    port = urlsplit(form["endpoint"]).port
    with Line(port).running() as line:
        for name in set(ENDPOINTS) & set(form):
            form[name] = form[name].replace(f":{port}", f":{line.port}")
        carl = data_api.client("carl+")
        carl.sources.create("lake", kind, form, audience=VISION, group="vision")
        scheme = {"azure": "azure", "gcs": "gs"}[kind]
        carl.datasets.create("sales", [f"{scheme}://{place}/team/sales/"], audience=VISION)
        session = Session(data_api.client("bobs-server"))
        yield Lake(line, carl, session, pass_time)


@pytest.mark.promise("SET-2", "DATA-6")
def test_a_dataset_is_loaded_and_its_store_is_walked(lake: Lake) -> None:
    top = SourcePath(OpenedStore("lake", lake.session.lender))

    assert lake.load()["n"].to_list() == list(range(3_000))
    assert [place.name for place in top.iterdir()] == ["notes.txt", "sales"]
    assert (top / "notes.txt").read_bytes() == b"notes"


@pytest.mark.promise("DATA-5", "DATA-6")
def test_a_load_outlives_what_it_was_lent(lake: Lake) -> None:
    lake.when_a_file_is_read(lake.pass_time)

    assert lake.load()["n"].to_list() == list(range(3_000))


@pytest.mark.promise("DATA-7")
def test_a_load_whose_source_is_revoked_meanwhile_ends_with_words_that_say_so(lake: Lake) -> None:
    def revoke() -> None:
        lake.custodian.sources.revoke("lake")
        lake.pass_time()

    lake.when_a_file_is_read(revoke)

    with pytest.raises(Refusal, match=r"'lake' is disabled\. It was revoked on"):
        lake.load()


@pytest.mark.promise("DATA-6")
def test_a_line_that_breaks_in_mid_file_loses_nothing_of_it(lake: Lake) -> None:
    lake.custodian.sources.edit("lake", revision="any", fields={"lasts": "hour"})
    lake.when_a_file_is_read(lambda: lake.line.tear(after=500))

    assert lake.load()["n"].to_list() == list(range(3_000))
    assert lake.line.torn
