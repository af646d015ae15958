"""Versions whose contents lie in buckets, and whose histories lie behind HTTP."""

from __future__ import annotations

import base64
import io
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pyarrow as pa
import pytest
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain
from google.api_core.retry import retry_base, retry_unary
from pyarrow import parquet

from allotment.data.datasets.stores import open_store
from allotment.data.datasets.stores.store import FileUnreadable, StoredFile
from allotment.data.datasets.uris import parse
from allotment.data.door import Door
from allotment.data.forms import fill
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.data.versions.committing import CommitRequest, commit
from allotment.data.versions.contents import KeptObject, open_contents, put
from allotment.data.versions.process import commit_apart
from allotment.data.versions.reading import files_of_version, uris_of
from allotment.data.versions.sweeping import not_needed, remove
from allotment.data.versions.target import OpenedTarget
from allotment.data.versions.testing import check_target
from allotment.model.datasets import FileFormat
from allotment.model.sources import Credential, SourceKind
from allotment.model.versions import (
    ContentsKind,
    MetadataKind,
    Version,
    VersionState,
    VersionTarget,
)
from object_stores import S3Store

TOKEN = "a-token-that-may-push"


def nothing(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def table(rows: int) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table({"n": list(range(rows))}), out)
    return out.getvalue()


@pytest.fixture
def door(loopback: Door, tmp_path: Path) -> Door:
    for name in ("data", "kept"):
        (tmp_path / name).mkdir()
    return replace(loopback, roots=(tmp_path / "data", tmp_path / "kept"))


@dataclass
class Git:
    """A git server, and what it was asked for."""

    repository: Repo
    url: str = ""
    before_push: list[Callable[[], None]] = field(default_factory=list)


@pytest.fixture
def git(door: Door) -> Iterator[Git]:
    """A repository behind HTTP that lets only the token in."""
    place = door.roots[1] / "served.git"
    served = Git(Repo.init_bare(str(place), mkdir=True, default_branch=b"main"))
    inside = make_wsgi_chain(DictBackend({"/data/versions.git": served.repository}))
    wanted = "Basic " + base64.b64encode(f"git:{TOKEN}".encode()).decode()

    def guarded(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/moved"):
            start("301 Moved", [("Location", served.url.replace("127.0.0.1", "localhost"))])
            return [b""]
        if environ.get("HTTP_AUTHORIZATION") != wanted:
            start("401 Unauthorized", [("WWW-Authenticate", "Basic")])
            return [b""]
        if environ["REQUEST_METHOD"] == "POST" and "receive-pack" in environ["PATH_INFO"]:
            for one in [*served.before_push]:
                served.before_push.remove(one)
                one()
        found: Iterable[bytes] = inside(environ, start)
        return found

    with make_server("127.0.0.1", 0, guarded, handler_class=Quiet) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/data/versions.git"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


class Quiet(WSGIRequestHandler):
    """Says nothing of requests."""

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def git_target(git: Git, tmp_path: Path, token: str = TOKEN, **fields: str) -> OpenedTarget:
    target = VersionTarget(
        "main",
        MetadataKind.GIT,
        ContentsKind.FOLDER,
        metadata={"url": git.url, "branch": "main", "username": "git", **fields},
        contents={"path": str(tmp_path / "kept" / "contents")},
    )
    return OpenedTarget(target, {"metadata.token": token})


def request(
    target: OpenedTarget, door: Door, tmp_path: Path, *, number: int = 1, **changes: Any
) -> CommitRequest:
    asked: dict[str, Any] = {
        "dataset": "sales",
        "space": "sales",
        "uris": (f"{tmp_path}/data/",),
        "format": FileFormat.PARQUET,
        "options": {},
        "kind": None,
        "credential": None,
        "target": target,
        "number": number,
        "message": f"Number {number}",
        "person": "ada@example.com",
        "at": datetime.now(UTC),
        "door": door,
        "work": tmp_path / f"work-{number}",
    }
    return CommitRequest(**{**asked, **changes})


def made(asked: CommitRequest, name: str) -> Version:
    state = VersionState.COMMITTED
    return Version(
        asked.dataset, asked.number, state, "", "ada", asked.at, "main", asked.space, commit=name
    )


@pytest.mark.promise("SET-4")
def test_a_history_behind_http_is_pushed_to_with_a_token(
    git: Git, door: Door, tmp_path: Path
) -> None:
    (tmp_path / "data/a.parquet").write_bytes(table(3))
    target = git_target(git, tmp_path)
    check_target(target, door, tmp_path / "work", datetime.now(UTC))
    asked = request(target, door, tmp_path)

    version = made(asked, commit_apart(asked, nothing).commit)

    head = git.repository[b"refs/heads/main"]
    assert head.id.decode() == version.commit
    assert head.message == b"sales: Number 1\n"
    assert head.author == b"ada@example.com <ada@example.com>"
    assert b"refs/tags/sales/v1" in git.repository.refs
    # Another control plane, that has no copy of the history yet.
    (found,) = files_of_version(target, version, door, tmp_path / "elsewhere")
    assert found.path == "a.parquet"


@pytest.mark.promise("SET-4")
def test_a_push_that_comes_between_is_kept_and_so_is_ours(
    git: Git, door: Door, tmp_path: Path
) -> None:
    (tmp_path / "data/a.parquet").write_bytes(table(3))
    target = git_target(git, tmp_path)
    commit(request(target, door, tmp_path, number=1), nothing)
    served = {"path": git.repository.path}
    behind = OpenedTarget(
        replace(target.target, metadata_kind=MetadataKind.FOLDER, metadata=served)
    )
    theirs: list[str] = []
    # The server runs this while our push is on its way.
    git.before_push.append(
        lambda: theirs.append(commit(request(behind, door, tmp_path, number=2), nothing).commit)
    )

    ours = commit(request(target, door, tmp_path, number=3), nothing).commit

    kept = [entry.commit.id.decode() for entry in git.repository.get_walker()]
    assert kept[:2] == [ours, *theirs]


@pytest.mark.promise("SET-4", "DATA-5")
@pytest.mark.parametrize(
    ("token", "fields", "words"),
    [
        ("wrong", {}, "does not accept the token"),
        (TOKEN, {"url": "http://169.254.169.254/x.git"}, "metadata service"),
        (TOKEN, {"url": "file:///etc"}, "cannot be opened"),
        (TOKEN, {"url": "http://me:pass@127.0.0.1/x.git"}, "holds a name or password"),
        (TOKEN, {"branch": "../x"}, "no name of a branch"),
    ],
)
def test_a_history_that_cannot_be_used_says_why_and_never_the_token(
    git: Git, door: Door, tmp_path: Path, token: str, fields: dict[str, str], words: str
) -> None:
    target = git_target(git, tmp_path, token, **fields)

    with pytest.raises(SourceProblem, match=words) as told:
        check_target(target, door, tmp_path / "work", datetime.now(UTC))

    assert token not in str(told.value)
    assert "pass" not in str(told.value).replace("password", "")


def test_a_history_that_redirects_is_not_followed(git: Git, door: Door, tmp_path: Path) -> None:
    url = git.url.replace("/data/", "/moved/")

    with pytest.raises(SourceProblem, match="301"):
        check_target(git_target(git, tmp_path, url=url), door, tmp_path / "work", datetime.now(UTC))


def s3_target(store: S3Store, tmp_path: Path, **fields: str) -> OpenedTarget:
    given = store.fields(store.bucket(), "versions") | store.secrets | fields
    form = fill(KINDS[SourceKind.S3].fields, given)
    target = VersionTarget(
        "main",
        MetadataKind.FOLDER,
        ContentsKind.S3,
        metadata={"path": str(tmp_path / "kept" / "histories")},
        contents=form.fields,
    )
    return OpenedTarget(target, {f"contents.{k}": v for k, v in form.secrets.items() if v})


def lent(target: OpenedTarget, dataset: str, door: Door) -> Credential:
    now = datetime.now(UTC)
    borrower = Borrower("ada", "lab", "a1", now + timedelta(minutes=30), "allotment_0")
    kind = KINDS[target.source_kind]
    return kind.issue(target.contents_source(dataset), borrower, door, now)


@pytest.mark.promise("SET-4", "DATA-2")
def test_a_version_in_a_bucket_is_read_with_what_is_lent_for_it_and_no_other(
    s3_store: S3Store, door: Door, tmp_path: Path
) -> None:
    (tmp_path / "data/a.parquet").write_bytes(table(3))
    target = s3_target(s3_store, tmp_path)
    check_target(target, door, tmp_path / "work", datetime.now(UTC))
    asked = request(target, door, tmp_path)
    version = made(asked, commit(asked, nothing).commit)
    secret = request(target, door, tmp_path, dataset="wages")
    commit(secret, nothing)

    files = files_of_version(target, version, door, tmp_path / "work")
    (uri,) = uris_of(target, "sales", files)

    with closing(open_store(SourceKind.S3, lent(target, "sales", door), door)) as store:
        (found,) = store.list(parse(uri))
        assert store.read(found, 0, found.size) == table(3)
        other = parse(uri.replace("/sales/", "/wages/"))
        with pytest.raises((FileUnreadable, SourceProblem)):
            store.read(StoredFile(other, found.size, found.etag), 0, 4)


@pytest.mark.promise("SET-4", "DATA-2")
def test_a_target_that_could_only_lend_its_own_key_is_refused(
    s3_store: S3Store, door: Door, tmp_path: Path
) -> None:
    target = s3_target(s3_store, tmp_path, lending="registered", role="")

    with pytest.raises(SourceProblem, match="cannot lend what only reads"):
        check_target(target, door, tmp_path / "work", datetime.now(UTC))


def gcs_target(store: Any, tmp_path: Path) -> OpenedTarget:
    given = store.fields(store.bucket({}), "versions") | store.secrets
    form = fill(KINDS[SourceKind.GCS].fields, given)
    return OpenedTarget(
        VersionTarget(
            "main",
            MetadataKind.FOLDER,
            ContentsKind.GCS,
            metadata={"path": str(tmp_path / "kept" / "histories")},
            contents=form.fields,
        ),
        {f"contents.{k}": v for k, v in form.secrets.items() if v},
    )


@pytest.mark.promise("SET-4")
def test_a_target_in_googles_store_keeps_and_gives_back(
    gcs_store: Any, door: Door, tmp_path: Path
) -> None:
    target = gcs_target(gcs_store, tmp_path)
    (tmp_path / "data/a.parquet").write_bytes(table(3))
    check_target(target, door, tmp_path / "work", datetime.now(UTC))
    asked = request(target, door, tmp_path)

    version = made(asked, commit(asked, nothing).commit)

    files = files_of_version(target, version, door, tmp_path / "work")
    (uri,) = uris_of(target, "sales", files)
    with closing(open_store(SourceKind.GCS, lent(target, "sales", door), door)) as store:
        (found,) = store.list(parse(uri))
        assert store.read(found, 0, found.size) == table(3)


class Clock:
    """Seconds that pass while somebody sleeps, and only then."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.promise("SET-4")
def test_a_store_of_googles_that_refuses_connections_is_not_waited_for_by_the_minute(
    gcs_store: Any, door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for module in (retry_base, retry_unary):
        monkeypatch.setattr(module, "time", clock)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        target = gcs_target(gcs_store, tmp_path)
        away = replace(target.target, contents={**target.target.contents, "endpoint": nobody})

        with pytest.raises(SourceProblem, match="could not be written"):
            check_target(replace(target, target=away), door, tmp_path, datetime.now(UTC))

    assert 0 < clock.now < 20


@pytest.mark.promise("SET-4")
@pytest.mark.parametrize("kind", ["s3", "gcs"])
def test_what_a_bucket_keeps_beside_what_is_needed_is_found_and_removed(
    kind: str, request: pytest.FixtureRequest, door: Door, tmp_path: Path
) -> None:
    store = request.getfixturevalue(f"{kind}_store")
    target = s3_target(store, tmp_path) if kind == "s3" else gcs_target(store, tmp_path)
    with closing(open_contents(target, door, "sales")) as contents:
        for key in ("files/md5/aa/bb", "files/md5/cc/dd"):
            put(contents, key, b"1234")
    with closing(open_contents(target, door, "wages")) as contents:
        put(contents, "files/md5/aa/bb", b"theirs")

    found = not_needed(target, "sales", {"files/md5/cc/dd"}, door)
    gone = remove(target, "sales", found, door, seconds=20)

    assert gone == found == (KeptObject("files/md5/aa/bb", 4),)
    assert [one.key for one in not_needed(target, "sales", (), door)] == ["files/md5/cc/dd"]
    assert len(not_needed(target, "wages", (), door)) == 1


@pytest.mark.promise("SET-4")
def test_a_dataset_in_a_bucket_is_versioned_in_another(
    s3_store: S3Store, door: Door, tmp_path: Path
) -> None:
    bucket = s3_store.bucket({"sales/a.parquet": table(3), "sales/b/c.parquet": table(4)})
    form = fill(KINDS[SourceKind.S3].fields, s3_store.fields(bucket, "sales") | s3_store.secrets)
    source = Opened("lake", form.fields, {k: v for k, v in form.secrets.items() if v})
    now = datetime.now(UTC)
    borrower = Borrower("ada", "lab", "a1", now + timedelta(minutes=30), "allotment_0")
    credential = KINDS[SourceKind.S3].issue(source, borrower, door, now)
    target = s3_target(s3_store, tmp_path)
    asked = request(
        target,
        door,
        tmp_path,
        uris=(f"s3://{bucket}/sales/",),
        kind=SourceKind.S3,
        credential=credential,
    )

    done = commit(asked, nothing)

    assert (done.files, done.rows) == (2, 7)
    files = files_of_version(target, made(asked, done.commit), door, tmp_path / "work")
    assert [one.path for one in files] == ["a.parquet", "b/c.parquet"]


@pytest.mark.promise("SET-4", "DATA-5")
def test_a_commit_that_outlasts_its_credential_is_lent_another(
    s3_store: S3Store, door: Door, tmp_path: Path
) -> None:
    bucket = s3_store.bucket({"sales/a.parquet": table(3)})
    form = fill(KINDS[SourceKind.S3].fields, s3_store.fields(bucket, "sales") | s3_store.secrets)
    source = Opened("lake", form.fields, {k: v for k, v in form.secrets.items() if v})
    given: list[Credential] = []

    def lend() -> Credential:
        now = datetime.now(UTC)
        borrower = Borrower("ada", "lab", "a1", now + timedelta(minutes=30), "allotment_0")
        given.append(KINDS[SourceKind.S3].issue(source, borrower, door, now))
        return given[-1]

    ended = replace(lend(), expires_at=datetime.now(UTC) + timedelta(minutes=1))
    asked = request(
        s3_target(s3_store, tmp_path),
        door,
        tmp_path,
        uris=(f"s3://{bucket}/sales/",),
        kind=SourceKind.S3,
        credential=ended,
    )

    done = commit_apart(asked, nothing, lend)

    assert done.rows == 3
    assert len(given) == 2
