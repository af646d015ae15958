"""Reading a dataset: footers and listings, many at a time, and only of what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from allotment.data.datasets.csv_dialect import check_options
from allotment.data.datasets.csv_files import read_csv
from allotment.data.datasets.facts import FileFacts, FileRefused, difference
from allotment.data.datasets.footers_cache import FootersCache, way_of
from allotment.data.datasets.listing import Listed, ListedFile, list_files
from allotment.data.datasets.parquet import MARK, read_parquet
from allotment.data.datasets.stores.store import FileUnreadable, Store, StoredFile
from allotment.data.problems import SourceProblem
from allotment.model.datasets import (
    DatasetColumn,
    DatasetReading,
    FileFormat,
    FileProblem,
)

IN_FLIGHT = 32
"""Requests at a time."""
MOST_PROBLEMS = 100
"""Problems that are told one by one; the others are counted."""
MOST_UNREADABLE = 32
"""Files that cannot be read at all, after which no others are tried."""


def read_dataset(
    uris: Iterable[str],
    asked: FileFormat | None,
    options: Mapping[str, Any],
    store: Store,
    cache: FootersCache,
    now: datetime,
) -> tuple[FileFormat, DatasetReading]:
    """Read what a dataset's files tell of themselves; their contents stay where they are.

    Args:
        uris: files, folders (ending in ``/``) and patterns.
        asked: how the files are written, None to find out from the first.
        options: how a CSV is read, where somebody said; what is not said is found out.
        store: where they lie, opened as a server would.
        cache: what was read before.
        now: the time of the reading.

    Returns:
        How the files are written, and the reading. Files that are missing, unreadable or of another
        schema are among its ``problems``, each with its reason.

    Raises:
        SourceProblem: nothing could be read at all.
    """
    return read_listed(list_files(uris, store), asked, options, store, cache, now)


def read_listed(
    listed: Listed,
    asked: FileFormat | None,
    options: Mapping[str, Any],
    store: Store,
    cache: FootersCache,
    now: datetime,
) -> tuple[FileFormat, DatasetReading]:
    """As :func:`read_dataset`, for files that were listed already."""
    format_ = asked or (_found_out(listed.files[0], store) if listed.files else FileFormat.PARQUET)
    chosen = _checked(format_, options)
    facts, refused = _facts(listed.files, format_, chosen, store, cache)
    first = next((facts[one.stored] for one in listed.files if one.stored in facts), None)
    problems = [*listed.problems, *refused]
    if format_ is FileFormat.PARQUET and first:
        problems += _of_another_schema(listed.files, facts, first.columns)
    columns = first.columns if first else ()
    if format_ is FileFormat.CSV and first:
        columns, others = _joined(listed.files, facts, first)
        problems += others
    rows = [one.rows for one in facts.values() if one.rows is not None]
    reading = DatasetReading(
        at=now,
        columns=columns,
        rows=sum(rows) if len(rows) == len(facts) else None,
        rows_exact=all(one.rows_exact for one in facts.values()),
        size=listed.size,
        files=len(listed.files),
        options=_options(facts.values(), first),
        problems=_told(problems),
    )
    return format_, reading


def _checked(format_: FileFormat, options: Mapping[str, Any]) -> dict[str, Any]:
    if format_ is not FileFormat.CSV:
        if options:
            raise SourceProblem(
                f"A dataset of {format_.value} has no options.", remedy="Leave them out."
            )
        return {}
    try:
        return check_options(options)
    except FileRefused as refused:
        raise SourceProblem(f"The dataset {refused}.", remedy="Change its options.") from None


def _found_out(file: ListedFile, store: Store) -> FileFormat:
    """How a file is written, by its name, else by its first bytes."""
    name = file.path.lower()
    if name.endswith((".parquet", ".pq", ".parq")):
        return FileFormat.PARQUET
    if name.endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt")):
        return FileFormat.CSV
    try:
        head = store.read(file.stored, 0, len(MARK))
    except FileUnreadable as problem:
        raise SourceProblem(f"{file.uri} {problem}.", remedy="Test the source.") from None
    return FileFormat.PARQUET if head == MARK else FileFormat.CSV


def _facts(
    files: tuple[ListedFile, ...],
    format_: FileFormat,
    chosen: dict[str, Any],
    store: Store,
    cache: FootersCache,
) -> tuple[dict[StoredFile, FileFacts], list[FileProblem]]:
    """The facts of every file that has some, and a problem for each that has not."""
    way = way_of(format_.value, chosen)
    known = cache.known((one.stored for one in files), way)
    unread = [one for one in files if one.stored not in known]
    reader = _Reader(format_, chosen, store)
    fresh: dict[StoredFile, FileFacts] = {}
    problems, untried = [], 0
    with ThreadPoolExecutor(min(IN_FLIGHT, max(1, len(unread)))) as pool:
        for file, found in zip(unread, pool.map(reader.read, unread), strict=True):
            if isinstance(found, FileFacts):
                fresh[file.stored] = found
            elif found is None:
                untried += 1
            else:
                problems.append(FileProblem(file.uri, found))
    if fresh:
        cache.keep(fresh, way)
    if untried:
        problems.append(FileProblem("", f"{untried:,} more files were not tried after these"))
    return known | fresh, problems


class _Reader:
    """Reads one file after the other, by many threads, until too many could not be read at all.

    A store that answers nothing would otherwise be waited for once for each of thousands.
    """

    def __init__(self, format_: FileFormat, chosen: dict[str, Any], store: Store) -> None:
        self._format, self._chosen, self._store = format_, chosen, store
        self._unreadable = 0

    def read(self, file: ListedFile) -> FileFacts | str | None:
        """The facts of one file, or what is wrong with it; None where it was not tried any more."""
        if self._unreadable >= MOST_UNREADABLE:
            return None
        read: Callable[[int, int], bytes] = partial(self._store.read, file.stored)
        try:
            if self._format is FileFormat.PARQUET:
                return read_parquet(file.size, read)
            return read_csv(file.size, read, self._chosen)
        except FileRefused as problem:
            return str(problem)
        except FileUnreadable as problem:
            # Two threads at once may count one; it is no exact number.
            self._unreadable += 1
            return str(problem)


def _of_another_schema(
    files: tuple[ListedFile, ...],
    facts: Mapping[StoredFile, FileFacts],
    columns: tuple[DatasetColumn, ...],
) -> list[FileProblem]:
    found = []
    for file in files:
        one = facts.get(file.stored)
        other = difference(one.columns, columns) if one else None
        if other:
            found.append(FileProblem(file.uri, f"is of another schema: it {other}"))
    return found


def _joined(
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


def _options(all_facts: Iterable[FileFacts], first: FileFacts | None) -> dict[str, Any]:
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


def _told(problems: list[FileProblem]) -> tuple[FileProblem, ...]:
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    rest = len(problems) - MOST_PROBLEMS
    more = FileProblem("", f"{rest:,} more files have problems")
    return (*problems[:MOST_PROBLEMS], more)
