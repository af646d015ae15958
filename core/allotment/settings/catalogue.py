"""The catalogue: folders of profile files, and how what they say comes into force.

A folder is looked at again and again, by hub and control plane alike. Looking costs a ``stat`` per
file; a file is read when it changed, and the record is written when what it says changed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from allotment.model.names import check_name
from allotment.model.pod_settings import forbidden
from allotment.model.profiles import Profile
from allotment.model.software import device_variables
from allotment.record import Record, profiles
from allotment.settings.document import Document, Problem, parse_document
from allotment.settings.expectations import fit

log = logging.getLogger(__name__)

MOST_BYTES = 64 * 2**10
"""The largest profile file."""
ACTOR = "catalogue"
"""Who publishes, in the record's events."""
SUFFIXES = frozenset({".yaml", ".yml"})
_UNSETTLED = timedelta(seconds=2)
"""A file that changed this lately may change again without its times telling: it is read again."""

Signature = tuple[int, int, int, int]
"""Inode, size, and the times of the last change of contents and of inode, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class FoundProfile:
    """What one file says now. ``profile`` is None where it says nothing valid; ``problem`` says why."""

    name: str
    source: str
    digest: str
    profile: Profile | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one look changed in the record: names of profiles. ``problems`` are all there are now."""

    published: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Folder:
    path: Path
    files: Mapping[Path, Signature]
    problem: str = ""


def read_profile(path: Path) -> FoundProfile:
    """Read one profile file; the file's name is the profile's name."""
    name = _printable(path.stem)
    shown = _printable(f"{path.parent.name}/{path.name}")
    try:
        content = _read_inside(path)
    except OSError as error:
        problem = Problem(shown, 1, "", f"cannot be read: {error.strerror or error}")
        return FoundProfile(name, _printable(str(path)), "", None, str(problem))
    document = _within_bounds(parse_document(content, shown, most_bytes=MOST_BYTES))
    profile, misfits = fit(replace(document, value={**document.value, "name": path.stem}), Profile)
    problems = sorted({*document.problems, *_name_problems(document, path.stem, misfits)})
    return FoundProfile(
        name=name,
        source=_printable(str(path)),
        digest=hashlib.sha256(content).hexdigest(),
        profile=None if problems else profile,
        problem="; ".join(str(problem) for problem in problems),
    )


def _within_bounds(document: Document) -> Document:
    """The document with what no profile may say of pods and of devices among its problems, each where it stands."""
    found = [
        *forbidden(document.value.get("kubernetes"), ("kubernetes",)),
        *device_variables(document.value),
    ]
    problems = (document.problem(place, why) for place, why in found)
    return replace(document, problems=(*document.problems, *problems))


def _name_problems(document: Document, name: str, misfits: Iterable[Problem]) -> Iterator[Problem]:
    """The misfits, with what concerns the name said in terms of the file."""
    if "name" in document.value and document.value["name"] != name:
        yield document.problem(("name",), f"the file's name says it: expected {name!r}, or nothing")
    try:
        check_name(name)
    except ValueError as error:
        yield document.problem((), f"a profile has the name of its file: {error}")
    yield from (problem for problem in misfits if problem.key != "name")


def _read_inside(path: Path) -> bytes:
    """Read a file that, links followed, lies in its own folder."""
    target = path.resolve(strict=True)
    if not target.is_relative_to(path.parent.resolve()):
        message = "the link leads out of its folder"
        raise OSError(message)
    if not target.is_file():
        message = "it is not a file"
        raise OSError(message)
    with target.open("rb") as stream:
        return stream.read(MOST_BYTES + 1)


def _printable(text: str) -> str:
    """Text without the stand-ins for undecodable bytes of a file's name: the record cannot hold them."""
    return text.encode("utf-8", "replace").decode()


class Catalogue:
    """The profiles of some folders. Keep one per process; safe to use from several threads.

    ``at_most_every``: a look within this time of the last one is left out.
    """

    def __init__(
        self, folders: Sequence[Path], *, at_most_every: timedelta = timedelta(seconds=1)
    ) -> None:
        self._folders = tuple(folders)
        self._at_most_every = at_most_every
        self._turn = threading.Lock()
        self._looked_at: datetime | None = None
        self._read: dict[Path, tuple[Signature, FoundProfile]] = {}
        self._settled = False
        self._last: tuple[_Folder, ...] = ()
        self._problems: tuple[str, ...] = ()

    def refresh(self, record: Record, now: datetime) -> Refreshed:
        """Look at the folders, and bring what changed into force. Blocks: call it in a thread.

        While another thread looks, nobody waits for it.

        A broken file is named with line and reason in the record and in the answer, and the last
        good version stays in force. Of a folder that cannot be listed everything stays in force.

        Raises:
            RecordUnavailable: the record did not answer; the next call does it.
        """
        if not self._turn.acquire(blocking=False):
            return Refreshed(problems=self._problems)  # somebody is at it
        try:
            return self._refresh(record, now)
        finally:
            self._turn.release()

    def _refresh(self, record: Record, now: datetime) -> Refreshed:
        if self._looked_at is not None and abs(now - self._looked_at) < self._at_most_every:
            return Refreshed(problems=self._problems)
        self._looked_at = now
        folders = tuple(_look(folder) for folder in self._folders)
        if self._settled and folders == self._last:
            return Refreshed(problems=self._problems)
        found = self._found(folders)
        problems = (*(folder.problem for folder in folders if folder.problem),)
        problems += tuple(one.problem for one in found.values() if one.problem)
        refreshed = replace(_bring_in(record, found, folders, now), problems=problems)
        self._last, self._problems = folders, problems
        self._settled = all(_settled(folder, now) for folder in folders)
        return refreshed

    def _found(self, folders: Iterable[_Folder]) -> dict[str, FoundProfile]:
        """What the files say, by name; two files of one name are a problem of both."""
        by_name: dict[str, list[FoundProfile]] = defaultdict(list)
        read: dict[Path, tuple[Signature, FoundProfile]] = {}
        for folder in folders:
            for path, signature in folder.files.items():
                known = self._read.get(path)
                fresh = known is None or known[0] != signature or not self._settled
                found = read_profile(path) if known is None or fresh else known[1]
                read[path] = (signature, found)
                by_name[found.name].append(found)
        self._read = read
        return {
            name: files[0] if len(files) == 1 else _twice(files) for name, files in by_name.items()
        }


def _look(folder: Path) -> _Folder:
    try:
        with os.scandir(folder) as entries:
            files = {
                Path(entry.path): _signature(entry)
                for entry in entries
                if Path(entry.name).suffix in SUFFIXES and not entry.name.startswith(".")
            }
    except OSError as error:
        return _Folder(folder, {}, f"{folder}: the folder cannot be read: {error.strerror}")
    return _Folder(folder, dict(sorted(files.items())))


def _signature(entry: os.DirEntry[str]) -> Signature:
    try:
        found = entry.stat()
    except OSError:  # a link that leads nowhere, or a file that has just gone
        return (0, 0, 0, 0)
    size = found.st_size if stat.S_ISREG(found.st_mode) else -1
    return (found.st_ino, size, found.st_mtime_ns, found.st_ctime_ns)


def _settled(folder: _Folder, now: datetime) -> bool:
    newest = max((max(signature[2:]) for signature in folder.files.values()), default=0)
    return now.timestamp() - newest / 1e9 > _UNSETTLED.total_seconds()


def _twice(files: Sequence[FoundProfile]) -> FoundProfile:
    sources = " and ".join(file.source for file in files)
    return FoundProfile(
        name=files[0].name,
        source=files[0].source,
        digest="",
        profile=None,
        problem=f"{sources} both say what profile {files[0].name!r} is; keep one of them",
    )


def _bring_in(
    record: Record, found: Mapping[str, FoundProfile], folders: Sequence[_Folder], now: datetime
) -> Refreshed:
    with record.reading() as reading:
        known = {profile.name: profile for profile in profiles.all_profiles(reading)}
    changed = [one for name, one in found.items() if _differs(one, known.get(name))]
    unseen = tuple(f"{folder.path}{os.sep}" for folder in folders if folder.problem)
    gone = [
        profile.name
        for profile in known.values()
        if profile.name not in found
        and not profile.retired
        and not profile.source.startswith(unseen)
    ]
    if changed or gone:
        with record.writing(ACTOR, now) as writing:
            for one in changed:
                if one.profile is None:
                    profiles.mark_broken(writing, one.name, one.source, one.digest, one.problem)
                else:
                    profiles.publish(writing, one.profile, one.source, one.digest)
            for name in gone:
                profiles.retire(writing, name)
    refreshed = Refreshed(
        published=tuple(one.name for one in changed if one.profile is not None),
        broken=tuple(one.name for one in changed if one.profile is None),
        retired=tuple(gone),
    )
    _tell(refreshed, found)
    return refreshed


def _differs(found: FoundProfile, known: profiles.PublishedProfile | None) -> bool:
    if known is None or (known.problem, known.digest) != (found.problem, found.digest):
        return True
    if found.profile is None:
        return False
    return known.retired or (known.profile, known.source) != (found.profile, found.source)


def _tell(refreshed: Refreshed, found: Mapping[str, FoundProfile]) -> None:
    for name in refreshed.published:
        log.info("profile %s is in force as %s says it", name, found[name].source)
    for name in refreshed.broken:
        log.warning(
            "profile %s: its file is broken, the last good version stays in force: %s",
            name,
            found[name].problem,
        )
    for name in refreshed.retired:
        log.info("profile %s is withdrawn: its file is gone", name)
