"""The first rows of a dataset, of a table, or of a file: to look at before anything is loaded."""

from __future__ import annotations

import gzip
import io
import itertools
from typing import IO, TYPE_CHECKING, Any

from allotment.model.sources import SourceKind
from allotment.notebook.databases import DATABASES
from allotment.notebook.explaining import explained, in_words
from allotment.notebook.problems import DataProblem
from allotment.notebook.querying import query
from allotment.notebook.reading import load_dataset
from allotment.notebook.sessions import Session
from allotment.notebook.source_paths import OpenedStore, SourcePath

if TYPE_CHECKING:
    import polars as pl

ROWS = 100
_TEXT = 2**20
"""Bytes of a text file that are looked at."""
_BACKTICKED = frozenset({SourceKind.MYSQL, SourceKind.MARIADB})
_PARQUET, _CSV = (".parquet", ".pq"), (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def select(kind: SourceKind, table: tuple[str, ...], rows: int = ROWS) -> str:
    """The query that asks for the first rows of a table, its names quoted as the database wants them."""
    name = ".".join(_quoted(kind, part) for part in table)
    if kind is SourceKind.ORACLE:
        return f"select * from {name} fetch first {rows} rows only"  # noqa: S608 - each name is quoted
    return f"select * from {name} limit {rows}"  # noqa: S608 - each name is quoted


def _quoted(kind: SourceKind, name: str) -> str:
    mark = "`" if kind in _BACKTICKED else '"'
    return mark + name.replace(mark, mark * 2) + mark


def can_preview(kind: SourceKind, name: str) -> bool:
    """Whether the first rows of a file of this name, or of a table, can be shown."""
    return kind in DATABASES or name.lower().endswith((*_PARQUET, *_CSV))


def preview_dataset(session: Session, name: str, rows: int = ROWS) -> pl.DataFrame:
    """The first rows of a dataset, its files as they are now.

    Raises:
        Refusal, DataProblem: as :func:`allotment.load`.
    """
    frame: pl.DataFrame = load_dataset(
        session, name, version=None, columns=None, where=None, limit=rows, as_="polars"
    )
    return frame


def preview_source(
    session: Session, source: str, kind: SourceKind, path: tuple[str, ...], rows: int = ROWS
) -> pl.DataFrame:
    """The first rows of a table, or of a Parquet or CSV file, at a place in a source.

    Raises:
        Refusal: the source may not be used.
        DataProblem: it could not be read, in words.
    """
    if kind in DATABASES:
        frame: pl.DataFrame = query(session, source, select(kind, path, rows), None, "polars")
        return frame
    file = SourcePath(OpenedStore(source, session.lender), path)
    name = file.name.lower()
    if not name.endswith((*_PARQUET, *_CSV)):
        message = f"The rows of {file.name} cannot be shown: it is neither Parquet nor CSV."
        raise DataProblem(message)
    with (
        file.open() as opened,
        in_words(lambda error: explained(file.name, error, file.store.fields)),
    ):
        if name.endswith(_PARQUET):
            return _parquet(opened, rows)
        return _csv(opened, rows, packed=name.endswith(".gz"))


def _parquet(opened: IO[Any], rows: int) -> pl.DataFrame:
    """Of a large file no more is read than the pieces that hold the first rows."""
    import polars as pl  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    file = pq.ParquetFile(opened)
    batches = list(itertools.islice(file.iter_batches(batch_size=rows), 1))
    return pl.DataFrame(pa.Table.from_batches(batches, file.schema_arrow))


def _csv(opened: IO[Any], rows: int, *, packed: bool) -> pl.DataFrame:
    """What is looked at ends with a whole line; signs that are no UTF-8 are shown as such."""
    import csv  # noqa: PLC0415 - seldom needed

    import polars as pl  # noqa: PLC0415 - heavy

    unpacked: Any = gzip.GzipFile(fileobj=opened) if packed else opened
    text = unpacked.read(_TEXT).decode("utf-8-sig", errors="replace")
    whole = text if len(text) < _TEXT else text[: text.rfind("\n") + 1]
    lines = [line for line in whole.splitlines() if line.strip()]
    if not lines:
        return pl.DataFrame()
    delimiter = max(",;\t|", key=lines[0].count)
    found = list(
        itertools.islice(csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter), rows + 1)
    )
    width = max(len(row) for row in found)
    names = _distinct([*found[0], *[""] * (width - len(found[0]))])
    padded = [[*row, *[None] * (width - len(row))] for row in found[1:]]
    return pl.DataFrame(padded, schema=dict.fromkeys(names, pl.String), orient="row")


def _distinct(names: list[str]) -> list[str]:
    """Names of columns, each different, none empty."""
    made: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        named = name or f"column {number}"
        made[named if named not in made else f"{named} ({number})"] = None
    return list(made)
