"""A version of 1,000 files of 1 MB in S3: committed by us, and by DVC's own command line beside it.

SeaweedFS on this machine stands in for the store. DVC adds to its cache, commits to git and pushes;
we do the same in one pass, in a process of our own. Both start anew, each process included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import KINDS
from allotment.data.versions.committing import CommitRequest
from allotment.data.versions.process import commit_apart
from allotment.data.versions.reading import difference, files_of_version
from allotment.data.versions.target import OpenedTarget
from allotment.model.datasets import FileFormat
from allotment.model.sources import SourceKind
from allotment.model.versions import (
    ContentsKind,
    MetadataKind,
    Version,
    VersionState,
    VersionTarget,
)
from object_stores import S3Store, seaweedfs
from table import Row, main

SIZE = 1_000_000
SLOWER = 1.05
"""How much longer than DVC's own we may take."""


def fill_folder(folder: Path, files: int) -> None:
    """CSV files that all differ."""
    folder.mkdir(parents=True)
    for number in range(files):
        write(folder / f"{number:04}.csv", number)


def write(file: Path, seed: int) -> None:
    """One CSV file of a megabyte, of other contents for another seed."""
    line = f"{seed},{os.urandom(24).hex()}\n"
    file.write_text("n,text\n" + line * (SIZE // len(line)))


class Ours:
    """Our way: one request to a process of its own."""

    def __init__(self, store: S3Store, root: Path, data: Path) -> None:
        form = fill(
            KINDS[SourceKind.S3].fields, store.fields(store.bucket(), "versions") | store.secrets
        )
        target = VersionTarget(
            "main",
            MetadataKind.FOLDER,
            ContentsKind.S3,
            metadata={"path": str(root / "histories")},
            contents=form.fields,
        )
        secrets = {f"contents.{name}": value or "" for name, value in form.secrets.items()}
        self.target = OpenedTarget(target, secrets)
        self.door = Door(roots=(root,), networks=(ip_network("127.0.0.0/8"),))
        self.data, self.work = data, root / "work"

    def commit(self, number: int) -> tuple[float, Version]:
        """Seconds, and the version."""
        request = CommitRequest(
            dataset="sales",
            space="sales",
            uris=(f"{self.data}/",),
            format=FileFormat.CSV,
            options={},
            kind=None,
            credential=None,
            target=self.target,
            number=number,
            message="benchmark",
            person="ada",
            at=datetime.now(UTC),
            door=self.door,
            work=self.work,
        )
        begin = time.perf_counter()
        made = commit_apart(request, lambda _done, _total: None)
        seconds = time.perf_counter() - begin
        state = VersionState.COMMITTED
        version = Version(
            "sales", number, state, "", "ada", request.at, "main", "sales", commit=made.commit
        )
        return seconds, version

    def difference(self, before: Version, after: Version) -> float:
        """Seconds until what is different is known."""
        begin = time.perf_counter()
        old = files_of_version(self.target, before, self.door, self.work)
        new = files_of_version(self.target, after, self.door, self.work)
        assert len(difference(before, after, old, new).changed) == 1
        return time.perf_counter() - begin


class Theirs:
    """DVC's own command line, with links instead of copies, as it advises."""

    def __init__(self, store: S3Store, folder: Path) -> None:
        self.folder = folder
        self._run("git", "init", "--quiet")
        self._dvc("init", "--quiet")
        self._dvc("config", "cache.type", "reflink,hardlink,symlink")
        self._dvc("remote", "add", "--default", "store", f"s3://{store.bucket()}/versions")
        self._dvc("remote", "modify", "store", "endpointurl", store.endpoint)
        self._dvc("remote", "modify", "store", "access_key_id", store.access_key_id)
        self._dvc("remote", "modify", "store", "secret_access_key", store.secret_access_key)

    def commit(self) -> float:
        """Seconds for adding, committing and pushing."""
        begin = time.perf_counter()
        self._dvc("add", "--quiet", "sales")
        self._run("git", "add", ".dvc", "sales.dvc")
        self._run("git", "commit", "--quiet", "--message", "benchmark")
        self._dvc("push", "--quiet")
        return time.perf_counter() - begin

    def difference(self) -> float:
        """Seconds until what is different is known."""
        begin = time.perf_counter()
        self._dvc("diff", "HEAD~1", "HEAD")
        return time.perf_counter() - begin

    def _dvc(self, *words: str) -> None:
        self._run(sys.executable, "-m", "dvc", *words)

    def _run(self, *words: str) -> None:
        named = {"NAME": "ada", "EMAIL": "ada@example.com"}
        git = {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in named.items()}
        subprocess.run(
            words,
            check=True,
            cwd=self.folder,
            env=os.environ | git | {"DVC_NO_ANALYTICS": "1"},
            stdout=subprocess.DEVNULL,
            timeout=600,
        )


def measure(quick: bool) -> list[Row]:
    """Both ways, first all files and then one that has changed."""
    files = 50 if quick else 1_000
    with tempfile.TemporaryDirectory() as name, seaweedfs(Path(name)) as store:
        root = Path(name)
        data, own = root / "data" / "sales", root / "theirs" / "sales"
        fill_folder(data, files)
        fill_folder(own, files)
        ours, theirs = Ours(store, root, data), Theirs(store, own.parent)
        first, before = ours.commit(1)
        first_theirs = theirs.commit()
        write(data / "0007.csv", 7)
        (own / "0007.csv").unlink()  # DVC's links are read-only
        write(own / "0007.csv", 7)
        again, after = ours.commit(2)
        again_theirs = theirs.commit()
        told, told_theirs = ours.difference(before, after), theirs.difference()
    return [
        _row(f"{files:,} files of 1 MB: add, commit, push", first, first_theirs, judged=not quick),
        _row("again after one file has changed", again, again_theirs, judged=not quick),
        _row("what is different", told, told_theirs, judged=not quick),
    ]


def _row(what: str, ours: float, theirs: float, *, judged: bool) -> Row:
    return Row(
        what,
        f"{ours:.2f} s",
        f"DVC: {theirs:.2f} s",
        f"{ours / theirs:.2f}",
        f"at most {SLOWER:.2f}",
        ours <= theirs * SLOWER if judged else None,
    )


if __name__ == "__main__":
    main("Versions of datasets, beside DVC's command line", measure)
