"""S3 stores that are away, wrong, slow or lead elsewhere: what is said, and what is never reached."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import pytest

from allotment.data.door import Door
from allotment.data.kinds import connections
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.s3 import S3
from allotment.data.problems import SourceProblem
from allotment.model.sources import SourceKind
from bad_servers import never_answering, playing
from object_stores import S3Store
from source_forms import opened

KIND = S3()
REGISTERED = {"lending": "registered", "role": ""}

Register = Callable[..., Opened]


@pytest.fixture(scope="module")
def bucket(s3_store: S3Store) -> str:
    """A bucket with sales."""
    return s3_store.bucket({"sales/us.csv": b"4444"})


@pytest.fixture(scope="module")
def register(s3_store: S3Store, bucket: str) -> Register:
    """Fill in the form of a source for the bucket's sales, some fields otherwise."""

    def make(**other: Any) -> Opened:
        given = {**s3_store.fields(bucket, "sales"), **s3_store.secrets, **other}
        return opened(SourceKind.S3, **given)

    return make


@pytest.mark.promise("DATA-4", "DATA-5")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"secret_access_key": "wrong-0123456789"}, "the secret key is wrong. Enter it again."),
        ({"access_key_id": "nobody"}, "it does not know the access key."),
        ({"bucket": "no-such-bucket"}, "there is no such bucket."),
        ({"endpoint": "http://127.0.0.1:1"}, "cannot be reached."),
        (
            {"role": "arn:aws:iam::000000000000:role/another"},
            "the account may not assume the role.",
        ),
        ({"account": "ambient"}, "this machine has no identity to ask with."),
    ],
)
def test_what_is_wrong_is_said_in_words_without_secrets(
    register: Register,
    loopback: Door,
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, str],
    words: str,
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    source = register(**wrong)

    with pytest.raises(SourceProblem) as raised:
        KIND.check(source, loopback)

    assert words in str(raised.value)
    assert not any(secret in repr(raised.value) for secret in source.secrets.values())
    assert raised.value.__cause__ is None


@pytest.mark.promise("DATA-4")
def test_a_clock_that_is_wrong_is_named(
    register: Register, loopback: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ahead(**_: Any) -> datetime:
        return datetime.now(UTC) + timedelta(hours=2)

    monkeypatch.setattr(botocore.auth, "get_current_datetime", ahead)

    with pytest.raises(SourceProblem, match="clock"):
        KIND.check(register(), loopback)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control plane gives up after a third of a second."""
    monkeypatch.setattr(connections, "CALL_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("drip", [b"", b"x"])
def test_a_store_that_does_not_answer_or_never_ends_is_given_up(
    register: Register, loopback: Door, drip: bytes
) -> None:
    with (
        never_answering(drip) as url,
        pytest.raises(SourceProblem, match="did not answer in time"),
    ):
        KIND.check(register(endpoint=url), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"{}", b"<ListBucketResult><x", b"\xff"])
def test_what_is_no_store_at_all_is_said(register: Register, loopback: Door, body: bytes) -> None:
    with (
        playing(lambda _m, _p: (200, {}, body)) as page,
        pytest.raises(SourceProblem, match="does not answer as S3 does"),
    ):
        KIND.check(register(endpoint=page.url), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(register: Register, loopback: Door, status: int) -> None:
    with playing(lambda _m, _p: (200, {}, b"")) as hub:
        leads = {"Location": hub.url, "x-amz-bucket-region": "eu-west-1"}
        with (
            playing(lambda _m, _p: (status, leads, b"")) as store,
            pytest.raises(
                SourceProblem,
                match=r"redirects are not followed. The bucket is in the region eu-west-1",
            ),
        ):
            KIND.check(register(endpoint=store.url, **REGISTERED), loopback)

    assert hub.asked == []


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://169.254.169.254", "metadata"),
        ("http://10.1.2.3:9000", "private network"),
        ("http://[::1]:9000", "this machine"),
        ("http://localhost:9000", "this machine"),
        ("http://lake.example.com", "private network"),
    ],
)
def test_an_endpoint_passes_the_door_also_by_its_name(
    register: Register, endpoint: str, words: str
) -> None:
    known = {"lake.example.com": "10.0.0.7", "localhost": "127.0.0.1"}
    closed = Door(resolver=lambda host, _port: (ip_address(known.get(host, host)),))

    with pytest.raises(SourceProblem, match=words):
        KIND.check(register(endpoint=endpoint), closed)


@pytest.mark.promise("DATA-5")
def test_a_name_that_changes_its_mind_is_not_followed(
    register: Register, s3_store: S3Store
) -> None:
    """The connection goes to the address that was checked, not to what the name means a moment later."""
    answers = iter(["127.0.0.1", "10.0.0.7", "10.0.0.7", "10.0.0.7"])
    fickle = Door(
        networks=(ip_network("127.0.0.0/8"),),
        resolver=lambda _host, _port: (ip_address(next(answers)),),
    )
    port = urlsplit(s3_store.endpoint).port

    with pytest.raises(SourceProblem, match="private network"):
        KIND.check(register(endpoint=f"http://rebinding.invalid:{port}"), fickle)


@pytest.mark.promise("DATA-1")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bucket": "a/b"}, "Bucket cannot be"),
        ({"bucket": "a..b"}, "Bucket cannot be"),
        ({"prefix": "a/*"}, "holds"),
        ({"prefix": "a/../b"}, "climbs"),
        ({"region": "eu.evil.com/"}, "Region cannot be"),
        ({"endpoint": "ftp://store"}, "Endpoint is no address"),
        ({"endpoint": "https://key:secret@store"}, "Endpoint is no address"),
        ({"endpoint": "https://store/?x=1"}, "Endpoint is no address"),
        ({"role": "allotment-reader"}, "Role cannot be"),
        ({"kms_key": "alias/mine"}, "Encryption key cannot be"),
        ({"account": "ambient", **REGISTERED}, "cannot be handed to servers"),
        ({"ca": "no certificate"}, "no PEM certificate"),
    ],
)
def test_fields_that_cannot_be_right_are_refused_by_name(wrong: dict[str, str], words: str) -> None:
    right = {
        "bucket": "lake",
        "access_key_id": "key",
        "secret_access_key": "secret",
        "role": "arn:aws:iam::123456789012:role/allotment-reader",
    }
    KIND.validate(opened(SourceKind.S3, **right))

    with pytest.raises(SourceProblem, match=words):
        KIND.validate(opened(SourceKind.S3, **{**right, **wrong}))


@pytest.mark.promise("DATA-1")
def test_only_who_manages_all_sources_may_use_the_machines_own_identity() -> None:
    assert {one.name: one.guarded for one in KIND.fields if one.guarded} == {
        "account": ("ambient",)
    }
