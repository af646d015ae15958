"""What the control plane takes upon itself to read datasets: nothing that fills its memory or its time."""

from __future__ import annotations

import codecs

import pytest

from allotment.data.datasets.csv_dialect import _ENCODINGS, check_options
from allotment.data.datasets.facts import FileRefused, check_columns
from allotment.data.datasets.parquet import read_parquet
from allotment.model.datasets import DatasetColumn
from allotment.model.people import Permission
from allotment.rules.data_sharing import MOST_OF_PERSON, number_reason
from allotment.rules.permission import Authority, Caller, Reach


@pytest.mark.parametrize(
    "encoding",
    [
        *("UTF-8", "latin1", "iso-8859-15", "windows-1252", "cp437", "Shift_JIS", "utf_16_le"),
        *sorted(_ENCODINGS),
    ],
)
def test_encodings_of_texts_may_be_chosen(encoding: str) -> None:
    assert check_options({"encoding": encoding}) == {"encoding": encoding}
    assert codecs.getincrementaldecoder(encoding)


@pytest.mark.parametrize(
    "encoding",
    [
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "iso2022_jp"),
        *("mbcs", "undefined", "rot13", "zlib", "base64", "no-such", "", "utf\x008"),
        *("../utf_8", "utf\N{EN DASH}8", "u" * 100),
    ],
)
def test_what_is_no_encoding_of_texts_is_refused(encoding: str) -> None:
    with pytest.raises(FileRefused, match="names no encoding"):
        check_options({"encoding": encoding})


def test_a_parquet_footer_that_would_fill_the_memory_is_not_read() -> None:
    asked: list[tuple[int, int]] = []

    def read(start: int, length: int) -> bytes:
        asked.append((start, length))
        return bytes(length - 8) + (20 << 20).to_bytes(4, "little") + b"PAR1"

    with pytest.raises(FileRefused, match="at most 16,777,216 can be read"):
        read_parquet(64 << 20, read)

    assert asked == [(-8192, 8192)]


@pytest.mark.promise("SET-1")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["n" * 501], "a column whose name has 501 characters; at most 500"),
        ([f"{'n' * 400}{number}" for number in range(700)], "take 2"),
    ],
)
def test_columns_whose_names_would_fill_the_record_are_refused(
    names: list[str], words: str
) -> None:
    columns = tuple(DatasetColumn(name, "int64") for name in names)

    with pytest.raises(FileRefused, match=words):
        check_columns(columns)


@pytest.mark.promise("SET-1")
def test_ten_thousand_columns_of_ordinary_names_are_not() -> None:
    columns = tuple(DatasetColumn(f"column_{number}", "double") for number in range(10_000))

    assert check_columns(columns) == columns


@pytest.mark.promise("SET-1", "USER-5")
@pytest.mark.parametrize(
    ("registered", "permissions", "refused"),
    [
        (MOST_OF_PERSON - 1, set(), False),
        (MOST_OF_PERSON, set(), True),
        (MOST_OF_PERSON, {Permission.MANAGE_SOURCES}, False),
    ],
)
def test_one_person_registers_so_many_datasets_and_custodians_any_number(
    registered: int, permissions: set[Permission], refused: bool
) -> None:
    authority = Authority("bob", "data-scientist", frozenset(permissions), (), ())
    caller = Caller(authority, Reach.EVERYTHING)

    reason = number_reason(caller, registered)

    assert (reason is not None) is refused
    assert reason is None or (reason.limit, reason.used, reason.asked) == (1_000, 1_000, 1)
