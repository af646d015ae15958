"""Google Cloud Storage as a source, on an emulator whose doorkeeper keeps to tokens and their boundaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import Forbidden
from google.auth.exceptions import GoogleAuthError

from allotment.data.door import Door
from allotment.data.kinds import connections
from allotment.data.kinds.gcs import GoogleStorage, reading_client
from allotment.data.kinds.gcs.boundary import boundary
from allotment.data.kinds.gcs.clients import account_client
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.problems import SourceProblem
from allotment.model.sources import Credential, SourceKind, Verdict
from bad_servers import never_answering, playing
from google_storage import GoogleStore, google_store
from source_forms import opened

KIND = GoogleStorage()
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
FILES = {"sales/2026.csv": b"1", "sales/eu/de.csv": b"22", "sales/us.csv": b"333", "x.csv": b"4"}

Register = Callable[..., Opened]


@pytest.fixture(scope="module")
def bucket(gcs_store: GoogleStore) -> str:
    """A bucket with sales and one file beside them."""
    return gcs_store.bucket(FILES)


@pytest.fixture(scope="module")
def register(gcs_store: GoogleStore, bucket: str) -> Register:
    """Fill in the form of a source for the bucket's sales, some fields otherwise."""

    def make(**other: Any) -> Opened:
        return opened(
            SourceKind.GCS, **{**gcs_store.fields(bucket, "sales"), **gcs_store.secrets, **other}
        )

    return make


def lend(source: Opened, door: Door) -> Credential:
    until = NOW + timedelta(hours=12)
    return KIND.issue(source, Borrower("ann", "lab", "a1", until, "allotment_0"), door, NOW)


@pytest.fixture
def reader(register: Register, loopback: Door, bucket: str) -> Any:
    """The bucket, as a server sees it."""
    return reading_client(lend(register(), loopback).fields, loopback).bucket(bucket)


@pytest.mark.promise("DATA-2")
def test_a_lent_token_reads_and_lists_below_the_prefix(reader: Any) -> None:
    assert [one.name for one in reader.list_blobs(prefix="sales/")] == [
        name for name in sorted(FILES) if name.startswith("sales/")
    ]
    assert reader.blob("sales/us.csv").download_as_bytes() == b"333"


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    "call",
    [
        lambda bucket: bucket.blob("x.csv").download_as_bytes(),
        lambda bucket: list(bucket.list_blobs(prefix="x")),
        lambda bucket: list(bucket.list_blobs()),
        lambda bucket: bucket.blob("sales/new.csv").upload_from_string(b""),
        lambda bucket: bucket.blob("sales/us.csv").upload_from_string(b""),
        lambda bucket: bucket.blob("sales/us.csv").delete(),
        lambda bucket: bucket.blob("sales/new.csv").create_resumable_upload_session(size=1),
        lambda bucket: bucket.copy_blob(bucket.blob("sales/us.csv"), bucket, "sales/new.csv"),
        lambda bucket: bucket.delete(),
    ],
)
def test_a_lent_token_does_nothing_else(reader: Any, call: Callable[[Any], Any]) -> None:
    with pytest.raises(Forbidden):
        call(reader)


@pytest.mark.promise("DATA-2", "DATA-5")
def test_a_token_ends_within_the_hour_and_the_key_is_not_in_it(
    register: Register, gcs_store: GoogleStore, loopback: Door
) -> None:
    source = register()

    lent = lend(source, loopback)

    assert (lent.expires_at, lent.shared, lent.account) == (NOW + timedelta(hours=1), False, None)
    assert "PRIVATE KEY" not in str(lent.fields)
    assert lent.fields["project"] == "project"
    assert gcs_store.boundaries[lent.fields["token"]] == boundary(source)["accessBoundary"]


@pytest.mark.promise("DATA-2")
def test_the_boundary_allows_viewing_one_prefix_of_one_bucket_and_nothing_else() -> None:
    rules = boundary(Opened("lake", {"bucket": "b", "prefix": "/a/c"}))["accessBoundary"]
    whole = boundary(Opened("lake", {"bucket": "b", "prefix": ""}))["accessBoundary"]

    rule = {
        "availablePermissions": ["inRole:roles/storage.objectViewer"],
        "availableResource": "//storage.googleapis.com/projects/_/buckets/b",
    }
    condition = (
        "resource.name.startsWith('projects/_/buckets/b/objects/a/c/')"
        " || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('a/c/')"
    )
    assert rules == {
        "accessBoundaryRules": [{**rule, "availabilityCondition": {"expression": condition}}]
    }
    assert whole == {"accessBoundaryRules": [rule]}


@pytest.mark.promise("DATA-2")
def test_a_narrowed_token_is_proven_read_only(register: Register, loopback: Door) -> None:
    proof = KIND.prove(register(), loopback, NOW)

    assert (proof.verdict, proof.at, proof.shared) == (Verdict.READ_ONLY, NOW, False)
    assert proof.tried == (
        "delete a file: refused",
        "begin a large file: refused",
        "write a file: refused",
    )


@pytest.fixture
def lax_store() -> Iterator[GoogleStore]:
    """An endpoint that gives out narrowed tokens and lets them do everything."""
    with google_store() as store:
        store.enforced = False
        yield store


@pytest.mark.promise("DATA-2")
def test_a_store_that_lets_a_narrowed_token_write_is_told_and_keeps_nothing(
    lax_store: GoogleStore, loopback: Door
) -> None:
    bucket = lax_store.bucket(FILES)
    source = opened(SourceKind.GCS, **lax_store.fields(bucket, "sales"), **lax_store.secrets)

    proof = KIND.prove(source, loopback, NOW)

    assert proof.verdict is Verdict.WRITABLE
    assert {"delete a file", "write a file"} <= set(proof.possible)
    assert {one.name for one in lax_store.client().list_blobs(bucket)} == set(FILES)


@pytest.mark.promise("DATA-2")
def test_a_token_that_has_ended_opens_and_proves_nothing(
    loopback: Door,
) -> None:
    with google_store() as store:
        source = opened(SourceKind.GCS, **store.fields(store.bucket(FILES)), **store.secrets)
        store.lifetime = timedelta(seconds=-1)
        lent = lend(source, loopback)

        assert KIND.prove(source, loopback, NOW).verdict is Verdict.UNPROVEN
        with pytest.raises(GoogleAuthError):
            reading_client(lent.fields, loopback).bucket("any").blob("x").download_as_bytes()


@pytest.mark.promise("SET-4")
def test_the_registered_account_itself_writes_where_the_platform_keeps_versions(
    register: Register, bucket: str, gcs_store: GoogleStore, loopback: Door
) -> None:
    kept = account_client(register(), loopback).bucket(bucket).blob("versions/1")

    kept.upload_from_string(b"kept")

    assert gcs_store.client().bucket(bucket).blob("versions/1").download_as_bytes() == b"kept"
    kept.delete()


@pytest.mark.promise("DATA-6")
def test_prefixes_and_files_are_browsed(register: Register, loopback: Door) -> None:
    top = KIND.browse(register(), (), loopback)
    inner = KIND.browse(register(), ("eu",), loopback)

    assert [(one.name, one.kind, one.holds, one.size) for one in top.entries] == [
        ("2026.csv", "file", False, 1),
        ("eu", "prefix", True, None),
        ("us.csv", "file", False, 3),
    ]
    assert [one.path for one in inner.entries] == [("eu", "de.csv")]
    assert inner.next is None


@pytest.mark.promise("DATA-6")
def test_browsing_goes_on_where_it_stopped(register: Register, loopback: Door) -> None:
    """The emulator gives everything at once; Google gives pages, with a token for the next."""
    page = b'{"items": [{"name": "sales/a", "size": "1"}], "nextPageToken": "after-a"}'
    kind = {"Content-Type": "application/json"}
    with playing(lambda _m, _p: (200, kind, page)) as store:
        found = KIND.browse(register(endpoint=store.url), (), loopback, after="before", limit=1)

    assert [one.name for one in found.entries] == ["a"]
    assert found.next == "after-a"
    assert len(store.asked) == 1
    assert "pageToken=before" in store.asked[0][1]
    assert "maxResults=1" in store.asked[0][1]


@pytest.mark.promise("DATA-4")
def test_a_check_says_what_was_reached_and_what_servers_get(
    register: Register, bucket: str, gcs_store: GoogleStore, loopback: Door
) -> None:
    assert KIND.check(register(), loopback) == (
        f"Bucket {bucket} at {gcs_store.url}, prefix sales/."
        " Servers get a token that ends, and reads only this."
    )
    assert "no file below it yet" in KIND.check(register(prefix="none"), loopback)


@pytest.mark.promise("DATA-4", "DATA-5")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bucket": "no-such-bucket"}, "there is no such bucket."),
        ({"endpoint": "http://127.0.0.1:1"}, "cannot be reached."),
        ({"endpoint": "http://169.254.169.254"}, "metadata service"),
        ({"token_endpoint": "http://10.0.0.7/v1/token"}, "private network"),
    ],
)
def test_what_is_wrong_is_said_in_words_without_secrets(
    register: Register, loopback: Door, wrong: dict[str, str], words: str
) -> None:
    source = register(**wrong)

    with pytest.raises(SourceProblem) as raised:
        KIND.check(source, loopback)

    assert words in str(raised.value)
    assert "PRIVATE" not in repr(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.promise("DATA-4", "DATA-5")
def test_a_key_that_was_deleted_is_named(register: Register, loopback: Door) -> None:
    with google_store() as other:
        url = str(register().fields["endpoint"])
        forged = other.service_account.replace(other.url, url)

        with pytest.raises(SourceProblem, match="key was deleted or is wrong"):
            KIND.check(register(service_account=forged), loopback)


@pytest.mark.promise("DATA-5")
def test_a_service_account_file_leads_nowhere_that_the_door_forbids(
    register: Register, gcs_store: GoogleStore, loopback: Door
) -> None:
    """Its file says where to sign in: who pastes it could name the hub."""
    leading = gcs_store.service_account.replace(f"{gcs_store.url}/token", "http://169.254.169.254/")

    with pytest.raises(SourceProblem, match="metadata service"):
        KIND.check(register(service_account=leading), loopback)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control plane gives up after a third of a second."""
    monkeypatch.setattr(connections, "CALL_SECONDS", 0.3)


@pytest.mark.usefixtures("impatient")
@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("drip", [b"", b"x"])
@pytest.mark.parametrize("place", ["endpoint", "token_endpoint"])
def test_a_store_that_does_not_answer_or_never_ends_is_given_up(
    register: Register, loopback: Door, drip: bytes, place: str
) -> None:
    with (
        never_answering(drip) as url,
        pytest.raises(SourceProblem, match="did not answer in time"),
    ):
        KIND.check(register(**{place: url}), loopback)


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("place", ["endpoint", "token_endpoint"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(
    register: Register, loopback: Door, status: int, place: str
) -> None:
    with playing(lambda _m, _p: (200, {}, b"")) as hub:
        leads = {"Location": hub.url}
        with (
            playing(lambda _m, _p: (status, leads, b"")) as store,
            pytest.raises(SourceProblem, match="redirects are not followed"),
        ):
            KIND.check(register(**{place: store.url}), loopback)

    assert hub.asked == []


@pytest.mark.promise("DATA-4")
@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[]", b'{"items": 1}', b"\xff"])
def test_what_is_no_store_at_all_is_said(register: Register, loopback: Door, body: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    with (
        playing(lambda _m, _p: (200, kind, body)) as site,
        pytest.raises(SourceProblem, match="does not answer as Google does"),
    ):
        KIND.check(register(endpoint=site.url), loopback)


@pytest.mark.promise("DATA-1")
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bucket": "Sales"}, "Bucket cannot be"),
        ({"bucket": "a/b"}, "Bucket cannot be"),
        ({"prefix": "a/../b"}, "climbs"),
        ({"prefix": "a' || true || '"}, "holds"),
        ({"endpoint": "ftp://store"}, "Endpoint is no address"),
        ({"endpoint": "https://me:secret@store"}, "Endpoint is no address"),
        ({"service_account": "not JSON"}, "no JSON key file"),
        ({"service_account": '{"type": "authorized_user"}'}, "no JSON key file"),
        ({"ca": "no certificate"}, "no PEM certificate"),
    ],
)
def test_fields_that_cannot_be_right_are_refused_by_name(
    register: Register, wrong: dict[str, str], words: str
) -> None:
    KIND.validate(register())

    with pytest.raises(SourceProblem, match=words):
        KIND.validate(register(**wrong))


@pytest.mark.promise("DATA-5")
def test_a_form_that_is_broken_does_not_repeat_its_key(register: Register) -> None:
    broken = replace(register(), secrets={"service_account": '{"private_key": "canary"'})

    with pytest.raises(SourceProblem) as raised:
        KIND.validate(broken)

    assert "canary" not in repr(raised.value)
