"""Parquet files: columns and rows stand in the footer, and nothing else is read.

Of https://parquet.apache.org/docs/file-format/: a file begins and ends with ``PAR1``; before the last
stands the length of the footer, four bytes, little-endian. ``PARE`` marks an encrypted footer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from allotment.data.datasets.facts import FileFacts, FileRefused, check_columns, check_width
from allotment.model.datasets import DatasetColumn

if TYPE_CHECKING:
    import pyarrow as pa

MARK, ENCRYPTED = b"PAR1", b"PARE"
TAIL = 8 << 10
"""Bytes that are asked for at first: most footers fit."""
LARGEST_FOOTER = 16 << 20
"""Bytes that are taken into memory and parsed; parsed it takes several times as many."""
_END = 8

ReadRange = Callable[[int, int], bytes]
"""Bytes from a start, counted from the end where negative, and so many of them."""


def read_parquet(size: int, read: ReadRange) -> FileFacts:
    """Read a file's footer, by one request where it is small, else by two.

    Raises:
        FileRefused: it is no Parquet file, or its footer is broken.
    """
    import pyarrow as pa  # noqa: PLC0415 - a second to import, for those who read files
    from pyarrow import parquet  # noqa: PLC0415 - likewise

    if size == 0:
        raise FileRefused("is empty")
    footer = _footer(size, read)
    try:
        metadata = parquet.read_metadata(pa.BufferReader(footer))
        check_width(metadata.num_columns)
        columns = columns_of(metadata.schema.to_arrow_schema())
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FileRefused(f"has a broken footer: {_words(error)}") from None
    return FileFacts(columns, metadata.num_rows)


def columns_of(schema: pa.Schema) -> tuple[DatasetColumn, ...]:
    """A schema's columns in the platform's words.

    Raises:
        FileRefused: they are absurdly many or long.
    """
    return check_columns(
        tuple(DatasetColumn(one.name, str(one.type), one.nullable) for one in schema)
    )


def _footer(size: int, read: ReadRange) -> bytes:
    """The footer with its length and mark."""
    tail = read(-min(size, TAIL), min(size, TAIL))
    if tail[-4:] == ENCRYPTED:
        raise FileRefused("has an encrypted footer, which cannot be read here")
    if tail[-4:] != MARK or size < _END + len(MARK):
        raise FileRefused(_without_mark(size, read))
    length = int.from_bytes(tail[-_END:-4], "little") + _END
    if length > size - len(MARK):
        raise FileRefused(f"has a broken footer: {length:,} bytes long in a file of {size:,}")
    if length > LARGEST_FOOTER:
        raise FileRefused(
            f"has a footer of {length:,} bytes; at most {LARGEST_FOOTER:,} can be read"
        )
    return tail[-length:] if length <= len(tail) else read(-length, length)


def _without_mark(size: int, read: ReadRange) -> str:
    head = read(0, min(size, 4))
    if head == MARK:
        return "is cut off: it begins as Parquet and ends without a footer"
    if head[:2] == b"\x1f\x8b":
        return "is no Parquet file: it is compressed by gzip"
    if head[:2] == b"PK":
        return "is no Parquet file: it is a ZIP archive"
    return "is no Parquet file"


def _words(error: Exception) -> str:
    first = str(error).strip().splitlines()
    return (first[0] if first else type(error).__name__)[:200]
