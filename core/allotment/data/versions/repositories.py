"""Where a history lies: a git repository in a folder, or one that is reached by HTTP."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from dulwich.client import HTTPUnauthorized, SendPackResult, Urllib3HttpGitClient
from dulwich.errors import (
    GitProtocolError,
    HangupException,
    NotGitRepository,
    SendPackError,
)
from dulwich.file import FileLocked
from dulwich.objects import ZERO_SHA, ObjectID
from dulwich.pack import UnpackedObject
from dulwich.refs import Ref
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError, SSLError

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.git_http import git_client
from allotment.data.versions.target import OpenedTarget
from allotment.model.versions import MetadataKind

_LOCK = "allotment.lock"
_LONGEST_BRANCH = 200
_RECENT = 1_000
"""Commits on top of ours among which it is looked for."""


class Repository(Protocol):
    """A repository that commits are added to by comparing and swapping its branch."""

    local: Repo
    """Where objects are read, and made before they are published."""
    lock: Path

    def head(self) -> ObjectID | None:
        """The newest commit, fetched if need be; None in an empty repository."""

    def publish(
        self, before: ObjectID | None, commit: ObjectID, refs: Mapping[Ref, ObjectID]
    ) -> bool:
        """Let the branch name a commit, and tags too, if it still names ``before``; else answer False."""

    def label(self, refs: Mapping[Ref, ObjectID | None]) -> None:
        """Let tags name commits; None deletes one."""


def open_repository(opened: OpenedTarget, door: Door, work: Path) -> Repository:
    """Open a target's history.

    Raises:
        SourceProblem: its place may not be opened, or holds something else.
    """
    fields = opened.target.metadata
    if opened.target.metadata_kind is MetadataKind.FOLDER:
        return FolderRepository(door.path(str(fields["path"])))
    return RemoteRepository(opened, door, work)


class FolderRepository:
    """A bare repository in a folder, made there if it is empty."""

    branch = Ref(b"refs/heads/main")

    def __init__(self, folder: Path) -> None:
        self.local = _opened_or_made(folder)
        self.lock = folder / _LOCK

    def head(self) -> ObjectID | None:
        """What the branch names now."""
        try:
            return self.local.refs[self.branch]
        except KeyError:
            return None

    def publish(
        self, before: ObjectID | None, commit: ObjectID, refs: Mapping[Ref, ObjectID]
    ) -> bool:
        """Compare and swap, by git's own lock files."""
        try:
            if before is None:
                swapped = self.local.refs.add_if_new(self.branch, commit)
            else:
                swapped = self.local.refs.set_if_equals(self.branch, before, commit)
        except FileLocked:
            # Somebody else's git is at it, on another machine or by hand.
            return False
        if swapped:
            self.label(refs)
        return swapped

    def label(self, refs: Mapping[Ref, ObjectID | None]) -> None:
        """Write or remove tags."""
        for ref, sha in refs.items():
            if sha is None:
                self.local.refs.remove_if_equals(ref, None)
            else:
                self.local.refs.set_if_equals(ref, None, sha)


class RemoteRepository:
    """A repository behind HTTP, and a copy of its branch in a folder of ours."""

    def __init__(self, opened: OpenedTarget, door: Door, work: Path) -> None:
        fields = opened.target.metadata
        self._url = str(fields["url"])
        self._path = urlsplit(self._url).path
        self._door = door
        self._user = str(fields.get("username") or "git")
        self._token = opened.metadata_secret("token")
        self._authority = str(fields.get("ca") or "")
        self._branch = _branch(str(fields.get("branch") or "main"))
        folder = work / f"{opened.name}.git"
        self.local = _opened_or_made(folder)
        self.lock = folder / _LOCK

    def head(self) -> ObjectID | None:
        """Fetch the branch."""
        with self._told():
            found = self._client().fetch(
                self._path,
                self.local,
                determine_wants=self._wanted,
            )
        head = found.refs.get(self._branch)
        if head is not None:
            self.local.refs[self._branch] = head
        return head

    def publish(
        self, before: ObjectID | None, commit: ObjectID, refs: Mapping[Ref, ObjectID]
    ) -> bool:
        """Push; the server swaps only what is still as it was when it was asked."""
        moved = False

        def update(there: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            nonlocal moved
            moved = there.get(self._branch) != before
            # Nothing to change ends the push.
            return {} if moved else {self._branch: commit, **refs}

        result = self._push(update)
        if moved:
            return False
        # Another may have come between the server's answer and our push. Not every server says so:
        # what counts is whether its branch holds the commit.
        head = self.head()
        if head is not None and self._holds(head, commit):
            return True
        if head != before:
            return False
        refused = [why for why in (result.ref_status or {}).values() if why]
        raise self._problem(f"refused the commit ({refused[0] if refused else 'without a word'})")

    def _holds(self, head: ObjectID, commit: ObjectID) -> bool:
        walked = self.local.get_walker(include=[head], max_entries=_RECENT)
        return any(entry.commit.id == commit for entry in walked)

    def label(self, refs: Mapping[Ref, ObjectID | None]) -> None:
        """Push tags."""

        def update(there: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            wanted = {ref: ObjectID(ZERO_SHA) if sha is None else sha for ref, sha in refs.items()}
            return {ref: sha for ref, sha in wanted.items() if sha != ZERO_SHA or ref in there}

        refused = [why for why in (self._push(update).ref_status or {}).values() if why]
        if refused:
            raise self._problem(f"refused a tag ({refused[0]})")

    def _push(self, update: Callable[[dict[Ref, ObjectID]], dict[Ref, ObjectID]]) -> SendPackResult:
        def pack(
            have: AbstractSet[ObjectID],
            want: AbstractSet[ObjectID],
            *,
            ofs_delta: bool = False,
            progress: object = None,
        ) -> tuple[int, Iterator[UnpackedObject]]:
            del progress
            return self.local.generate_pack_data(set(have), set(want), ofs_delta=ofs_delta)

        with self._told():
            return self._client().send_pack(self._path, update, pack)

    def _wanted(self, refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
        del depth  # dulwich's signature
        head = refs.get(self._branch)
        return [] if head is None or head in self.local.object_store else [head]

    def _client(self) -> Urllib3HttpGitClient:
        return git_client(self._url, self._user, self._token, self._door, self._authority)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell failures in words, none of which holds the token."""
        try:
            yield
        except HTTPUnauthorized:
            raise self._problem("does not accept the token (HTTP 401)") from None
        except NotGitRepository:
            raise self._problem("is no git repository, or not visible with this token") from None
        except (GitProtocolError, HangupException, SendPackError) as error:
            if isinstance(error.__cause__, SSLError):
                raise self._not_believed(error) from None
            raise self._problem(f"could not be used: {_words(error)}") from None
        except (HTTPError, OSError) as error:
            raise self._problem(f"does not answer ({type(error).__name__})") from None

    def _not_believed(self, error: Exception) -> SourceProblem:
        return SourceProblem(
            f"{self._url} shows a certificate that is not believed: {_words(error)}.",
            remedy="Paste the certificate authority that signed it, or have it renewed.",
        )

    def _problem(self, what: str) -> SourceProblem:
        return SourceProblem(
            f"{self._url} {what}.", remedy="Check its URL, and that its token may read and push."
        )


def _opened_or_made(folder: Path) -> Repo:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder):
            if any(folder.iterdir()):
                return Repo(str(folder))
            return Repo.init_bare(str(folder), default_branch=b"main")
    except NotGitRepository:
        raise SourceProblem(
            f"{folder} holds something else than histories.", remedy="Choose an empty folder."
        ) from None
    except OSError as error:
        raise SourceProblem(
            f"{folder} cannot be used for histories: {error.strerror or error}.",
            remedy="Check that the control plane may write there.",
        ) from None


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Whoever comes second finds a repository that is made, and not one that is being made."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _branch(name: str) -> Ref:
    plain = name.isascii() and name.isprintable() and 0 < len(name) <= _LONGEST_BRANCH
    if not plain or any(one in name for one in " ~^:?*[\\") or ".." in name or name[0] in "-./":
        raise SourceProblem(f"{name[:80]!r} is no name of a branch.", remedy="Use main.")
    return Ref(f"refs/heads/{name}".encode())


def _words(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:200]
