"""Google's tokens: when they end, by whose clock, and what part of a bucket they open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import GoogleAuthError

from allotment.data.door import Door
from allotment.data.kinds.gcs import GoogleStorage, reading_client
from allotment.data.kinds.gcs.boundary import MOST_RULES, boundary
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import Credential, Part, SourceKind, Verdict
from bad_servers import playing
from google_storage import GoogleStore, google_store
from source_forms import opened

KIND = GoogleStorage()
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FILES = {
    "sales/a.csv": b"1",
    "sales/b.csv": b"2",
    "sales/deep/c.csv": b"3",
    "sales/o'clock \\.csv": b"4",
    "wages.csv": b"5",
}


@pytest.fixture(scope="module")
def kept() -> Iterator[GoogleStore]:
    """A store of this module's own, whose clock and rights are changed."""
    with google_store() as store:
        yield store


@pytest.fixture(scope="module")
def bucket(kept: GoogleStore) -> str:
    return kept.bucket(FILES)


@pytest.fixture
def store(kept: GoogleStore) -> Iterator[GoogleStore]:
    """As it is by itself, before and after."""
    yield kept
    kept.slow, kept.makes_tokens = timedelta(0), True


def source(store: GoogleStore, bucket: str, **other: Any) -> Opened:
    return opened(SourceKind.GCS, **store.fields(bucket, "sales"), **store.secrets, **other)


def lend(
    source: Opened,
    door: Door,
    *within: Part,
    lasts: timedelta = MINUTE,
    at: datetime = NOW,
) -> Credential:
    borrower = Borrower("ann", "lab", "a1", at + 12 * HOUR, "allotment_0", lasts, within)
    return KIND.issue(source, borrower, door, at)


def names(lent: Credential, door: Door, prefix: str = "sales/") -> list[str]:
    bucket = reading_client(lent.fields, door).bucket(lent.fields["bucket"])
    return sorted(one.name for one in bucket.list_blobs(prefix=prefix))


def read(lent: Credential, door: Door, name: str) -> bytes:
    bucket = reading_client(lent.fields, door).bucket(lent.fields["bucket"])
    content: bytes = bucket.blob(name).download_as_bytes()
    return content


@pytest.mark.promise("DATA-2", "DATA-7")
def test_a_token_reads_for_a_minute_and_not_longer(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    lent = lend(source(store, bucket), loopback)
    before = read(lent, loopback, "sales/a.csv")
    store.slow = -MINUTE

    assert (before, lent.expires_at) == (b"1", NOW + MINUTE)
    with pytest.raises(GoogleAuthError):
        read(lent, loopback, "sales/a.csv")


@pytest.mark.promise("DATA-7")
@pytest.mark.parametrize("skew", [timedelta(minutes=-10), timedelta(minutes=10)])
def test_a_control_plane_whose_clock_is_wrong_lends_for_just_as_long(
    store: GoogleStore, bucket: str, loopback: Door, skew: timedelta
) -> None:
    at = datetime.now(UTC) + skew

    lent = lend(source(store, bucket), loopback, at=at)

    ends = store.owners[lent.fields["token"]]
    assert lent.expires_at is not None
    assert lent.expires_at - at <= MINUTE
    assert timedelta(0) < ends - store.now <= MINUTE
    assert read(lent, loopback, "sales/a.csv") == b"1"


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR])
def test_a_clock_that_google_does_not_believe_is_named(
    store: GoogleStore, bucket: str, loopback: Door, ahead: timedelta
) -> None:
    store.slow = ahead

    with pytest.raises(SourceProblem, match="clock and Google's differ") as raised:
        lend(source(store, bucket), loopback)

    assert "Set the clock" in str(raised.value)


@pytest.mark.promise("DATA-2", "DATA-7")
def test_the_proof_tells_that_revoking_ends_it_within_a_minute(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    proof = KIND.prove(source(store, bucket), loopback, NOW)

    assert (proof.verdict, proof.ends_within) == (Verdict.READ_ONLY, 60)
    assert proof.ending == "Revoking ends it within a minute."


@pytest.mark.promise("DATA-2", "DATA-7")
def test_an_account_that_makes_no_tokens_is_proven_to_lend_for_an_hour_and_what_would_help(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    store.makes_tokens = False

    proof = KIND.prove(source(store, bucket), loopback, NOW)

    assert (proof.verdict, proof.ends_within) == (Verdict.READ_ONLY, 3600)
    assert any("Service Account Token Creator on itself" in one for one in proof.tried)
    assert lend(source(store, bucket), loopback, lasts=HOUR).expires_at == NOW + HOUR
    with pytest.raises(SourceProblem, match="end sooner than after an hour"):
        lend(source(store, bucket), loopback)


@pytest.mark.promise("DATA-7")
def test_an_hour_that_was_chosen_needs_no_more_of_the_account(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    store.makes_tokens = False

    proof = KIND.prove(source(store, bucket, lasts="hour"), loopback, NOW)

    assert (proof.ends_within, len(proof.tried)) == (3600, 3)


@pytest.mark.promise("DATA-7")
def test_an_endpoint_that_does_not_keep_to_the_life_asked_for_is_not_believed(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    ends = datetime.now(UTC) + HOUR
    said = f'{{"accessToken": "t", "expireTime": "{ends:%Y-%m-%dT%H:%M:%SZ}"}}'.encode()
    with playing(lambda _m, _p: (200, {}, said)) as iam:
        registered = source(store, bucket)
        asked = Opened(
            registered.name, {**registered.fields, "iam_endpoint": iam.url}, registered.secrets
        )

        with pytest.raises(SourceProblem, match="last longer than was asked for"):
            lend(asked, loopback)


@pytest.mark.promise("DATA-7")
def test_an_api_that_is_switched_off_is_named(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    said = (
        b'{"error": {"status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}'
    )
    with playing(lambda _m, _p: (403, {}, said)) as iam:
        registered = source(store, bucket)
        asked = Opened(
            registered.name, {**registered.fields, "iam_endpoint": iam.url}, registered.secrets
        )

        with pytest.raises(SourceProblem, match="Enable the IAM Service Account Credentials API"):
            lend(asked, loopback)


@pytest.mark.promise("DATA-3", "DATA-5")
def test_who_may_only_load_a_dataset_is_lent_its_files_and_nothing_beside(
    store: GoogleStore, bucket: str, loopback: Door
) -> None:
    within = (Part("sales/a.csv", exact=True), Part("sales/o'clock \\.csv", exact=True))

    lent = lend(source(store, bucket), loopback, *within, Part("sales/deep/"))

    assert read(lent, loopback, "sales/a.csv") == b"1"
    assert read(lent, loopback, "sales/o'clock \\.csv") == b"4"
    assert names(lent, loopback, "sales/deep/") == ["sales/deep/c.csv"]
    for refused in ("sales/b.csv", "wages.csv"):
        with pytest.raises(Forbidden):
            read(lent, loopback, refused)
    with pytest.raises(Forbidden):
        names(lent, loopback)


@pytest.mark.promise("DATA-3")
def test_more_parts_than_google_takes_are_covered_by_their_folders(
    store: GoogleStore, bucket: str
) -> None:
    parts = tuple(Part(f"sales/deep/{n}.csv", exact=True) for n in range(MOST_RULES + 1))

    rules = boundary(source(store, bucket), (*parts, Part("sales/a.csv", exact=True)))

    expressions = [
        one["availabilityCondition"]["expression"]
        for one in rules["accessBoundary"]["accessBoundaryRules"]
    ]
    assert len(expressions) == 2
    assert sum("objects/sales/deep/')" in one for one in expressions) == 1
    assert sum("== 'projects/_/buckets/" in one for one in expressions) == 1


@pytest.mark.promise("DATA-3")
def test_no_part_beside_the_source_is_lent(store: GoogleStore, bucket: str, loopback: Door) -> None:
    with pytest.raises(SourceProblem, match="outside of what the source shares"):
        lend(source(store, bucket), loopback, Part("wages.csv", exact=True))
