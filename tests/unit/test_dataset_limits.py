"""What the control plane takes upon itself to read datasets: nothing that fills its memory or its time."""

from __future__ import annotations

import codecs

import pytest

from allotment.data.datasets.csv_dialect import _ENCODINGS, check_options
from allotment.data.datasets.facts import FileRefused
from allotment.data.datasets.parquet import read_parquet


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
