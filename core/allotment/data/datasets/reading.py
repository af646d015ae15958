"""Reading a dataset: footers and listings, many at a time, and only of what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from allotment.data.datasets.csv_dialect import check_options
from allotment.data.datasets.csv_files import read_csv
from allotment.data.datasets.facts import FileFacts, FileRefused
from allotment.data.datasets.footers_cache import FootersCache, way_of
from allotment.data.datasets.listing import Listed, ListedFile, list_files
from allotment.data.datasets.parquet import MARK, read_parquet
from allotment.data.datasets.patience import Patience
from allotment.data.datasets.schemas import joined, of_another_schema, options_of
from allotment.data.datasets.stores.store import FileUnreadable, Store, StoredFile
from allotment.data.problems import SourceProblem
from allotment.model.datasets import (
    DatasetReading,
    FileFormat,
    FileProblem,
)
from allotment.model.partitions import partitions_of, with_partitions

IN_FLIGHT = 32
"""Requests at a time."""
MOST_PROBLEMS = 100
"""Problems that are told one by one; the others are counted."""
MOST_UNREADABLE = 32
"""Files that cannot be read at all, after which no others are tried."""
_REMEMBER = 1_000
"""Files after which what was read is kept: so much, at most, is read again after a reading that broke off."""


def read_dataset(
    uris: Iterable[str],
    asked: FileFormat | None,
    options: Mapping[str, Any],
    store: Store,
    cache: FootersCache,
    now: datetime,
    patience: Patience | None = None,
) -> tuple[FileFormat, DatasetReading]:
    """Read what a dataset's files tell of themselves; their contents stay where they are.

    Args:
        uris: files, folders (ending in ``/``) and patterns.
        asked: how the files are written, None to find out from the first.
        options: how a CSV is read, where somebody said; what is not said is found out.
        store: where they lie, opened as a server would.
        cache: what was read before.
        now: the time of the reading.
        patience: what it may take; None: as much as somebody who waits for it has.

    Returns:
        How the files are written, and the reading. Files that are missing, unreadable or of another
        schema are among its ``problems``, each with its reason.

    Raises:
        SourceProblem: nothing could be read at all, or patience ended; what was read until then is kept.
    """
    patience = patience or Patience()
    listed = list_files(uris, store, patience)
    return read_listed(listed, asked, options, store, cache, now, patience)


def read_listed(
    listed: Listed,
    asked: FileFormat | None,
    options: Mapping[str, Any],
    store: Store,
    cache: FootersCache,
    now: datetime,
    patience: Patience,
) -> tuple[FileFormat, DatasetReading]:
    """As :func:`read_dataset`, for files that were listed already."""
    format_ = asked or (_found_out(listed.files[0], store) if listed.files else FileFormat.PARQUET)
    chosen = _checked(format_, options)
    reader = _Reader(format_, chosen, store, patience)
    facts, refused = _facts(listed.files, reader, cache)
    first = next((facts[one.stored] for one in listed.files if one.stored in facts), None)
    problems = [*listed.problems, *refused]
    if format_ is FileFormat.PARQUET and first:
        problems += of_another_schema(listed.files, facts, first.columns)
    columns = first.columns if first else ()
    if format_ is FileFormat.CSV and first:
        columns, others = joined(listed.files, facts, first)
        problems += others
    partitions = partitions_of(one.path for one in listed.files)
    rows = [one.rows for one in facts.values() if one.rows is not None]
    reading = DatasetReading(
        at=now,
        columns=with_partitions(columns, partitions) if columns else (),
        rows=sum(rows) if len(rows) == len(facts) else None,
        rows_exact=all(one.rows_exact for one in facts.values()),
        size=listed.size,
        files=len(listed.files),
        options=options_of(facts.values(), first),
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
    files: tuple[ListedFile, ...], reader: _Reader, cache: FootersCache
) -> tuple[dict[StoredFile, FileFacts], list[FileProblem]]:
    """The facts of every file that has some, and a problem for each that has not.

    Raises:
        SourceProblem: patience ended before all were read.
    """
    facts = cache.known((one.stored for one in files), reader.way)
    unread = [one for one in files if one.stored not in facts]
    problems, untried = [], 0
    for some, found in _read(unread, reader):
        fresh = {
            file.stored: one
            for file, one in zip(some, found, strict=True)
            if isinstance(one, FileFacts)
        }
        cache.keep(fresh, reader.way)
        facts |= fresh
        problems += [
            FileProblem(file.uri, one)
            for file, one in zip(some, found, strict=True)
            if isinstance(one, str)
        ]
        untried += found.count(None)
    if untried and reader.patience.is_over:
        raise _ran_out(len(files) - untried, len(files), reader.patience)
    if untried:
        problems.append(FileProblem("", f"{untried:,} more files were not tried after these"))
    return facts, problems


def _read(
    files: list[ListedFile], reader: _Reader
) -> Iterator[tuple[list[ListedFile], list[FileFacts | str | None]]]:
    """Read files, many at a time, and answer them by the thousand."""
    with ThreadPoolExecutor(min(IN_FLIGHT, max(1, len(files)))) as pool:
        reading = pool.map(reader.read, files)
        for start in range(0, len(files), _REMEMBER):
            some = files[start : start + _REMEMBER]
            yield some, list(islice(reading, len(some)))


def _ran_out(read: int, files: int, patience: Patience) -> SourceProblem:
    return SourceProblem(
        f"{read:,} of {files:,} files were read within {patience.seconds:,.0f} s.",
        remedy="What was read is remembered: do it again, and it goes on from there. "
        "Fewer, larger files would take less.",
    )


class _Reader:
    """Reads one file after the other, by many threads, until too many could not be read at all.

    A store that answers nothing would otherwise be waited for once for each of thousands.
    """

    def __init__(
        self, format_: FileFormat, chosen: dict[str, Any], store: Store, patience: Patience
    ) -> None:
        self._format, self._chosen, self._store = format_, chosen, store
        self.way, self.patience = way_of(format_.value, chosen), patience
        self._unreadable = 0

    def read(self, file: ListedFile) -> FileFacts | str | None:
        """The facts of one file, or what is wrong with it; None where it was not tried any more."""
        if self._unreadable >= MOST_UNREADABLE or self.patience.is_over:
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


def _told(problems: list[FileProblem]) -> tuple[FileProblem, ...]:
    if len(problems) <= MOST_PROBLEMS:
        return tuple(problems)
    rest = len(problems) - MOST_PROBLEMS
    more = FileProblem("", f"{rest:,} more files have problems")
    return (*problems[:MOST_PROBLEMS], more)
