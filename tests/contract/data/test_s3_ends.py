"""What S3 lends ends when it was to end: by the store's own clock, and whatever its holder does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from allotment.data.door import Door
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.s3 import S3, reading_client
from allotment.data.problems import SourceProblem
from allotment.data.versions.target import CONTENTS, OpenedTarget
from allotment.model.sources import Part, SourceKind, Verdict
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.work.target_ends import TargetEnds
from ending_store import EndingStore
from object_stores import S3Store
from source_forms import opened

KIND = S3()
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)
FILES = {
    "sales/2026.csv": b"1",
    "sales/2026.csv.old": b"22",
    "sales/eu/de.csv": b"333",
    "sales/us/ca.csv": b"4444",
    "wages/2026.csv": b"55555",
}
Register = Callable[..., Opened]


@pytest.fixture(scope="module")
def bucket(s3_store: S3Store) -> str:
    return s3_store.bucket(FILES)


@pytest.fixture
def register(ending: EndingStore, bucket: str) -> Register:
    """Fill in the form of a source for the bucket's sales, some fields otherwise."""

    def make(**other: Any) -> Opened:
        store = ending.store
        given = {**store.fields(bucket, "sales"), **store.secrets, **other}
        return opened(SourceKind.S3, **given)

    return make


def borrower(now: datetime, lasts: timedelta = MINUTE, *within: Part) -> Borrower:
    return Borrower("ann", "lab", "a1", now + timedelta(hours=1), "", lasts, within)


def reads(client: Any, bucket: str, key: str = "sales/2026.csv") -> bool:
    try:
        client.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        return not _is_denied(error)
    return True


def lists(client: Any, bucket: str, prefix: str) -> list[str] | None:
    try:
        found = client.list_objects_v2(Bucket=bucket, Prefix=prefix)
    except ClientError as error:
        return None if _is_denied(error) else []
    return [one["Key"] for one in found["Contents"]]


def _is_denied(error: ClientError) -> bool:
    return str(error.response["Error"]["Code"]) == "AccessDenied"


@pytest.mark.promise("DATA-5", "DATA-7")
@pytest.mark.parametrize("lending", ["role", "federation"])
def test_what_is_lent_for_a_minute_is_refused_after_it(
    register: Register, ending: EndingStore, bucket: str, loopback: Door, lending: str
) -> None:
    now = datetime.now(UTC)
    source = register() if lending == "role" else register(role="", lending="federation")

    lent = KIND.issue(source, borrower(now), loopback, now)
    client = reading_client(lent.fields, loopback)

    assert lent.expires_at == now + MINUTE
    assert reads(client, bucket)
    ending.ahead = MINUTE
    assert not reads(client, bucket)
    assert lists(client, bucket, "sales/") is None


@pytest.mark.promise("DATA-7")
@pytest.mark.parametrize("minutes", [-10, -0.1, 0.1, 10, 50_000_000])
def test_an_end_is_reckoned_by_the_stores_own_clock(
    register: Register, ending: EndingStore, bucket: str, loopback: Door, minutes: float
) -> None:
    """The control plane's clock is ahead or behind, or that of another century."""
    ending.ahead = timedelta(minutes=3)
    now = datetime.now(UTC) + timedelta(minutes=minutes)

    lent = KIND.issue(register(), borrower(now), loopback, now)
    client = reading_client(lent.fields, loopback)

    assert lent.expires_at == now + MINUTE
    assert reads(client, bucket)
    ending.ahead += MINUTE
    assert not reads(client, bucket)


@pytest.mark.promise("DATA-2", "DATA-7")
def test_the_proof_finds_that_a_store_ends_what_it_lends(
    register: Register, ending: EndingStore, loopback: Door
) -> None:
    proof = KIND.prove(register(), loopback, datetime.now(UTC))

    assert (proof.verdict, proof.ends_within) == (Verdict.READ_ONLY, 60)
    assert proof.ending == "Revoking ends it within a minute."
    assert "read with credentials whose end had passed: refused" in proof.tried
    assert all(end is not None for end in ending.assumed)


@pytest.mark.promise("DATA-2", "DATA-7")
def test_the_proof_says_of_a_store_that_knows_no_ends_that_revoking_takes_longer(
    s3_store: S3Store, bucket: str, loopback: Door
) -> None:
    """SeaweedFS allows nothing under a condition that it does not know."""
    fields = s3_store.fields(bucket, "sales")
    source = opened(SourceKind.S3, **fields, **s3_store.secrets)

    proof = KIND.prove(source, loopback, datetime.now(UTC))

    assert (proof.verdict, proof.ends_within) == (Verdict.READ_ONLY, 900)
    assert proof.ending == "Revoking ends it within 15 minutes."
    assert "refuses credentials that have one" in proof.tried[-1]


@pytest.mark.promise("DATA-2", "DATA-7")
def test_a_store_that_lets_people_in_after_the_end_is_not_believed_to_have_ended(
    register: Register, ending: EndingStore, loopback: Door
) -> None:
    ending.enforced = False

    proof = KIND.prove(register(), loopback, datetime.now(UTC))

    assert (proof.verdict, proof.ends_within) == (Verdict.READ_ONLY, 900)
    assert "lets them in after it" in proof.tried[-1]


@pytest.mark.promise("DATA-7")
@pytest.mark.parametrize(("lasts", "seconds"), [("quarter", 900), ("hour", 3600)])
def test_what_lasts_longer_needs_no_end_in_its_policy(
    register: Register, ending: EndingStore, loopback: Door, lasts: str, seconds: int
) -> None:
    proof = KIND.prove(register(lasts=lasts), loopback, datetime.now(UTC))

    assert proof.verdict is Verdict.READ_ONLY
    assert seconds - 2 <= (proof.ends_within or 0) <= seconds
    assert ending.assumed == [None]


@pytest.mark.promise("DATA-2", "SET-2")
def test_a_part_of_a_source_is_lent_alone(register: Register, bucket: str, loopback: Door) -> None:
    now = datetime.now(UTC)
    parts = Part("sales/2026.csv", exact=True), Part("sales/eu/")

    lent = KIND.issue(register(), borrower(now, MINUTE, *parts), loopback, now)
    client = reading_client(lent.fields, loopback)

    opened_ones = [key for key in FILES if reads(client, bucket, key)]
    assert opened_ones == ["sales/2026.csv", "sales/eu/de.csv"]
    assert lists(client, bucket, "sales/eu/") == ["sales/eu/de.csv"]
    assert lists(client, bucket, "sales/") is None
    assert lists(client, bucket, "sales/us/") is None


@pytest.mark.promise("DATA-2")
def test_nothing_beside_the_source_is_lent_as_a_part_of_it(
    register: Register, loopback: Door
) -> None:
    now = datetime.now(UTC)

    with pytest.raises(SourceProblem, match="outside of what the source shares"):
        KIND.issue(register(), borrower(now, QUARTER, Part("wages/")), loopback, now)


def target(ending: EndingStore, bucket: str, **other: str) -> OpenedTarget:
    """A target whose versions lie in the bucket."""
    form = {**ending.store.fields(bucket, "versions"), **ending.store.secrets, **other}
    source = opened(SourceKind.S3, **form)
    kept = VersionTarget("history", MetadataKind.FOLDER, ContentsKind.S3, contents=source.fields)
    return OpenedTarget(kept, {CONTENTS + name: one for name, one in source.secrets.items()})


@pytest.mark.promise("DATA-7", "SET-4")
def test_what_is_lent_for_versions_ends_as_the_form_of_their_target_says(
    ending: EndingStore, bucket: str, loopback: Door
) -> None:
    now, ends = datetime.now(UTC), TargetEnds()
    history = target(ending, bucket)

    assert ends.lasting(history, loopback, now) == MINUTE
    asked = len(ending.assumed)
    assert ends.lasting(history, loopback, now + timedelta(hours=23)) == MINUTE
    assert ends.lasting(target(ending, bucket, lasts="hour"), loopback, now) == 4 * QUARTER
    assert len(ending.assumed) == asked


@pytest.mark.promise("DATA-7", "SET-4")
def test_what_is_lent_for_versions_in_a_store_without_ends_lasts_no_longer_than_it_must(
    ending: EndingStore, bucket: str, loopback: Door
) -> None:
    ending.enforced = False

    assert TargetEnds().lasting(target(ending, bucket), loopback, datetime.now(UTC)) == QUARTER
