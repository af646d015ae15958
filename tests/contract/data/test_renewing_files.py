"""A file of every object store is read on when its credential is exchanged in the middle."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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
