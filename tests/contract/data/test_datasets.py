"""Registered files are read by their footers and first lines, and every problem is named."""

import gzip
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from allotment.data.datasets.footers_cache import FootersCache, way_of
from allotment.data.datasets.listing import list_files
from allotment.data.datasets.reading import read_dataset
from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import FileUnreadable, Store, StoredFile
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.model.datasets import DatasetReading, FileFormat

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SALES = pa.table({"item": ["pear", "plum"], "price": [1.5, 2.5], "sold": [3, 4]})


@pytest.fixture
def door(tmp_path: Path) -> Door:
    (tmp_path / "data").mkdir()
    return Door(roots=(tmp_path / "data",), networks=(ip_network("127.0.0.0/8"),))


@pytest.fixture
def data(door: Door) -> Path:
    return door.roots[0]


@pytest.fixture
def store(door: Door) -> Iterator[Store]:
    opened = open_store(None, None, door)
    yield opened
    opened.close()


@pytest.fixture
def cache(tmp_path: Path) -> FootersCache:
    return FootersCache(tmp_path / "cache" / "footers.sqlite")


class Reader:
    """Reads datasets of one test's folder."""

    def __init__(self, store: Store, cache: FootersCache, data: Path) -> None:
        self.store, self.cache, self.data = store, cache, data

    def read(
        self, *names: str, format_: FileFormat | None = None, **options: Any
    ) -> tuple[FileFormat, DatasetReading]:
        uris = [f"{self.data}/{name}" for name in names]
        return read_dataset(uris, format_, options, self.store, self.cache, NOW)

    def csv(self, contents: bytes | str, **options: Any) -> DatasetReading:
        raw = contents.encode() if isinstance(contents, str) else contents
        (self.data / "some.csv").write_bytes(raw)
        return self.read("some.csv", format_=FileFormat.CSV, **options)[1]

    def problems(self, *names: str, **options: Any) -> dict[str, str]:
        reading = self.read(*names, **options)[1]
        found = {Path(one.uri).name: one.problem for one in reading.problems}
        assert len(found) == len(reading.problems)
        return found


@pytest.fixture
def reader(store: Store, cache: FootersCache, data: Path) -> Reader:
    return Reader(store, cache, data)


def types(reading: DatasetReading) -> Mapping[str, str]:
    return {column.name: column.type for column in reading.columns}


@pytest.mark.promise("SET-1", "SET-3")
def test_a_parquet_dataset_is_known_by_its_footers(reader: Reader) -> None:
    (reader.data / "sales").mkdir()
    for month in range(3):
        parquet.write_table(SALES, reader.data / f"sales/{month}.parquet")

    format_, reading = reader.read("sales/")

    assert format_ is FileFormat.PARQUET
    assert types(reading) == {"item": "string", "price": "double", "sold": "int64"}
    assert (reading.rows, reading.rows_exact, reading.files) == (6, True, 3)
    assert reading.size == sum(one.stat().st_size for one in (reader.data / "sales").iterdir())
    assert reading.problems == ()
    assert reading.at == NOW


@pytest.mark.promise("SET-1")
def test_every_file_that_cannot_be_used_is_named_with_its_reason(reader: Reader) -> None:
    whole = reader.data / "a.parquet"
    parquet.write_table(SALES, whole)
    raw = whole.read_bytes()
    (reader.data / "b-cut.parquet").write_bytes(raw[:-20])
    (reader.data / "c-corrupt.parquet").write_bytes(raw[:-60] + b"\xff" * 52 + raw[-8:])
    (reader.data / "d-text.parquet").write_text("item,price\npear,1.5\n")
    (reader.data / "e-empty.parquet").write_bytes(b"")
    (reader.data / "f-long.parquet").write_bytes(raw[:-8] + b"\xff\xff\xff\x7fPAR1")
    (reader.data / "g-secret.parquet").write_bytes(raw[:-4] + b"PARE")
    (reader.data / "h.parquet.gz").write_bytes(gzip.compress(raw))
    other = SALES.set_column(2, "sold", pa.array(["3", "4"])).append_column("vat", pa.array([0, 0]))
    parquet.write_table(other, reader.data / "i-other.parquet")

    found = reader.problems("*", "missing.parquet", "none/", "none-*.parquet")

    assert "cut off" in found["b-cut.parquet"]
    assert "broken footer" in found["c-corrupt.parquet"]
    assert found["d-text.parquet"] == "is no Parquet file"
    assert found["e-empty.parquet"] == "is empty"
    assert "broken footer" in found["f-long.parquet"]
    assert "encrypted" in found["g-secret.parquet"]
    assert "gzip" in found["h.parquet.gz"]
    assert "has 'sold' as string, not int64" in found["i-other.parquet"]
    assert "a column more, 'vat'" in found["i-other.parquet"]
    assert found["missing.parquet"] == "is not there"
    assert found["none"] == "holds no file"
    assert found["none-*.parquet"] == "matches no file"
    assert "a.parquet" not in found


@pytest.mark.promise("SET-3")
def test_only_what_has_changed_is_read_again(reader: Reader, store: Store) -> None:
    for month in range(5):
        parquet.write_table(SALES, reader.data / f"{month}.parquet")
    reader.read("*.parquet")
    parquet.write_table(pa.concat_tables([SALES, SALES]), reader.data / "3.parquet")
    asked: list[str] = []
    read = store.read
    reader.store = store
    store.read = lambda file, *span: asked.append(file.uri.path) or read(file, *span)  # type: ignore[method-assign,func-returns-value]

    assert reader.read("*.parquet")[1].rows == 12

    assert asked == [f"{reader.data}/3.parquet"]


def test_a_thousand_problems_are_counted_and_a_hundred_told(reader: Reader) -> None:
    for number in range(150):
        (reader.data / f"{number}.parquet").write_text("no")

    problems = reader.read("*.parquet")[1].problems

    assert len(problems) == 101
    assert problems[-1].problem == "50 more files have problems"


@pytest.mark.parametrize("found", [b"no database at all, " * 500, b""])
def test_a_cache_that_is_broken_is_begun_anew(tmp_path: Path, reader: Reader, found: bytes) -> None:
    parquet.write_table(SALES, reader.data / "a.parquet")
    (tmp_path / "broken.sqlite").write_bytes(found)

    reader.cache = FootersCache(tmp_path / "broken.sqlite")

    assert reader.read("a.parquet")[1].rows == 2
    assert FootersCache(tmp_path / "broken.sqlite").known(
        [one.stored for one in list_files([f"{reader.data}/a.parquet"], reader.store).files],
        way_of("parquet", {}),
    )


def test_a_store_that_reads_nothing_is_not_asked_for_every_file(reader: Reader) -> None:
    for number in range(300):
        (reader.data / f"{number}.parquet").write_text("no")
    asked: list[str] = []

    def read(file: StoredFile, _start: int, _length: int) -> bytes:
        asked.append(file.uri.path)
        raise FileUnreadable("does not answer")

    reader.store.read = read  # type: ignore[method-assign] # a store that fails is hard to come by

    problems = reader.read("*.parquet")[1].problems

    assert len(asked) < 100
    assert problems[0].problem == "does not answer"
    assert "more files were not tried" in problems[-1].problem


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [("a,b\n1,2\n", ","), ("a;b\n1;2\n", ";"), ("a\tb\n1\t2\n", "\t"), ("a|b\n1|2\n", "|")],
)
@pytest.mark.promise("SET-1")
def test_the_delimiter_of_a_csv_is_found_out(reader: Reader, text: str, delimiter: str) -> None:
    reading = reader.csv(text)

    assert reading.options["delimiter"] == delimiter
    assert types(reading) == {"a": "int64", "b": "int64"}
    assert (reading.rows, reading.rows_exact) == (1, True)


def test_german_numbers_are_numbers(reader: Reader) -> None:
    reading = reader.csv("Größe;Preis\n1;2,50\n3;4,75\n".encode("cp1252"))

    assert types(reading) == {"Größe": "int64", "Preis": "double"}
    assert reading.options["encoding"] == "cp1252"
    assert reading.options["decimal"] == ","


def test_a_csv_without_a_header_has_numbered_columns(reader: Reader) -> None:
    reading = reader.csv("1,2\n3,4\n")

    assert reading.options["header"] is False
    assert types(reading) == {"f0": "int64", "f1": "int64"}
    assert reading.rows == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_mark_themselves_are_found_out(reader: Reader, encoding: str) -> None:
    reading = reader.csv("name,n\nZoë,1\n".encode(encoding))

    assert types(reading) == {"name": "string", "n": "int64"}
    assert reading.options["encoding"] == encoding


def test_what_a_person_says_of_a_csv_is_taken(reader: Reader) -> None:
    reading = reader.csv("made by hand\n1;2\n", skip_rows=1, header=False, delimiter=";")

    assert types(reading) == {"f0": "int64", "f1": "int64"}
    assert reading.options["skip_rows"] == 1


def test_rows_of_a_long_csv_are_estimated_and_marked(reader: Reader) -> None:
    rows = 100_000

    reading = reader.csv("n,text\n" + "".join(f"{n},'some text'\n" for n in range(rows)))

    assert reading.rows_exact is False
    assert reading.rows is not None
    assert abs(reading.rows - rows) < rows * 0.1


def test_a_quoted_cell_that_the_read_beginning_cuts_is_no_problem(reader: Reader) -> None:
    cell = '"' + "line\n" * 1_000 + '"'

    reading = reader.csv("n,text\n" + "".join(f"{n},{cell}\n" for n in range(200)))

    assert reading.problems == ()
    assert types(reading) == {"n": "int64", "text": "string"}


def test_a_compressed_csv_is_read(reader: Reader) -> None:
    reading = reader.csv(gzip.compress(b"a,b\n1,x\n"))

    assert types(reading) == {"a": "int64", "b": "string"}
    assert reading.options["compression"] == "gzip"


def test_files_of_one_csv_dataset_may_differ_in_what_their_cells_show(reader: Reader) -> None:
    (reader.data / "1.csv").write_text("n,m,t\n1,,x\n")
    (reader.data / "2.csv").write_text("n,m,t\n1.5,7,3\n")

    format_, reading = reader.read("*.csv")

    assert format_ is FileFormat.CSV
    assert types(reading) == {"n": "double", "m": "int64", "t": "string"}
    assert reading.problems == ()


def test_csv_files_of_other_columns_are_named(reader: Reader) -> None:
    (reader.data / "1.csv").write_text("a,b\n1,2\n")
    (reader.data / "2.csv").write_text("b,a\n1,2\n")
    (reader.data / "3.csv").write_text("a,c\n1,2\n")
    (reader.data / "4.csv").write_text("a;b\n1;2\n")

    found = reader.problems("*.csv")

    assert "another order" in found["2.csv"]
    assert "no column 'b'" in found["3.csv"]
    assert "delimiter ';', not ','" in found["4.csv"]


@pytest.mark.parametrize(
    ("contents", "options", "words"),
    [
        (b"", {}, "is empty"),
        (b"\x00\x01\x02binary", {}, "zero bytes"),
        ("a,b\n1,é\n".encode("latin-1"), {"encoding": "utf-8"}, "not written in utf-8: byte 6"),
        (b"a,b\n1,2\n3\n", {}, "has 1 cells in line 3, and 2 before"),
        (b"a,a\n1,2\n", {}, "two columns named 'a'"),
        (",".join(f"c{n}" for n in range(20_000)).encode() + b"\n", {}, "20,000 columns"),
        (",".join(f"c{n}" for n in range(1_000_000)).encode() + b"\n", {}, "first line is longer"),
        (b"\x1f\x8bno gzip at all", {}, "gzip"),
        (b"PAR1 and more", {}, "is a Parquet file"),
    ],
)
@pytest.mark.promise("SET-1")
def test_a_csv_that_cannot_be_used_says_why(
    reader: Reader, contents: bytes, options: dict[str, Any], words: str
) -> None:
    (problem,) = reader.csv(contents, **options).problems

    assert words in problem.problem


def test_an_option_that_there_is_not_is_refused_with_those_that_there_are(reader: Reader) -> None:
    with pytest.raises(SourceProblem, match="delimiter, encoding, header"):
        reader.csv("a,b\n", separator=";")
    with pytest.raises(SourceProblem, match="'delimiter' is one plain character"):
        reader.csv("a,b\n", delimiter="ab")


def test_a_small_file_that_unpacks_to_gigabytes_is_read_at_its_beginning_only(
    reader: Reader,
) -> None:
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000, compresslevel=1)

    reading = reader.csv(bomb)

    assert types(reading) == {"a": "int64", "b": "int64"}
    assert reading.rows_exact is False


@pytest.mark.parametrize(
    "uri",
    [
        "{data}/../secret.csv",
        "file://{data}/../secret.csv",
        "file://{data}/%2e%2e/secret.csv",
        "{outside}/secret.csv",
        "/proc/self/environ",
        "{data}/link.csv",
        "{data}/folder/",
        "ftp://example.org/a.csv",
        "secret.csv",
        "s3:///key",
        "s3://bucket/../other/key",
    ],
)
@pytest.mark.promise("SET-1")
def test_what_lies_outside_is_never_opened(
    reader: Reader, tmp_path: Path, uri: str, cache: FootersCache
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("a,b\n1,2\n")
    (reader.data / "link.csv").symlink_to(outside / "secret.csv")
    (reader.data / "folder").mkdir()
    (reader.data / "folder" / "link.csv").symlink_to(outside / "secret.csv")

    with pytest.raises(SourceProblem):
        read_dataset(
            [uri.format(data=reader.data, outside=outside)], None, {}, reader.store, cache, NOW
        )


def test_paths_within_a_dataset_stay_when_files_come(reader: Reader) -> None:
    (reader.data / "lake/2026").mkdir(parents=True)
    (reader.data / "lake/2026/a.csv").write_text("a,b\n1,2\n")
    (reader.data / "lake/_SUCCESS").write_text("")
    (reader.data / "lake/.note.csv").write_text("")
    before = list_files([f"{reader.data}/lake/"], reader.store)
    (reader.data / "lake/b.csv").write_text("a,b\n1,2\n")

    after = list_files([f"{reader.data}/lake/"], reader.store)

    assert [one.path for one in before.files] == ["2026/a.csv"]
    assert [one.path for one in after.files] == ["2026/a.csv", "b.csv"]
    assert after.files[0].uri == f"{reader.data}/lake/2026/a.csv"


def test_patterns_stay_in_their_folder_unless_they_say_otherwise(reader: Reader) -> None:
    (reader.data / "deep").mkdir()
    (reader.data / "a.csv").write_text("a,b\n1,2\n")
    (reader.data / "deep/b.csv").write_text("a,b\n1,2\n")

    flat = list_files([f"{reader.data}/*.csv"], reader.store)
    deep = list_files([f"{reader.data}/**/*.csv"], reader.store)

    assert [one.path for one in flat.files] == ["a.csv"]
    assert [one.path for one in deep.files] == ["a.csv", "deep/b.csv"]
