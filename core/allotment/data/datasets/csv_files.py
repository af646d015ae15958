"""CSV files: columns and types are read from the beginning, rows are estimated from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from allotment.data.datasets.csv_dialect import Dialect, decoded, detect, unpacked
from allotment.data.datasets.facts import FileFacts, FileRefused, check_width
from allotment.data.datasets.parquet import MARK, ReadRange, columns_of
from allotment.model.datasets import DatasetColumn

HEAD = 64 << 10
"""Bytes that are read of a file."""
LONGEST_RECORD = 1 << 20
"""Bytes that are read where those hold no whole record: tables may be wide."""
_UNPACKED = 4
"""How many times as many bytes may come out of them, for zip bombs are small files."""


class _RecordCut(FileRefused):
    """What was read of a file holds no whole record."""


def read_csv(size: int, read: ReadRange, chosen: Mapping[str, Any]) -> FileFacts:
    """Read a file's beginning. Rows are exact only where that is all of it.

    Raises:
        FileRefused: it is no CSV file, or not written as ``chosen`` says.
    """
    if size == 0:
        raise FileRefused("is empty")
    try:
        return _read(size, read(0, min(size, HEAD)), chosen)
    except _RecordCut:
        if size <= HEAD:
            raise
    return _read(size, read(0, min(size, LONGEST_RECORD)), chosen)


def _read(size: int, raw: bytes, chosen: Mapping[str, Any]) -> FileFacts:
    """What the beginning of a file tells of it."""
    if raw.startswith(MARK):
        raise FileRefused("is a Parquet file, not CSV")
    most = _UNPACKED * len(raw)
    head, compression = unpacked(raw, chosen.get("compression"), most)
    whole = len(raw) == size and (not compression or len(head) < most)
    text, encoding = decoded(head, chosen.get("encoding"), whole=whole)
    dialect = detect(text, {**chosen, "encoding": encoding, "compression": compression})
    lines, records = _records(text, dialect, whole=whole)
    columns = _columns(lines, dialect)
    counted = records - (1 if dialect.header else 0)
    if whole:
        return FileFacts(columns, counted, options=dialect.document())
    # As many as the whole file would hold, were all of it as dense as its beginning.
    covered = len(raw) * len(lines) / len(text)
    rows = round(counted * size / max(1.0, covered))
    return FileFacts(columns, rows, rows_exact=False, options=dialect.document())


def _records(text: str, dialect: Dialect, *, whole: bool) -> tuple[str, int]:
    """The text up to the end of its last complete record, and how many records that are.

    Raises:
        FileRefused: there is none, or they are of different widths.
    """
    lines = list(io.StringIO(text, newline=""))
    records = _widths(lines, dialect)
    if not whole:
        # The last may be cut, in the middle of a quoted cell even.
        records = records[:-1]
        if not records:
            raise _RecordCut(
                f"is no CSV file: its first line is longer than {len(text):,} characters"
            )
    if not records:
        raise FileRefused("has no lines")
    check_width(records[0][1])
    for line, width in records:
        if width != records[0][1]:
            raise FileRefused(
                f"has {width:,} cells in line {line:,}, and {records[0][1]:,} before it"
            )
    return "".join(lines[: records[-1][0]]), len(records)


def _widths(lines: list[str], dialect: Dialect) -> list[tuple[int, int]]:
    """For each record the line on which it ends, and its cells."""
    reader = csv.reader(
        lines[dialect.skip_rows :],
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    try:
        return [(reader.line_num + dialect.skip_rows, len(row)) for row in reader if row]
    except csv.Error as error:
        line = reader.line_num + dialect.skip_rows
        raise FileRefused(f"is no CSV file: line {line:,}: {error}") from None


def _columns(lines: str, dialect: Dialect) -> tuple[DatasetColumn, ...]:
    """Names and types, as Arrow reads them from the same lines."""
    import pyarrow as pa  # noqa: PLC0415 - a second to import, for those who read files
    from pyarrow import csv as arrow  # noqa: PLC0415 - likewise

    try:
        table = arrow.read_csv(
            pa.BufferReader(lines.encode()),
            read_options=arrow.ReadOptions(
                skip_rows=dialect.skip_rows,
                autogenerate_column_names=not dialect.header,
                use_threads=False,
                block_size=max(len(lines) * 4, 1 << 16),
            ),
            parse_options=arrow.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=True,
            ),
            convert_options=arrow.ConvertOptions(decimal_point=dialect.decimal),
        )
    except (pa.ArrowException, ValueError) as error:
        raise FileRefused(f"cannot be read as CSV: {str(error).splitlines()[0][:200]}") from None
    names = table.schema.names
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileRefused(
            f"has two columns named {twice!r}; if its first line names none, set header to false"
        )
    return columns_of(table.schema)
