"""Secrets of object stores, registered and lent: in no log, however much is logged, and in no picture of a value."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from allotment.data.door import Door
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Borrower, Kind, Opened
from allotment.model.sources import Credential, SourceKind
from source_forms import opened

FILES = {"sales/a.csv": b"1"}
LENT = {
    SourceKind.S3: ("secret_access_key", "session_token"),
    SourceKind.AZURE: ("sas",),
    SourceKind.GCS: ("token",),
}


@pytest.fixture
def store(kind: SourceKind, request: pytest.FixtureRequest) -> Any:
    """The real part of a kind."""
    return request.getfixturevalue(f"{kind}_store")


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize("kind", LENT)
def test_nothing_that_is_secret_is_logged_even_when_everything_is(
    kind: SourceKind, store: Any, loopback: Door, caplog: pytest.LogCaptureFixture
) -> None:
    place = store.container(FILES) if kind is SourceKind.AZURE else store.bucket(FILES)
    source = opened(kind, **store.fields(place), **store.secrets)
    caplog.set_level(logging.DEBUG)

    lent = everything(KINDS[kind], source, loopback)

    logged = caplog.text + " ".join(str(vars(one)) for one in caplog.records)
    hidden = [*source.secrets.values(), *(str(lent.fields[name]) for name in LENT[kind])]
    for secret in hidden:
        assert all(part not in logged for part in pieces(secret))
        assert secret not in repr((source, lent))


def everything(kind: Kind, source: Opened, door: Door) -> Credential:
    """All that the control plane does with a source."""
    now = datetime.now(UTC)
    kind.check(source, door)
    kind.prove(source, door, now)
    kind.browse(source, (), door)
    return kind.issue(source, Borrower("ann", "", "a1", now + timedelta(hours=1), "a"), door, now)


def pieces(secret: str) -> list[str]:
    """A secret, and what of it is as secret as the whole."""
    if secret.startswith("{"):
        return [json.loads(secret)["private_key"].splitlines()[1]]
    if "sig=" in secret:
        return [secret.rpartition("sig=")[2].partition("&")[0]]
    return [secret]
