"""A commit: files are hashed on their way into the target, then one commit names them all.

Contents come first and the commit last, so that a commit that dies half-way leaves no version: only
contents that nothing names yet, which the next run finds there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from allotment.data.datasets.footers_cache import FootersCache
from allotment.data.datasets.listing import ListedFile, list_files
from allotment.data.datasets.patience import Patience
from allotment.data.datasets.reading import read_listed
from allotment.data.datasets.stores.renewing import Lend, RenewingStore
from allotment.data.datasets.stores.store import Store
from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions import layout
from allotment.data.versions.coming import Coming, Progress, room_for
from allotment.data.versions.contents import Contents, open_contents, put
from allotment.data.versions.history import History, NewVersion
from allotment.data.versions.known import Known
from allotment.data.versions.target import OpenedTarget
from allotment.model.datasets import DatasetReading, FileFormat
from allotment.model.sources import Credential, SourceKind
from allotment.model.versions import ContentsKind, VersionFile

IN_FLIGHT = 16
"""Files on their way at a time."""
_REMEMBER = 200
"""Files after which what is there is written down: so much a commit that died does again at most."""
_TOLD = 5


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """Everything that a commit needs, for a process of its own.

    ``space`` is the dataset's own place in the target, whatever had its name before; ``kind`` and
    ``credential`` open the files as ``stores.open_store`` does; ``number`` is what the record calls
    the version; ``work`` is a folder of the control plane for caches and copies of histories;
    ``closed`` are folders that files of no source do not lead into; ``cleanings`` counts when contents
    were taken out of the space.
    """

    dataset: str
    space: str
    uris: tuple[str, ...]
    format: FileFormat
    options: Mapping[str, Any]
    kind: SourceKind | None
    credential: Credential | None = field(repr=False)
    target: OpenedTarget = field(repr=False)
    number: int
    message: str
    person: str
    at: datetime
    door: Door
    work: Path
    closed: tuple[Path, ...] = ()
    cleanings: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit has made: its name in the history, and what its files told."""

    commit: str
    files: int
    size: int
    rows: int | None
    reading: DatasetReading


def commit(request: CommitRequest, progress: Progress, lend: Lend | None = None) -> Committed:
    """Make a version of the files as they are now.

    Args:
        request: what to commit, and all that is needed for it.
        progress: is called with bytes done and bytes in all.
        lend: gives another credential to read with, before the request's own ends.

    Raises:
        SourceProblem: a file cannot be used or was changed meanwhile, or the target refused.
    """
    cache = FootersCache(request.work / "footers.sqlite")
    door = replace(request.door, closed_paths=request.closed)
    opened = RenewingStore(request.kind, request.credential, door, lend)
    with closing(opened) as store:
        # It reads all of the files, which takes as long as it takes.
        patience = Patience(seconds=None)
        listed = list_files(request.uris, store, patience)
        progress(0, listed.size)
        _, reading = read_listed(
            listed, request.format, request.options, store, cache, request.at, patience
        )
        _all_usable(request.dataset, reading)
        opened_contents = open_contents(request.target, request.door, request.space, request.work)
        with closing(opened_contents) as contents:
            files = _kept(request, listed.files, store, contents, progress)
            return _named(request, files, contents, reading)


def _all_usable(dataset: str, reading: DatasetReading) -> None:
    if reading.problems:
        told = "; ".join(f"{one.uri} {one.problem}" for one in reading.problems[:_TOLD])
        more = len(reading.problems) - _TOLD
        raise SourceProblem(
            f"{dataset!r} cannot be committed: {told}"
            + (f"; and {more} more." if more > 0 else "."),
            remedy="Mend the files, or change which files the dataset has, and commit again.",
        )


def _kept(
    request: CommitRequest,
    listed: tuple[ListedFile, ...],
    store: Store,
    contents: Contents,
    progress: Progress,
) -> tuple[VersionFile, ...]:
    """Put into the target what is not there, many files at a time."""
    place = place_of(request.target, request.space)
    # What was known to be there before it was cleaned may be gone.
    place += f"#{request.cleanings}" if request.cleanings else ""
    known = Known(request.work / "known.sqlite", place)
    hashes = known.hashes(one.stored for one in listed)
    room = room_for(contents)
    if contents.keeps_there:
        # What is there under another name is only known when it was read: it may ask for more than it takes.
        room.ask(sum(one.size for one in listed if one.stored not in hashes))
    coming = Coming(store, contents, known, progress, sum(one.size for one in listed), room)
    coming.done(sum(file.size for file in hashes))
    found: dict[str, str] = {one.path: hashes[one.stored] for one in listed if one.stored in hashes}
    fresh: list[tuple[ListedFile, str]] = []
    remembered = 0
    try:
        for file, md5 in _each(coming.bring, [one for one in listed if one.stored not in hashes]):
            found[file.path] = md5
            fresh.append((file, md5))
            if len(fresh) - remembered >= _REMEMBER:
                known.add((one.stored, name) for one, name in fresh[remembered:])
                remembered = len(fresh)
    finally:
        known.add((one.stored, name) for one, name in fresh[remembered:])
    return tuple(VersionFile(one.path, one.size, found[one.path]) for one in listed)


def _each(
    bring: Callable[[ListedFile], str], files: list[ListedFile]
) -> Iterator[tuple[ListedFile, str]]:
    """Each file with its hash as soon as it is there; the first failure ends it all."""
    rest = iter(files)
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        running: dict[Future[str], ListedFile] = {}
        try:
            while True:
                # No more are begun than run, so that a failure does not wait for thousands.
                for file in rest:
                    running[pool.submit(bring, file)] = file
                    if len(running) >= IN_FLIGHT:
                        break
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for one in ended:
                    yield running.pop(one), one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _named(
    request: CommitRequest,
    files: tuple[VersionFile, ...],
    contents: Contents,
    reading: DatasetReading,
) -> Committed:
    """Write what names the files, and the commit last of all."""
    tree, document = layout.directory(files)
    put(contents, layout.sizes_key(tree), layout.sizes(files))
    put(contents, layout.object_key(tree), document)
    meta = {
        "dataset": request.dataset,
        "version": request.number,
        "format": request.format.value,
        "options": dict(reading.options),
        "rows": reading.rows,
        "columns": [asdict(column) for column in reading.columns],
    }
    history = History(request.target, request.door, request.work)
    made = history.append(
        NewVersion(
            dataset=request.dataset,
            space=request.space,
            pointer=layout.pointer(request.space, tree, files, meta),
            remote=remote_of(request.target, request.space),
            message=request.message,
            person=request.person,
            at=request.at,
            tags=(f"v{request.number}",),
        )
    )
    rows = reading.rows if reading.rows_exact else None
    return Committed(made, len(files), sum(one.size for one in files), rows, reading)


def place_of(opened: OpenedTarget, space: str) -> str:
    """Where a target keeps a dataset's contents, as one word."""
    return remote_of(opened, space)["url"] + "@" + str(opened.target.contents.get("endpoint") or "")


def remote_of(opened: OpenedTarget, space: str) -> dict[str, str]:
    """Where a target keeps a dataset's contents, in the words of DVC's configuration."""
    fields = opened.contents_source(space).fields
    if opened.target.contents_kind is ContentsKind.FOLDER:
        return {"url": str(fields["path"])}
    scheme = "s3" if opened.target.contents_kind is ContentsKind.S3 else "gs"
    remote = {"url": f"{scheme}://{fields['bucket']}/{str(fields['prefix']).rstrip('/')}"}
    if scheme == "s3":
        named = {"endpointurl": fields.get("endpoint"), "region": fields.get("region")}
        remote |= {name: str(value) for name, value in named.items() if value}
    return remote
