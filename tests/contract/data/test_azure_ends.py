"""Azure's signatures: when they end, by whose clock, and what part of a container they open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from azure.core.exceptions import HttpResponseError

from allotment.data.door import Door
from allotment.data.kinds.azure import Azure, reading_client
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import Credential, Part, SourceKind, Verdict
from bad_servers import playing
from object_stores import AzureStore
from source_forms import opened

KIND = Azure()
FILES = {"sales/a b.csv": b"1", "sales/b.csv": b"2", "wages.csv": b"3"}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module")
def container(azure_store: AzureStore) -> str:
    return azure_store.container(FILES)


@pytest.fixture
def source(azure_store: AzureStore, container: str) -> Opened:
    return opened(SourceKind.AZURE, **azure_store.fields(container, "sales"), **azure_store.secrets)


def lend(
    source: Opened,
    door: Door,
    *within: Part,
    lasts: timedelta = MINUTE,
    skew: timedelta = timedelta(0),
) -> Credential:
    at = datetime.now(UTC) + skew
    borrower = Borrower("ann", "lab", "a1", at + 12 * HOUR, "allotment_0", lasts, within)
    return KIND.issue(source, borrower, door, at)


def ends(lent: Credential) -> datetime:
    return datetime.fromisoformat(parse_qs(lent.fields["sas"])["se"][0])


def reader(lent: Credential, door: Door) -> Any:
    return reading_client(lent.fields, door)


@pytest.mark.promise("DATA-7")
@pytest.mark.parametrize(
    "skew", [timedelta(minutes=-10), timedelta(0), timedelta(minutes=10), timedelta(days=2)]
)
def test_a_signature_ends_in_time_by_the_store_s_clock_whatever_ours_says(
    source: Opened, loopback: Door, skew: timedelta
) -> None:
    lent = lend(source, loopback, skew=skew)

    now = datetime.now(UTC)
    assert timedelta(0) < ends(lent) - now <= MINUTE
    assert lent.expires_at is not None
    assert lent.expires_at - skew - ends(lent) <= timedelta(seconds=1)
    assert reader(lent, loopback).download_blob("sales/b.csv").readall() == b"2"


@pytest.mark.promise("DATA-7")
def test_a_signature_whose_time_is_over_is_refused(source: Opened, loopback: Door) -> None:
    lent = lend(source, loopback, lasts=timedelta(seconds=-1))

    with pytest.raises(HttpResponseError) as raised:
        reader(lent, loopback).download_blob("sales/b.csv")

    assert raised.value.status_code == 403


@pytest.mark.promise("DATA-2", "DATA-7")
@pytest.mark.parametrize(
    ("lasts", "seconds", "words"),
    [
        ("minute", 60, "Revoking ends it within a minute."),
        ("quarter", 900, "Revoking ends it within 15 minutes."),
        ("hour", 3600, "Revoking ends it within an hour."),
    ],
)
def test_the_proof_tells_when_revoking_ends_it(
    source: Opened, loopback: Door, lasts: str, seconds: int, words: str
) -> None:
    chosen = Opened(source.name, {**source.fields, "lasts": lasts}, source.secrets)

    proof = KIND.prove(chosen, loopback, datetime.now(UTC))

    assert (proof.verdict, proof.ends_within, proof.ending) == (Verdict.READ_ONLY, seconds, words)


@pytest.mark.promise("DATA-2", "DATA-7")
def test_a_store_that_takes_ended_signatures_is_said_to_end_nothing(
    source: Opened, loopback: Door
) -> None:
    listing = b"<EnumerationResults><Prefix/><Blobs/><NextMarker/></EnumerationResults>"
    kind = {"Content-Type": "application/xml"}
    code = "AuthorizationPermissionMismatch"
    refused = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()

    def answer(_method: str, path: str) -> Any:
        if "comp=list" in path:
            return 200, kind, listing
        return 403, {"x-ms-error-code": code, **kind}, refused

    with playing(answer) as store:
        lax = Opened(source.name, {**source.fields, "endpoint": store.url}, source.secrets)
        proof = KIND.prove(lax, loopback, datetime.now(UTC))

    assert (proof.problem, proof.verdict, proof.ends_within) == ("", Verdict.READ_ONLY, None)
    assert "A signature whose time is over is still taken: revoking does not end it." in proof.tried


@pytest.mark.promise("DATA-3", "DATA-5")
def test_who_may_only_load_a_dataset_of_one_file_is_lent_just_that(
    source: Opened, loopback: Door
) -> None:
    lent = lend(source, loopback, Part("sales/a b.csv", exact=True))
    opened_with = reader(lent, loopback)

    assert opened_with.download_blob("sales/a b.csv").readall() == b"1"
    for refused in (
        lambda: opened_with.download_blob("sales/b.csv"),
        lambda: opened_with.download_blob("wages.csv"),
        lambda: list(opened_with.list_blob_names()),
        lambda: opened_with.upload_blob("sales/a b.csv", b"", overwrite=True),
    ):
        with pytest.raises(HttpResponseError) as raised:
            refused()
        assert raised.value.status_code == 403


@pytest.mark.promise("DATA-3")
def test_several_files_are_lent_by_a_signature_for_the_container_and_the_proof_says_so(
    source: Opened, loopback: Door
) -> None:
    lent = lend(
        source, loopback, Part("sales/a b.csv", exact=True), Part("sales/b.csv", exact=True)
    )

    assert lent.wider
    assert sorted(reader(lent, loopback).list_blob_names()) == sorted(FILES)
    proof = KIND.prove(source, loopback, datetime.now(UTC))
    assert any("A signature opens one file or the whole container" in one for one in proof.tried)


@pytest.mark.promise("DATA-3")
def test_no_part_beside_the_source_is_lent(source: Opened, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="outside of what the source shares"):
        lend(source, loopback, Part("wages.csv", exact=True))
