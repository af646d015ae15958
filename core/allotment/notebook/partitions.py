"""Columns that stand in folders named ``key=value``, beside those of the files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from allotment.model.documents import DatasetColumn, DatasetFile
from allotment.model.partitions import DATE, INTEGER, values_of
from allotment.notebook.arrow_types import polars_type

if TYPE_CHECKING:
    import polars as pl

PATH = "__path_of_the_file__"
"""A column that says of each row which file it comes from."""


def hive_schema(
    partitions: Sequence[DatasetColumn], files: Sequence[DatasetFile], uris: Sequence[Any]
) -> dict[str, Any] | None:
    """The types of these columns, where the files' URIs say just them: polars passes over files by those itself.

    None where a URI says something else, as those of versions do, and of files in a folder ``a=b`` above
    the dataset's own.
    """
    same = all(
        _equations(uri) == _equations(file.path) for uri, file in zip(uris, files, strict=True)
    )
    plain = all("%" not in column.name for column in partitions)
    if not same or not plain:
        return None
    return {column.name: polars_type(column.type) for column in partitions}


def joined(
    frame: pl.LazyFrame,
    partitions: Sequence[DatasetColumn],
    files: Sequence[DatasetFile],
    uris: Sequence[str],
) -> pl.LazyFrame:
    """A frame that says of each row its file's path, with what that stands for instead."""
    import polars as pl  # noqa: PLC0415 - heavy

    types = {column.name: polars_type(column.type) for column in partitions}
    rows = [(uri, *values(file, partitions)) for uri, file in zip(uris, files, strict=True)]
    told = pl.LazyFrame(rows, schema={PATH: pl.String, **types}, orient="row")
    own = frame.drop(list(types), strict=False)
    return own.join(told, on=PATH, how="left", maintain_order="left").drop(PATH)


def with_values(
    frame: pl.LazyFrame, partitions: Sequence[DatasetColumn], file: DatasetFile
) -> pl.LazyFrame:
    """The rows of one file, with the columns that its path says."""
    import polars as pl  # noqa: PLC0415 - heavy

    told = zip(partitions, values(file, partitions), strict=True)
    literals = [
        pl.lit(value, dtype=polars_type(column.type)).alias(column.name) for column, value in told
    ]
    return frame.drop([column.name for column in partitions], strict=False).with_columns(literals)


def values(file: DatasetFile, partitions: Sequence[DatasetColumn]) -> tuple[Any, ...]:
    """What a file's path says, in the types of the columns."""
    said = dict(values_of(file.path))
    return tuple(_typed(said.get(column.name), column.type) for column in partitions)


def _typed(value: str | None, words: str) -> Any:
    if value is None:
        return None
    if words == INTEGER:
        return int(value)
    return date.fromisoformat(value) if words == DATE else value


def _equations(path: Any) -> list[str]:
    return [step for step in str(path).split("/")[:-1] if "=" in step]
