"""The files of a dataset, read: columns and conditions reach the files themselves."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from allotment.model.datasets import FileFormat
from allotment.model.documents import DatasetAccess, DatasetColumn, DatasetFile
from allotment.notebook.arrow_types import is_readable, polars_type
from allotment.notebook.lending import Lend
from allotment.notebook.partitions import PATH, hive_schema, joined, with_values
from allotment.notebook.progress import Progress
from allotment.notebook.stores import (
    Place,
    filesystem,
    polars_options,
    polars_uri,
    speaks_to,
)

if TYPE_CHECKING:
    import polars as pl

PIECE = 256 * 1024**2
"""Bytes that are read at a time at least, where a dataset is larger and has several files."""
PIECES = 20
_UTF8 = frozenset({"", "utf-8", "utf8", "utf-8-sig", "ascii", "us-ascii"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of the files: None is everything."""

    columns: tuple[str, ...] | None = None
    where: pl.Expr | None = None
    limit: int | None = None

    def of(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """So much of a frame; polars moves it into the files."""
        if self.where is not None:
            frame = frame.filter(self.where)
        if self.columns is not None:
            frame = frame.select(self.columns)
        return frame if self.limit is None else frame.head(self.limit)

    def rest(self, rows: int) -> Wanted:
        """What is still wanted when so many rows are there."""
        left = None if self.limit is None else max(self.limit - rows, 0)
        return Wanted(self.columns, self.where, left)


def scan(access: DatasetAccess, lend: Lend, files: Sequence[DatasetFile]) -> pl.LazyFrame:
    """These files of a dataset as a frame of polars that nothing was read of yet."""
    import polars as pl  # noqa: PLC0415 - heavy

    lent = lend()
    uris: list[Any] = [polars_uri(lent.kind, file.uri) for file in files]
    options = polars_options(lent, lend)
    if not speaks_to(lent):
        fetched = filesystem(lent)
        read = [BytesIO(fetched.cat_file(Place.of(file.uri).location)) for file in files]
        if not access.partitions:
            return _scan(access, read, {})
        frames = [_scan(access, [one], {}) for one in read]
        pairs = zip(frames, files, strict=True)
        return pl.concat([with_values(one, access.partitions, file) for one, file in pairs])
    if not access.partitions:
        return _scan(access, uris, options)
    schema = hive_schema(access.partitions, files, uris)
    if schema is not None and access.format is FileFormat.PARQUET:
        return _scan(access, uris, options | {"hive_partitioning": True, "hive_schema": schema})
    scanned = _scan(access, uris, options | {"include_file_paths": PATH})
    return joined(scanned, access.partitions, files, uris)


def _scan(access: DatasetAccess, uris: list[Any], options: dict[str, Any]) -> pl.LazyFrame:
    import polars as pl  # noqa: PLC0415 - heavy

    # Names are the registered files', never patterns.
    if access.format is FileFormat.PARQUET:
        return pl.scan_parquet(uris, glob=False, **({"hive_partitioning": False} | options))
    return pl.scan_csv(uris, glob=False, **_csv_options(access), **options)


def own_columns(access: DatasetAccess) -> tuple[DatasetColumn, ...]:
    """The columns that stand in the files themselves."""
    told = {column.name for column in access.partitions}
    return tuple(column for column in access.columns if column.name not in told)


def is_for_polars(access: DatasetAccess) -> bool:
    """Whether polars reads these files as they were registered. It reads CSV in UTF-8 only."""
    if access.format is FileFormat.PARQUET:
        return True
    encoding = str(access.options.get("encoding", "")).lower()
    return encoding in _UTF8 and all(is_readable(column.type) for column in access.columns)


def _csv_options(access: DatasetAccess) -> dict[str, Any]:
    options = access.options
    header = bool(options.get("header", True))
    types = {column.name: polars_type(column.type) for column in own_columns(access)}
    quote = options.get("quote", '"')
    return {
        "separator": options.get("delimiter", ","),
        "quote_char": quote or None,
        "has_header": header,
        "skip_rows": int(options.get("skip_rows", 0)),
        "decimal_comma": options.get("decimal", ".") == ",",
        "schema_overrides" if header else "schema": types,
    }


def pieces(access: DatasetAccess) -> Iterator[tuple[DatasetFile, ...]]:
    """The files in groups that are read at a time: one, where they are small."""
    known = [file.size or 0 for file in access.files]
    least = max(PIECE, sum(known) // PIECES)
    group: list[DatasetFile] = []
    size = 0
    for file, bytes_of_it in zip(access.files, known, strict=True):
        group.append(file)
        size += bytes_of_it
        if size >= least:
            yield tuple(group)
            group, size = [], 0
    if group:
        yield tuple(group)


def collect(access: DatasetAccess, lend: Lend, wanted: Wanted, progress: Progress) -> pl.DataFrame:
    """Read what is wanted, in the files' order."""
    import polars as pl  # noqa: PLC0415 - heavy

    frames: list[pl.DataFrame] = []
    for group in pieces(access):
        progress.go_on()
        left = wanted.rest(sum(frame.height for frame in frames))
        if left.limit == 0 and frames:
            break
        steps = _Steps(access, group, progress)
        found = left.of(scan(access, lend, group))
        if left.limit is None:
            # Of what is limited little is read, and polars stops by itself.
            found = found.map_batches(steps.of, streamable=True)
        frames.append(found.collect(engine="streaming"))
        steps.finish()
    return frames[0] if len(frames) == 1 else pl.concat(frames, rechunk=False)


class _Steps:
    """Tells how far one piece is, by its rows, and ends it once it is interrupted."""

    def __init__(
        self, access: DatasetAccess, group: Sequence[DatasetFile], progress: Progress
    ) -> None:
        self._progress, self._lock = progress, threading.Lock()
        self._size = sum(file.size or 0 for file in group)
        whole = sum(file.size or 0 for file in access.files)
        self._bytes_a_row = whole / access.rows if access.rows else 0.0
        self._told, self._rows = 0, 0

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Count what comes by.

        Raises:
            Interrupted: nobody waits for it any more.
        """
        self._progress.go_on()
        with self._lock:
            self._rows += frame.height
            self._tell(min(self._size, int(self._rows * self._bytes_a_row)))
        return frame

    def finish(self) -> None:
        """All of it is there."""
        self._tell(self._size)

    def _tell(self, so_far: int) -> None:
        self._progress.add(max(so_far - self._told, 0))
        self._told = max(so_far, self._told)
