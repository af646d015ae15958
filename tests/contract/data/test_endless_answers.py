"""A store that answers with more than there is memory: what any kind of store reads of it has an end."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from allotment.data import outgoing
from allotment.data.door import Door
from allotment.data.kinds import KINDS
from allotment.data.problems import SourceProblem
from allotment.model.sources import SourceKind
from bad_servers import playing
from source_forms import opened

KEYS = {"access_key_id": "key", "secret_access_key": "secret", "lending": "registered"}
FORMS: dict[SourceKind, dict[str, Any]] = {
    SourceKind.S3: {"bucket": "lake", **KEYS},
    SourceKind.AZURE: {
        "container": "lake",
        "identity": "key",
        "account": "lakeaccount",
        "account_key": "a2V5",
    },
}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand bytes are too many."""
    monkeypatch.setattr(outgoing, "LARGEST", 2000)


@pytest.mark.usefixtures("small")
@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize(
    ("kind", "packed"),
    # What a store of S3 has packed, nobody unpacks.
    [(SourceKind.S3, False), (SourceKind.AZURE, False), (SourceKind.AZURE, True)],
)
def test_an_answer_without_end_is_given_up(kind: SourceKind, packed: bool, loopback: Door) -> None:
    body, headers = b" " * 3000, {"Content-Type": "application/xml"}
    if packed:
        body, headers = gzip.compress(body), {**headers, "Content-Encoding": "gzip"}
    with playing(lambda _m, _p: (200, headers, body)) as store:
        source = opened(kind, **FORMS[kind], endpoint=store.url)

        with pytest.raises(SourceProblem, match="more than"):
            KINDS[kind].browse(source, (), loopback)


@pytest.mark.usefixtures("small")
@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("place", ["endpoint", "token_endpoint"])
def test_google_s_answers_have_an_end_too(place: str, gcs_store: Any, loopback: Door) -> None:
    with playing(lambda _m, _p: (200, {}, b" " * 3000)) as store:
        given = {**gcs_store.fields("lake"), **gcs_store.secrets, place: store.url}
        source = opened(SourceKind.GCS, **given)

        with pytest.raises(SourceProblem, match="more than"):
            KINDS[SourceKind.GCS].browse(source, (), loopback)
