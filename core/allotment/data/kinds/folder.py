"""A folder as a source: servers on this machine, or with the same mount, read its files."""

from __future__ import annotations

import errno
import heapq
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from allotment.data.door import Door
from allotment.data.kinds.attempts import Attempts, unproven
from allotment.data.kinds.kind import Borrower, FormField, Lends, Opened
from allotment.data.kinds.places import below
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Entry, Proof, SourceKind, Verdict

LOOKED_AT = 10_000
"""How many files and folders a proof looks at, at most."""
MARK = ".allotment-proof-"


class Folder:
    """A folder below the platform's data folders."""

    kind = SourceKind.FOLDER
    title = "Folder"
    lends = Lends.ITSELF
    holds_files = True
    fields = (
        FormField(
            "path",
            "Folder",
            "A path on the machine of the control plane, below a folder that an operator has listed. "
            "Servers read it under the same path.",
            required=True,
            placeholder="/data/shared/sales",
        ),
    )

    def validate(self, source: Opened) -> None:
        """Refuse a path that is not absolute."""
        if not str(source.fields["path"]).startswith("/"):
            raise SourceProblem("The folder is no absolute path.", remedy="Write it from / on.")

    def check(self, source: Opened, door: Door) -> str:
        """List it."""
        place = _place(source, door)
        with _told(place), os.scandir(place) as found:
            empty = next(found, None) is None
        return (
            f"Folder {place}.{' It is empty.' if empty else ''} Servers read its files themselves."
        )

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write a file into it, and look at the rights of what it holds."""
        try:
            place = _place(source, door)
            with _told(place):
                return _attempt_writes(place, now)
        except SourceProblem as problem:
            return unproven(now, str(problem))

    def issue(
        self,
        source: Opened,
        borrower: Borrower,
        door: Door,
        now: datetime,  # noqa: ARG002 - the signature is every kind's
    ) -> Credential:
        """Its path, with symbolic links resolved: rights are the system's, and the folder's as a whole."""
        root = str(source.fields["path"]).rstrip("/") + "/"
        whole = any(not one.exact and root.startswith(one.key) for one in borrower.within)
        wider = bool(borrower.within) and not whole
        return Credential({"path": str(_place(source, door))}, wider=wider)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Nothing is made for a server."""

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """Folders and files by name; ``next`` is the last name shown."""
        root = _place(source, door)
        place = door.path(str(root / below("", path)))
        if not place.is_relative_to(root):
            raise SourceProblem(
                f"{'/'.join(path)[:200]!r} is no place below this source.",
                remedy="Choose another place.",
            )
        with _told(place), os.scandir(place) as found:
            names = heapq.nsmallest(limit + 1, (one.name for one in found if one.name > after))
        shown = tuple(_entry(root, place, path, name, door) for name in names[:limit])
        return Browsed(shown, names[limit - 1] if len(names) > limit else None)


def _place(source: Opened, door: Door) -> Path:
    return door.path(str(source.fields["path"]))


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """Tell what the system refuses."""
    try:
        yield
    except OSError as error:
        remedies = {
            errno.ENOENT: "Check its spelling, and that it is mounted.",
            errno.EACCES: "Give the system account of the platform the right to read it.",
        }
        raise SourceProblem(
            f"Folder {place}: {os.strerror(error.errno or 0)}.",
            remedy=remedies.get(error.errno or 0, ""),
        ) from None


def _entry(root: Path, place: Path, path: tuple[str, ...], name: str, door: Door) -> Entry:
    """One thing in a folder; a link that leads out of it cannot be opened."""
    within = (*path, name)
    try:
        real = door.path(str(place / name))
        found = real.stat()
    except (SourceProblem, OSError):
        return Entry(name, "link", within)
    if not real.is_relative_to(root):
        return Entry(name, "link", within)
    changed_at = datetime.fromtimestamp(found.st_mtime, UTC)
    if stat.S_ISDIR(found.st_mode):
        return Entry(name, "folder", within, holds=True, changed_at=changed_at)
    if stat.S_ISREG(found.st_mode):
        return Entry(name, "file", within, size=found.st_size, changed_at=changed_at)
    return Entry(name, "other", within)


def _attempt_writes(place: Path, now: datetime) -> Proof:
    attempts = Attempts()
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        attempts.refused("write (its file system is mounted read-only)")
        return attempts.proof(now)
    problem = _create(place, attempts)
    _look(place, attempts)
    _look_above(place, attempts)
    proof = attempts.proof(now)
    if problem and proof.verdict is Verdict.READ_ONLY:
        return replace(proof, verdict=Verdict.UNPROVEN, problem=problem)
    return proof


def _create(place: Path, attempts: Attempts) -> str:
    """Try to make a file; says why that showed nothing, if it did not."""
    made = place / f"{MARK}{secrets.token_hex(8)}"
    try:
        os.close(os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            attempts.refused("make a file")
            return ""
        attempts.undecided("make a file", os.strerror(error.errno or 0))
        return f"Whether users could make a file is not known: {os.strerror(error.errno or 0)}."
    attempts.succeeded("make a file")
    with suppress(OSError):
        made.unlink()
    return ""


def _look(place: Path, attempts: Attempts) -> None:
    """Look at the rights of everything, up to a number of things, until something can be written."""
    account, looked = os.geteuid(), 0
    for folder, folders, files in os.walk(place):
        for name in (".", *folders, *files):
            looked += 1
            if looked > LOOKED_AT:
                attempts.remark(f"Only the first {LOOKED_AT} files and folders were looked at.")
                return
            found = Path(folder, name)
            shown = found.relative_to(place).as_posix()
            with suppress(OSError):
                if found.lstat().st_uid == account:
                    attempts.holds(f"change the rights of {shown}: servers' account owns it")
                    return
                if not found.is_symlink() and os.access(found, os.W_OK):
                    attempts.holds(f"write to {shown}")
                    return
    attempts.remark(
        f"{looked} files and folders: none belongs to servers' account or lets it write"
    )


def _look_above(place: Path, attempts: Attempts) -> None:
    """Who may write into a folder above can put another in its place, unless it is a shared one."""
    account = os.geteuid()
    for below_it, above in pairwise((place, *place.parents)):
        found = above.stat()
        shared = found.st_mode & stat.S_ISVTX and below_it.stat().st_uid != account
        if found.st_uid == account or (os.access(above, os.W_OK) and not shared):
            attempts.holds(
                f"put another folder in its place: servers' account may write to {above}"
            )
            return
