"""Whatever lies in a bucket: a file is read, or refused in words; nothing else happens."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from allotment.data.datasets.csv_files import read_csv
from allotment.data.datasets.facts import MOST_COLUMNS, FileFacts, FileRefused
from allotment.data.datasets.parquet import read_parquet


def _whole() -> bytes:
    out = io.BytesIO()
    nested = pa.array([{"a": [1, 2], "b": "x"}, None])
    parquet.write_table(pa.table({"n": [1, 2], "name": ["Zoë", None], "nested": nested}), out)
    return out.getvalue()


WHOLE = _whole()
FOOTER = int.from_bytes(WHOLE[-8:-4], "little") + 8


def ranged(content: bytes) -> Callable[[int, int], bytes]:
    """Reads of a file as a store answers them."""

    def read(start: int, length: int) -> bytes:
        first = max(0, len(content) + start) if start < 0 else start
        return content[first : first + length]

    return read


def read(kind: str, content: bytes) -> FileFacts | str:
    """What registration makes of a file."""
    try:
        if kind == "parquet":
            return read_parquet(len(content), ranged(content))
        return read_csv(len(content), ranged(content), {})
    except FileRefused as refused:
        return str(refused)


@pytest.mark.promise("SET-1")
@given(
    st.lists(st.tuples(st.integers(1, FOOTER), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, len(WHOLE)),
)
def test_a_damaged_footer_is_refused_in_words_or_read(
    flips: list[tuple[int, int]], cut: int
) -> None:
    damaged = bytearray(WHOLE)
    for place, value in flips:
        damaged[-place] = value

    assert read("parquet", bytes(damaged))
    assert isinstance(read("parquet", WHOLE[:cut]), FileFacts) is (cut == len(WHOLE))


@pytest.mark.promise("SET-1")
@given(st.binary(max_size=300))
@example(b'a,"b\n1,2\n')
@example("a,b\n1,2\n".encode("utf-16-le"))
@example(b"\xff\xfea")
@example(b"\r\r\n,\n")
@example(b"\x1f\x8b\x08")
def test_whatever_bytes_are_no_parquet_and_a_csv_or_refused_in_words(content: bytes) -> None:
    assert isinstance(read("parquet", content), str)
    assert read("csv", content)


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize("cell", ["", "x"])
def test_a_csv_of_a_million_columns_is_refused_as_soon_as_that_is_seen(cell: str) -> None:
    line = ",".join([cell] * 1_000_000).encode()

    words = read("csv", line + b"\n" + line + b"\n")

    assert isinstance(words, str)
    assert "1,000,000 columns" in words or "first line is longer" in words


@pytest.mark.promise("SET-1")
def test_a_parquet_file_of_too_many_columns_is_refused() -> None:
    out = io.BytesIO()
    schema = pa.schema([(f"c{number}", pa.int8()) for number in range(MOST_COLUMNS + 1)])
    parquet.write_metadata(schema, out)

    words = read("parquet", out.getvalue())

    assert isinstance(words, str)
    assert f"has {MOST_COLUMNS + 1:,} columns" in words
