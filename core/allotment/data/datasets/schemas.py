"""Whether files are of one schema, and which that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allotment.data.datasets.facts import FileFacts, difference
from allotment.data.datasets.listing import ListedFile
from allotment.data.datasets.stores.store import StoredFile
from allotment.model.datasets import DatasetColumn, FileProblem


def of_another_schema(
    files: tuple[ListedFile, ...],
    facts: Mapping[StoredFile, FileFacts],
    columns: tuple[DatasetColumn, ...],
) -> list[FileProblem]:
    """A problem for each Parquet file whose columns are others."""
    found = []
    for file in files:
        one = facts.get(file.stored)
        other = difference(one.columns, columns) if one else None
        if other:
            found.append(FileProblem(file.uri, f"is of another schema: it {other}"))
    return found


def joined(
    files: tuple[ListedFile, ...], facts: Mapping[StoredFile, FileFacts], first: FileFacts
) -> tuple[tuple[DatasetColumn, ...], list[FileProblem]]:
    """The columns of CSV files: the same names, and for each the type that holds what all files have."""
    types = {column.name: column.type for column in first.columns}
    problems = []
    for file in files:
        one = facts.get(file.stored)
        if one is None:
            continue
        names = [column.name for column in one.columns]
        if names != list(types):
            retyped = tuple(DatasetColumn(name, types.get(name, "")) for name in names)
            wanted = tuple(DatasetColumn(name, kind) for name, kind in types.items())
            words = difference(retyped, wanted) or "has the same columns in another order"
            problems.append(FileProblem(file.uri, f"is of another schema: it {words}"))
            continue
        if _way_written(one) != _way_written(first):
            problems.append(FileProblem(file.uri, _otherwise(one, first)))
        for column in one.columns:
            types[column.name] = _wider(types[column.name], column.type)
    return tuple(DatasetColumn(name, kind) for name, kind in types.items()), problems


def options_of(all_facts: Iterable[FileFacts], first: FileFacts | None) -> dict[str, Any]:
    """The first file's; a decimal comma in any file is one in all, for most tell nothing of it."""
    if first is None or not first.options:
        return {}
    comma = any(one.options.get("decimal") == "," for one in all_facts)
    return {**first.options, **({"decimal": ","} if comma else {})}


def _way_written(facts: FileFacts) -> dict[str, Any]:
    """Of its options those that make a difference.

    A file without numbers tells nothing of decimals, and the mark of ``utf-8-sig`` is passed over by
    all that read UTF-8.
    """
    told = {name: value for name, value in facts.options.items() if name != "decimal"}
    return {**told, "encoding": str(told["encoding"]).removesuffix("-sig")}


def _otherwise(one: FileFacts, first: FileFacts) -> str:
    mine, theirs = _way_written(one), _way_written(first)
    found = [
        f"{name} {mine[name]!r}, not {theirs[name]!r}"
        for name in mine
        if mine[name] != theirs[name]
    ]
    return f"is written otherwise than the first file: {', '.join(found)}"


def _wider(one: str, other: str) -> str:
    """The Arrow type that holds the values of both, as a CSV's cells are read; text holds all."""
    if other in {one, "null"}:
        return one
    if one == "null":
        return other
    return "double" if {one, other} == {"int64", "double"} else "string"
