"""Histories: the git repository of a target, in which each version of a dataset is a commit."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dulwich.object_store import commit_tree_changes, tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.refs import Ref
from dulwich.repo import Repo

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.data.versions.layout import CONFIG, pointer_path, with_remote
from allotment.data.versions.repositories import Repository, open_repository
from allotment.data.versions.target import OpenedTarget
from allotment.model.reasons import Rule

_ATTEMPTS = 20
"""How often a commit is put anew on top of one that came between: each means that another was kept."""
_PLAIN_FILE = 0o100644
_WELCOME = b"Keep versions here\n"


@dataclass(frozen=True, slots=True)
class NewVersion:
    """What a commit says. ``pointer`` names its files, ``remote`` is DVC's word on where they are.

    In the repository it goes by the ``space`` of its dataset; the name is for people who read the log.
    """

    dataset: str
    space: str
    pointer: bytes
    remote: Mapping[str, str]
    message: str
    person: str
    at: datetime
    tags: tuple[str, ...] = ()


class History:
    """The history of one target. ``work`` is a folder for a copy of a repository that lies elsewhere."""

    def __init__(self, opened: OpenedTarget, door: Door, work: Path) -> None:
        self._target = opened.name
        self._repository: Repository = open_repository(opened, door, work)

    def append(self, new: NewVersion) -> str:
        """Put a commit on top of whatever is there by then, so that of two at once both are kept.

        Raises:
            SourceProblem: the repository is not there, or refuses it.
        """
        with _alone(self._repository.lock):
            for _ in range(_ATTEMPTS):
                head = self._repository.head()
                made = self._commit(head, new)
                refs = {_tag(new.space, one): made for one in new.tags}
                if self._repository.publish(head, made, refs):
                    return made.decode()
        raise SourceProblem(
            f"The history of {self._target!r} changes faster than a commit can be added to it.",
            remedy="Commit again.",
        )

    def pointer(self, space: str, commit: str) -> bytes:
        """What a commit says of a dataset's files.

        Raises:
            SourceProblem: the repository has no such commit.
        """
        repository = self._repository.local
        sha = ObjectID(commit.encode())
        if sha not in repository.object_store:
            with _alone(self._repository.lock):
                self._repository.head()
        try:
            found = _blob(repository, sha, pointer_path(space))
        except (KeyError, ValueError):
            found = None
        if found is None:
            raise SourceProblem(
                f"The history of {self._target!r} has no commit {commit[:12]} of {space!r}.",
                remedy="Ask an operator whether the repository was changed by somebody else.",
                rule=Rule.DATA_VERSION,
            )
        return found

    def tag(self, space: str, tags: Mapping[str, str | None]) -> None:
        """Let tags name commits; None takes a tag away."""
        refs = {
            _tag(space, name): ObjectID(commit.encode()) if commit else None
            for name, commit in tags.items()
        }
        with _alone(self._repository.lock):
            self._repository.head()
            self._repository.label(refs)

    def test(self, at: datetime) -> None:
        """Show that commits can be added: by the first one, or by a label that is taken away again.

        Raises:
            SourceProblem: they cannot.
        """
        with _alone(self._repository.lock):
            head = self._repository.head()
            if head is None:
                config = Blob.from_string(b"[core]\n    analytics = false\n")
                made = self._store(None, {CONFIG: config}, _WELCOME, "allotment", at)
                self._repository.publish(None, made, {})
                return
            probe = Ref(b"refs/tags/allotment/probe")
            self._repository.label({probe: head})
            self._repository.label({probe: None})

    def _commit(self, head: ObjectID | None, new: NewVersion) -> ObjectID:
        repository = self._repository.local
        config = (_blob(repository, head, CONFIG) if head else None) or b""
        changes = {
            pointer_path(new.space): Blob.from_string(new.pointer),
            CONFIG: Blob.from_string(with_remote(config, new.space, new.remote)),
        }
        message = f"{new.dataset}: {new.message}\n".encode()
        return self._store(head, changes, message, new.person, new.at)

    def _store(
        self,
        head: ObjectID | None,
        changes: Mapping[str, Blob],
        message: bytes,
        person: str,
        at: datetime,
    ) -> ObjectID:
        """A commit with some files changed, that no branch names yet."""
        objects = self._repository.local.object_store
        before = _commit_of(self._repository.local, head).tree if head else Tree().id
        if head is None:
            objects.add_object(Tree())
        for blob in changes.values():
            objects.add_object(blob)
        commit = Commit()
        commit.tree = commit_tree_changes(
            objects,
            before,
            [(path.encode(), _PLAIN_FILE, blob.id) for path, blob in changes.items()],
        )
        commit.parents = [head] if head else []
        mail = person if "@" in person else f"{person}@allotment"
        commit.author = commit.committer = f"{person} <{mail}>".encode()
        commit.author_time = commit.commit_time = int(at.timestamp())
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = b"UTF-8"
        commit.message = message
        objects.add_object(commit)
        return commit.id


def _commit_of(repository: Repo, sha: ObjectID) -> Commit:
    found = repository[sha]
    if not isinstance(found, Commit):
        raise ValueError("no commit")  # noqa: TRY004 - of the history, not of a caller's type
    return found


def _blob(repository: Repo, commit: ObjectID, path: str) -> bytes | None:
    tree = _commit_of(repository, commit).tree
    try:
        _, sha = tree_lookup_path(repository.object_store.__getitem__, tree, path.encode())
    except KeyError:
        return None
    return repository.object_store[sha].as_raw_string()


def _tag(space: str, name: str) -> Ref:
    return Ref(f"refs/tags/{_step(space)}/{_step(name)}".encode())


def _step(name: str) -> str:
    """A name as a step of a ref: git has a meaning of its own for two dots and ``.lock``."""
    plain = name.replace("..", ".%2e")
    return f"{plain.removesuffix('.lock')}%2elock" if plain.endswith(".lock") else plain


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time in one repository of this machine."""
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
