"""What one file tells of itself, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from allotment.model.datasets import DatasetColumn

MOST_COLUMNS = 10_000
"""A file of more columns is not registered: nothing that reads tables stays usable beyond it."""


LONGEST_COLUMN_NAME = 500
LARGEST_SCHEMA = 256 << 10
"""Bytes of all names and types of columns: the record keeps them, and answers tell them."""


class FileRefused(Exception):
    """A file cannot be part of a dataset; the text completes a sentence that begins with its name."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was read of one file. ``rows`` is None where nothing tells; exact unless it says otherwise."""

    columns: tuple[DatasetColumn, ...]
    rows: int | None
    rows_exact: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)


def check_width(columns: int) -> None:
    """Refuse a file of absurdly many columns.

    Raises:
        FileRefused: there are more than :data:`MOST_COLUMNS`.
    """
    if columns > MOST_COLUMNS:
        raise FileRefused(
            f"has {columns:,} columns; at most {MOST_COLUMNS:,} can be registered. "
            "Is its delimiter right?"
        )


def check_columns(columns: tuple[DatasetColumn, ...]) -> tuple[DatasetColumn, ...]:
    """Return columns unchanged whose names and types can be kept.

    Raises:
        FileRefused: a name is absurdly long, or all of them are together.
    """
    longest = max((len(one.name) for one in columns), default=0)
    if longest > LONGEST_COLUMN_NAME:
        raise FileRefused(
            f"has a column whose name has {longest:,} characters; at most {LONGEST_COLUMN_NAME:,} "
            "can be registered. Is its delimiter right?"
        )
    size = sum(len(one.name.encode("utf-8", "replace")) + len(one.type) for one in columns)
    if size > LARGEST_SCHEMA:
        raise FileRefused(
            f"has columns whose names and types take {size:,} bytes; at most {LARGEST_SCHEMA:,} "
            "can be registered"
        )
    return columns


def difference(columns: tuple[DatasetColumn, ...], first: tuple[DatasetColumn, ...]) -> str | None:
    """How a file's columns differ from those of the dataset's first file, in words; None if they do not.

    Their order and whether they may be empty make no difference to who loads them.
    """
    if columns == first:
        return None
    here = {column.name: column.type for column in columns}
    there = {column.name: column.type for column in first}
    found = [f"has no column {name!r}" for name in there if name not in here]
    found += [f"has a column more, {name!r}" for name in here if name not in there]
    found += [
        f"has {name!r} as {here[name]}, not {there[name]}"
        for name in here
        if name in there and here[name] != there[name]
    ]
    if not found:
        return None
    shown = "; ".join(found[:_SHOWN])
    return shown + (f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


_SHOWN = 5
