"""S3 as a source, on SeaweedFS: it gives out credentials by STS and keeps to their policies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError

from allotment.data.door import Door
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.s3 import S3, reading_client
from allotment.data.kinds.s3.policy import reading_policy
from allotment.data.kinds.s3.proof import attempt_writes
from allotment.data.problems import SourceProblem
from allotment.model.sources import Entry, SourceKind, Verdict
from bad_servers import playing
from object_stores import S3Store
from source_forms import opened

KIND = S3()
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FILES = {
    "sales/2026.parquet": b"1",
    "sales/eu/de.csv": b"22",
    "sales/eu/fr.csv": b"333",
    "sales/us.csv": b"4444",
    "wages/2026.csv": b"55555",
}
REGISTERED = {"lending": "registered", "role": ""}
FEDERATION = {"lending": "federation", "role": ""}

Register = Callable[..., Opened]


@pytest.fixture(scope="module")
def bucket(s3_store: S3Store) -> str:
    """A bucket with sales, and with wages that are nobody's business."""
    return s3_store.bucket(FILES)


@pytest.fixture(scope="module")
def register(s3_store: S3Store, bucket: str) -> Register:
    """Fill in the form of a source for the bucket's sales, some fields otherwise."""

    def make(**other: Any) -> Opened:
        given = {**s3_store.fields(bucket, "sales"), **s3_store.secrets, **other}
        return opened(SourceKind.S3, **given)

    return make


def borrower(*, lasts: timedelta = timedelta(hours=12)) -> Borrower:
    return Borrower("ann bär", "lab", "a1", NOW + lasts, "allotment_0")


@pytest.fixture
def reader(register: Register, loopback: Door) -> Any:
    """A client with what a server is lent."""
    lent = KIND.issue(register(), borrower(), loopback, NOW)
    return reading_client(lent.fields, loopback)


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])


@pytest.mark.promise("DATA-2")
def test_lent_credentials_read_and_list_below_the_prefix(reader: Any, bucket: str) -> None:
    listed = reader.list_objects_v2(Bucket=bucket, Prefix="sales/")["Contents"]

    assert [one["Key"] for one in listed] == [key for key in FILES if key.startswith("sales")]
    assert reader.get_object(Bucket=bucket, Key="sales/us.csv")["Body"].read() == b"4444"


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("call", "place"),
    [
        ("get_object", {"Key": "wages/2026.csv"}),
        ("list_objects_v2", {"Prefix": "wages/"}),
        ("list_objects_v2", {"Prefix": ""}),
        ("put_object", {"Key": "sales/new.csv", "Body": b""}),
        ("put_object", {"Key": "sales/us.csv", "Body": b""}),
        ("delete_object", {"Key": "sales/us.csv"}),
        ("create_multipart_upload", {"Key": "sales/new.csv"}),
        ("copy_object", {"Key": "sales/new.csv", "CopySource": "{bucket}/sales/us.csv"}),
        ("put_object_tagging", {"Key": "sales/us.csv", "Tagging": {"TagSet": []}}),
        ("delete_bucket", {}),
    ],
)
def test_lent_credentials_do_nothing_else(
    reader: Any, bucket: str, call: str, place: dict[str, Any]
) -> None:
    told = {
        name: value.format(bucket=bucket) if name == "CopySource" else value
        for name, value in place.items()
    }

    assert refused(lambda: getattr(reader, call)(Bucket=bucket, **told)) == "AccessDenied"


@pytest.mark.promise("DATA-2", "DATA-5")
def test_what_is_lent_ends_within_the_hour_and_is_not_the_registered_key(
    register: Register, s3_store: S3Store, loopback: Door
) -> None:
    lent = KIND.issue(register(), borrower(), loopback, NOW)

    assert lent.expires_at == NOW + timedelta(hours=1)
    assert not lent.shared
    assert lent.account is None
    assert s3_store.secret_access_key not in str(lent.fields)
    assert lent.fields["session_token"]


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("until", "lasts"),
    [(timedelta(minutes=40), 40), (timedelta(minutes=1), 15), (timedelta(days=2), 60)],
)
def test_a_loan_ends_with_its_server_as_nearly_as_sts_allows(
    register: Register, loopback: Door, until: timedelta, lasts: int
) -> None:
    lent = KIND.issue(register(), borrower(lasts=until), loopback, NOW)

    assert lent.expires_at == NOW + timedelta(minutes=lasts)


@pytest.mark.promise("DATA-2")
def test_the_policy_allows_reading_one_prefix_of_one_bucket_and_nothing_else() -> None:
    key = "arn:aws-cn:kms:cn-north-1:123456789012:key/12-34"
    fields = {"bucket": "b", "prefix": "/a/c", "region": "cn-north-1", "kms_key": key}

    assert json.loads(reading_policy(Opened("lake", fields))) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject"],
                "Resource": ["arn:aws-cn:s3:::b/a/c/*"],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:ListBucket"],
                "Resource": ["arn:aws-cn:s3:::b"],
                "Condition": {"StringLike": {"s3:prefix": ["a/c/*"]}},
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetBucketLocation"],
                "Resource": ["arn:aws-cn:s3:::b"],
            },
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key]},
        ],
    }


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize("lending", [{}, FEDERATION])
def test_what_sts_gives_out_is_proven_read_only(
    register: Register, loopback: Door, lending: dict[str, str]
) -> None:
    proof = KIND.prove(register(**lending), loopback, NOW)

    assert proof.verdict is Verdict.READ_ONLY
    assert proof.at == NOW
    assert not proof.shared
    assert proof.tried[:3] == (
        "write a file: refused",
        "delete a file: refused",
        "begin a large file: refused",
    )


@pytest.mark.promise("DATA-2")
def test_a_registered_key_that_may_write_is_told_and_the_attempt_leaves_nothing(
    register: Register, s3_store: S3Store, bucket: str, loopback: Door
) -> None:
    proof = KIND.prove(register(**REGISTERED), loopback, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert proof.shared
    assert proof.possible == ("write a file", "delete a file", "begin a large file")
    client = s3_store.client()
    assert {one["Key"] for one in client.list_objects_v2(Bucket=bucket)["Contents"]} == set(FILES)
    assert not client.list_multipart_uploads(Bucket=bucket).get("Uploads")


@pytest.mark.promise("DATA-2", "DATA-5")
def test_a_registered_key_that_only_reads_is_read_only_and_marked_as_shared(
    register: Register, s3_store: S3Store, loopback: Door
) -> None:
    source = register(
        **REGISTERED,
        access_key_id=s3_store.reader_key_id,
        secret_access_key=s3_store.reader_secret,
    )

    proof = KIND.prove(source, loopback, NOW)
    lent = KIND.issue(source, borrower(), loopback, NOW)

    assert (proof.verdict, proof.shared) == (Verdict.READ_ONLY, True)
    assert (lent.shared, lent.expires_at) == (True, None)
    assert "users can read it" in KIND.check(source, loopback)


@pytest.mark.promise("DATA-2")
def test_credentials_that_the_store_does_not_take_prove_nothing(
    register: Register, loopback: Door
) -> None:
    proof = KIND.prove(register(secret_access_key="wrong"), loopback, NOW)

    assert proof.verdict is Verdict.UNPROVEN
    assert "secret key is wrong" in proof.problem


@pytest.mark.promise("DATA-2")
def test_a_store_that_ignores_the_policy_of_its_credentials_proves_nothing(
    s3_store: S3Store, bucket: str
) -> None:
    reads_all = s3_store.client(
        aws_access_key_id=s3_store.reader_key_id, aws_secret_access_key=s3_store.reader_secret
    )

    proof = attempt_writes(reads_all, (bucket, "sales/"), NOW, shared=False)

    assert proof.verdict is Verdict.UNPROVEN
    assert "more than sales/" in proof.problem


@pytest.mark.promise("DATA-6")
def test_prefixes_and_files_are_browsed(register: Register, loopback: Door) -> None:
    top = KIND.browse(register(), (), loopback)
    inner = KIND.browse(register(), ("eu",), loopback)

    assert [(one.name, one.kind, one.holds, one.size) for one in top.entries] == [
        ("2026.parquet", "file", False, 1),
        ("eu", "prefix", True, None),
        ("us.csv", "file", False, 4),
    ]
    assert [one.path for one in inner.entries] == [("eu", "de.csv"), ("eu", "fr.csv")]
    assert inner.next is None


@pytest.mark.promise("DATA-6")
def test_browsing_goes_on_where_it_stopped(register: Register, loopback: Door) -> None:
    first = KIND.browse(register(), (), loopback, limit=2)
    second = KIND.browse(register(), (), loopback, limit=2, after=first.next or "")

    assert [one.name for one in (*first.entries, *second.entries)] == [
        "2026.parquet",
        "eu",
        "us.csv",
    ]
    assert second.next is None


@pytest.mark.promise("DATA-6")
def test_a_bucket_of_100_000_keys_is_asked_for_one_page(loopback: Door) -> None:
    with playing(listing_of(100_000)) as store:
        source = opened(
            SourceKind.S3,
            bucket="lake",
            endpoint=store.url,
            access_key_id="key",
            secret_access_key="secret",
            **REGISTERED,
        )
        first = KIND.browse(source, (), loopback, limit=200)
        far = KIND.browse(source, (), loopback, limit=200, after="99900")

    assert len(store.asked) == 2
    assert [len(first.entries), len(far.entries)] == [200, 100]
    assert far.entries[-1] == Entry("099999", "file", ("099999",), size=1, changed_at=NOW)
    assert (first.next, far.next) == ("200", None)


def listing_of(keys: int) -> Callable[[str, str], Any]:
    """A store that has so many keys, and lists them in pages as S3 does."""

    def answer(_method: str, path: str) -> Any:
        asked = {name: one[0] for name, one in parse_qs(urlsplit(path).query).items()}
        start = int(asked.get("continuation-token", 0))
        end = min(start + int(asked["max-keys"]), keys)
        more = f"<NextContinuationToken>{end}</NextContinuationToken>" if end < keys else ""
        contents = "".join(
            f"<Contents><Key>{n:06}</Key><Size>1</Size>"
            f"<LastModified>{NOW.isoformat()}</LastModified></Contents>"
            for n in range(start, end)
        )
        return 200, {}, f"<ListBucketResult>{contents}{more}</ListBucketResult>".encode()

    return answer


@pytest.mark.promise("DATA-6")
@pytest.mark.parametrize("path", [("..",), ("eu", "..", "..", "wages"), ("eu/../../wages",), ("",)])
def test_a_path_that_climbs_is_refused(
    register: Register, loopback: Door, path: tuple[str, ...]
) -> None:
    with pytest.raises(SourceProblem, match="no place below this source"):
        KIND.browse(register(), path, loopback)


@pytest.mark.promise("DATA-4")
def test_a_check_says_what_was_reached_and_what_servers_get(
    register: Register, s3_store: S3Store, bucket: str, loopback: Door
) -> None:
    assert KIND.check(register(), loopback) == (
        f"Bucket {bucket} at {s3_store.endpoint}, prefix sales/."
        " Servers get credentials that end, and read only this."
    )
    assert "no file below it yet" in KIND.check(register(prefix="none"), loopback)


@pytest.mark.promise("DATA-3")
def test_the_machines_own_identity_can_assume_the_role(
    register: Register, s3_store: S3Store, loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_store.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_store.secret_access_key)
    source = register(account="ambient", access_key_id=None, secret_access_key=None)

    lent = KIND.issue(source, borrower(), loopback, NOW)

    assert "credentials that end" in KIND.check(source, loopback)
    assert s3_store.secret_access_key not in str(lent.fields)


@pytest.mark.promise("DATA-3")
def test_a_role_of_another_account_is_assumed_with_its_external_id(
    register: Register, loopback: Door
) -> None:
    role = "arn:aws:iam::111122223333:role/partner/data"
    with playing(lambda _m, _p: (403, {}, b"")) as sts:
        source = register(role=role, external_id="agreed-upon", sts_endpoint=sts.url)
        with pytest.raises(SourceProblem):
            KIND.issue(source, borrower(), loopback, NOW)

    asked = parse_qs(sts.bodies[0].decode())
    assert asked["RoleArn"] == [role]
    assert asked["ExternalId"] == ["agreed-upon"]
    assert asked["RoleSessionName"] == ["ann-b-r@lab"]
    assert asked["Policy"] == [reading_policy(source)]


@pytest.mark.promise("DATA-1")
def test_a_bucket_can_be_part_of_the_hosts_name(register: Register) -> None:
    asked = []

    def resolver(host: str, _port: int) -> tuple[Any, ...]:
        asked.append(host)
        return (ip_address("127.0.0.1"),)

    door = Door(networks=(ip_network("127.0.0.0/8"),), resolver=resolver)
    with playing(listing_of(1)) as store:
        endpoint = store.url.replace("127.0.0.1", "store.example.com")
        source = register(bucket="lake", endpoint=endpoint, path_style=False, **REGISTERED)
        KIND.check(source, door)

    assert set(asked) == {"lake.store.example.com"}
    assert store.asked[0][1].startswith("/?list-type=2")


@pytest.mark.promise("DATA-2")
def test_the_documented_role_may_do_just_what_a_loan_needs() -> None:
    text = Path(__file__).parents[3].joinpath("docs", "object-stores.md").read_text()
    policies = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    fields = {"bucket": "b", "prefix": "", "region": "us-east-1", "kms_key": ""}
    loan = json.loads(reading_policy(Opened("lake", fields)))

    actions = [
        {action for statement in policy["Statement"] for action in as_list(statement["Action"])}
        for policy in (*policies, loan)
    ]

    assert actions[0] == actions[2] == {"sts:AssumeRole"}
    assert actions[1] == actions[3]


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
