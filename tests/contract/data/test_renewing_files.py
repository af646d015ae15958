"""A file of every object store is read on when its credential is exchanged in the middle."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment.data.datasets.stores import open_store
from allotment.data.datasets.uris import DataUri, parts_of_store
from allotment.data.door import Door
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower
from allotment.model.sources import SourceKind
from allotment.notebook.lending import Lent
from allotment.notebook.problems import DataProblem
from allotment.notebook.renewing_files import RenewingFiles
from allotment.notebook.stores import filesystem
from source_forms import opened

TEXT = bytes(range(256)) * 400
KEY = "sales/a.bin"


@pytest.fixture(params=[SourceKind.S3, SourceKind.AZURE, SourceKind.GCS], ids=str)
def place(
    request: pytest.FixtureRequest, loopback: Door
) -> tuple[str, Callable[[], Lent], Callable[[bytes], None]]:
    """Where a file lies, what lends another credential each time, and what overwrites the file."""
    kind: SourceKind = request.param
    store: Any = request.getfixturevalue(f"{kind.value}_store")
    made = store.container if kind is SourceKind.AZURE else store.bucket
    name = made({KEY: TEXT})
    source = opened(kind, **store.fields(name), **store.secrets)
    numbers = itertools.count()

    def lend() -> Lent:
        now = datetime.now(UTC)
        asked = Borrower("ann", f"lab-{next(numbers)}", "a1", now + timedelta(hours=1), "")
        return Lent("lake", kind, KINDS[kind].issue(source, asked, loopback, now).fields)

    def overwrite(content: bytes) -> None:
        if kind is SourceKind.S3:
            store.client().put_object(Bucket=name, Key=KEY, Body=content)
        elif kind is SourceKind.AZURE:
            with store.client() as client:
                client.get_blob_client(name, KEY).upload_blob(content, overwrite=True)
        else:
            store.client().bucket(name).blob(KEY).upload_from_string(content)

    return f"{name}/{KEY}", lend, overwrite


@pytest.mark.promise("DATA-5", "DATA-6")
def test_a_file_is_read_with_another_credential_for_each_block(place: Any) -> None:
    path, lend, _ = place
    files = RenewingFiles(lend, filesystem)

    with files.open(path, block_size=len(TEXT) // 3) as file:
        read = b"".join(iter(lambda: file.read(20_000), b""))

    assert read == TEXT
    with pytest.raises(DataProblem, match="only reads"):
        files.open(path, "wb")


@pytest.mark.promise("DATA-6")
def test_a_file_that_was_changed_meanwhile_is_not_read_on(place: Any) -> None:
    path, lend, overwrite = place
    files = RenewingFiles(lend, filesystem)

    with files.open(path, block_size=1_000) as file:
        file.read(100)
        overwrite(TEXT[::-1])
        file.seek(90_000)
        with pytest.raises(DataProblem, match="was changed while"):
            file.read(100)


@pytest.mark.promise("DATA-2", "SET-2")
@pytest.mark.parametrize("kind", [SourceKind.S3, SourceKind.AZURE, SourceKind.GCS], ids=str)
@pytest.mark.parametrize("path", [KEY, "sales/", "sales/*.bin", "sales/none.bin"])
def test_what_is_lent_for_the_files_of_a_uri_finds_and_reads_them(
    request: pytest.FixtureRequest, loopback: Door, kind: SourceKind, path: str
) -> None:
    store: Any = request.getfixturevalue(f"{kind.value}_store")
    made = store.container if kind is SourceKind.AZURE else store.bucket
    name = made({KEY: TEXT, "wages/b.bin": b"secret"})
    source = opened(kind, **store.fields(name), **store.secrets)
    uri, now = DataUri(kind, name, path, is_pattern="*" in path), datetime.now(UTC)
    within = parts_of_store([uri])
    ends = now + timedelta(hours=1)
    asked = Borrower("ann", "lab", "a1", ends, "", timedelta(hours=1), within)

    lent = KINDS[kind].issue(source, asked, loopback, now)

    with closing(open_store(kind, lent, loopback)) as files:
        found = list(files.list(uri))
        read = [files.read(one, 0, one.size) for one in found]
    assert read == ([] if "none" in path else [TEXT])
