"""Folders named ``key=value``: columns that stand in the paths of a dataset's files, and not in the files.

As Hive laid tables out, and Spark, DuckDB, polars and pandas do: a value is percent-encoded, and
``__HIVE_DEFAULT_PARTITION__`` is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from allotment.model.datasets import DatasetColumn

INTEGER, DATE, TEXT = "int64", "date32[day]", "string"
"""Types that values may have, in Arrow's words."""
_NONE = "__HIVE_DEFAULT_PARTITION__"
_STEP = re.compile(r"([^=/]+)=([^=/]+)")
_INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", re.ASCII)


def values_of(path: str) -> tuple[tuple[str, str | None], ...]:
    """The keys and values that a file's path says, in its order; of the file's own name nothing."""
    steps = (_STEP.fullmatch(step) for step in path.split("/")[:-1])
    return tuple((one[1], _value(one[2])) for one in steps if one)


def partitions_of(paths: Iterable[str]) -> tuple[DatasetColumn, ...]:
    """The columns that the paths of a dataset's files say; none where they do not all say the same ones."""
    told = [values_of(path) for path in paths]
    keys = {tuple(key for key, _ in one) for one in told}
    if len(keys) != 1:
        return ()
    (names,) = keys
    if len(set(names)) < len(names):
        return ()
    columns = zip(*told, strict=True)
    return tuple(
        DatasetColumn(name, _type({value for _, value in column}))
        for name, column in zip(names, columns, strict=True)
    )


def with_partitions(
    columns: tuple[DatasetColumn, ...], partitions: tuple[DatasetColumn, ...]
) -> tuple[DatasetColumn, ...]:
    """A dataset's columns: where files and folders both have one, the folders' counts."""
    told = {one.name for one in partitions}
    return (*(one for one in columns if one.name not in told), *partitions)


def _value(text: str) -> str | None:
    return None if text == _NONE else unquote(text)


def _type(values: Iterable[str | None]) -> str:
    known = [value for value in values if value is not None]
    for pattern, words in ((_INTEGER, INTEGER), (_DATE, DATE)):
        if known and all(map(pattern.fullmatch, known)):
            return words
    return TEXT
