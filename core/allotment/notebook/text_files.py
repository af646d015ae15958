"""CSV files that polars does not read as they are: other encodings, times with zones. Arrow reads those."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from allotment.model.documents import DatasetAccess, DatasetFile
from allotment.notebook.arrow_types import arrow_type
from allotment.notebook.files import Wanted, own_columns
from allotment.notebook.lending import Lend
from allotment.notebook.partitions import with_values
from allotment.notebook.progress import Progress
from allotment.notebook.stores import Place, renewing_filesystem

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 16 * 1024**2
"""Bytes of text that are parsed at a time."""


def collect_text(
    access: DatasetAccess, lend: Lend, wanted: Wanted, progress: Progress
) -> pl.DataFrame:
    """Read what is wanted, in the files' order."""
    import polars as pl  # noqa: PLC0415 - heavy

    frames: list[pl.DataFrame] = []
    rows = 0
    for file in access.files:
        for batch in _batches(access, lend, file):
            progress.go_on()
            frame = cast("pl.DataFrame", pl.from_arrow(batch))
            told = access.partitions
            whole = with_values(frame.lazy(), told, file) if told else frame.lazy()
            kept = wanted.rest(rows).of(whole).collect()
            frames.append(kept)
            rows += kept.height
            progress.add(batch.nbytes)
            if wanted.limit is not None and rows >= wanted.limit:
                return pl.concat(frames, rechunk=False)
    return pl.concat(frames, rechunk=False)


def _batches(access: DatasetAccess, lend: Lend, file: DatasetFile) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    from pyarrow import csv  # noqa: PLC0415 - heavy

    files = renewing_filesystem(lend)
    with files.open(Place.of(file.uri).location, "rb", block_size=_BLOCK) as opened:
        packed = access.options.get("compression") or None
        stream = pa.input_stream(opened, compression=packed, buffer_size=_BLOCK)
        reader = csv.open_csv(stream, *_options(access))
        empty = reader.schema.empty_table()
        yield empty
        yield from (pa.Table.from_batches([batch]) for batch in reader)


def _options(access: DatasetAccess) -> tuple[Any, Any, Any]:
    from pyarrow import csv  # noqa: PLC0415 - heavy

    options = access.options
    names = [column.name for column in own_columns(access)]
    header = bool(options.get("header", True))
    encoding = str(options.get("encoding") or "utf-8")
    return (
        csv.ReadOptions(
            encoding="utf-8" if encoding == "utf-8-sig" else encoding,
            skip_rows=int(options.get("skip_rows", 0)),
            column_names=None if header or not names else names,
            block_size=_BLOCK,
        ),
        csv.ParseOptions(
            delimiter=options.get("delimiter", ","), quote_char=options.get("quote", '"') or False
        ),
        csv.ConvertOptions(
            column_types={one.name: arrow_type(one.type) for one in own_columns(access)},
            decimal_point=options.get("decimal", "."),
        ),
    )
