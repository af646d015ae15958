"""Azure Blob as a source, on Azurite: it keeps to signatures, and takes what a sign-in service signs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from allotment.data.door import Door
from allotment.data.kinds.azure import Azure, reading_client
from allotment.data.kinds.kind import Borrower, Opened
from allotment.model.sources import Credential, SourceKind, Verdict
from object_stores import AzureStore
from source_forms import opened

KIND = Azure()
FILES = {"sales/2026.csv": b"1", "sales/eu/de.csv": b"22", "sales/us.csv": b"333", "x.csv": b"4"}
HOUR = timedelta(hours=1)

Register = Callable[..., Opened]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def container(azure_store: AzureStore) -> str:
    """A container with sales and one file beside them."""
    return azure_store.container(FILES)


@pytest.fixture(scope="module")
def register(azure_store: AzureStore, container: str) -> Register:
    """Fill in the form of a source for the container, some fields otherwise."""

    def make(**other: Any) -> Opened:
        return opened(
            SourceKind.AZURE, **{**azure_store.fields(container), **azure_store.secrets, **other}
        )

    return make


def lend(source: Opened, door: Door, at: datetime, lasts: timedelta = HOUR) -> Credential:
    borrower = Borrower("ann", "lab", "a1", at + 12 * HOUR, "allotment_0", lasts)
    return KIND.issue(source, borrower, door, at)


@pytest.fixture
def reader(register: Register, loopback: Door) -> Any:
    """A client with what a server is lent."""
    return reading_client(lend(register(), loopback, now()).fields, loopback)


@pytest.mark.promise("DATA-2")
def test_a_lent_signature_reads_and_lists(reader: Any) -> None:
    assert list(reader.list_blob_names()) == sorted(FILES)
    assert reader.download_blob("sales/us.csv").readall() == b"333"


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    "write",
    [
        lambda one: one.upload_blob("new.csv", b""),
        lambda one: one.upload_blob("x.csv", b"", overwrite=True),
        lambda one: one.delete_blob("x.csv"),
        lambda one: one.get_blob_client("new.csv").stage_block("MQ==", b"1"),
        lambda one: one.get_blob_client("x.csv").set_blob_metadata({"a": "b"}),
        lambda one: one.get_blob_client("x.csv").create_snapshot(),
        lambda one: one.set_container_metadata({"a": "b"}),
        lambda one: one.delete_container(),
    ],
)
def test_a_lent_signature_does_nothing_else(reader: Any, write: Callable[[Any], Any]) -> None:
    with pytest.raises(HttpResponseError) as raised:
        write(reader)

    assert raised.value.status_code == 403


@pytest.mark.promise("DATA-2", "DATA-5")
def test_a_signature_ends_within_the_hour_and_the_key_is_not_in_it(
    register: Register, azure_store: AzureStore, container: str, loopback: Door
) -> None:
    at = now()

    lent = lend(register(), loopback, at)

    assert (lent.expires_at, lent.shared, lent.account) == (at + HOUR, False, None)
    assert azure_store.key not in str(lent.fields)
    assert {name: lent.fields[name] for name in ("account", "endpoint", "container")} == {
        "account": azure_store.account,
        "endpoint": azure_store.endpoint,
        "container": container,
    }


@pytest.mark.promise("DATA-2")
def test_a_signature_that_has_ended_opens_nothing(register: Register, loopback: Door) -> None:
    late = lend(register(), loopback, now(), lasts=timedelta(seconds=-1))

    with pytest.raises(HttpResponseError):
        list(reading_client(late.fields, loopback).list_blob_names())


@pytest.mark.promise("DATA-2")
def test_a_signature_is_proven_read_only(register: Register, loopback: Door) -> None:
    at = now()

    proof = KIND.prove(register(), loopback, at)

    assert (proof.verdict, proof.at, proof.shared) == (Verdict.READ_ONLY, at, False)
    assert proof.tried[:3] == (
        "delete a file: refused",
        "begin a large file: refused",
        "write a file: refused",
    )


@pytest.mark.promise("DATA-2")
def test_a_signature_whose_time_is_over_proves_nothing(
    register: Register, azure_store: AzureStore, loopback: Door
) -> None:
    """It is refused every write, too."""
    types, rights = ResourceTypes(container=True, object=True), AccountSasPermissions(write=True)
    given = generate_account_sas(azure_store.account, azure_store.key, types, rights, now() - HOUR)
    text = f"BlobEndpoint={azure_store.endpoint};SharedAccessSignature={given}"

    proof = KIND.prove(
        register(identity="connection", connection_string=text, account_key=None), loopback, now()
    )

    assert proof.verdict is Verdict.UNPROVEN
    assert "clock" in proof.problem


@pytest.mark.promise("DATA-1")
def test_a_connection_string_is_enough(
    register: Register, azure_store: AzureStore, loopback: Door
) -> None:
    source = register(
        identity="connection",
        connection_string=azure_store.connection_string,
        account="",
        endpoint="",
        account_key=None,
    )

    KIND.validate(source)

    assert "a signature that ends" in KIND.check(source, loopback)
    assert azure_store.key not in str(lend(source, loopback, now()).fields)


@pytest.mark.promise("DATA-2", "DATA-5")
@pytest.mark.parametrize(
    ("rights", "verdict"),
    [
        (AccountSasPermissions(read=True, list=True), Verdict.READ_ONLY),
        (AccountSasPermissions(read=True, list=True, delete=True), Verdict.WRITABLE),
        (AccountSasPermissions(read=True, list=True, write=True), Verdict.WRITABLE),
    ],
)
def test_a_registered_signature_is_handed_on_and_marked_as_shared(
    register: Register,
    azure_store: AzureStore,
    loopback: Door,
    rights: AccountSasPermissions,
    verdict: Verdict,
) -> None:
    types = ResourceTypes(container=True, object=True)
    given = generate_account_sas(azure_store.account, azure_store.key, types, rights, now() + HOUR)
    text = f"BlobEndpoint={azure_store.endpoint};SharedAccessSignature={given}"
    container = azure_store.container(FILES)
    source = register(
        container=container, identity="connection", connection_string=text, account_key=None
    )

    proof = KIND.prove(source, loopback, now())
    lent = lend(source, loopback, now())

    assert (proof.verdict, proof.shared) == (verdict, True)
    assert (lent.shared, lent.expires_at, lent.fields["sas"]) == (True, None, given)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize("may_delete", [True, False])
def test_what_a_proof_could_write_is_removed_or_named(
    register: Register, azure_store: AzureStore, loopback: Door, may_delete: bool
) -> None:
    types = ResourceTypes(container=True, object=True)
    rights = AccountSasPermissions(read=True, list=True, write=True, delete=may_delete)
    given = generate_account_sas(azure_store.account, azure_store.key, types, rights, now() + HOUR)
    text = f"BlobEndpoint={azure_store.endpoint};SharedAccessSignature={given}"
    name = azure_store.container(FILES)
    source = register(
        container=name, identity="connection", connection_string=text, account_key=None
    )

    proof = KIND.prove(source, loopback, now())

    left = set(azure_store.client().get_container_client(name).list_blob_names()) - set(FILES)
    named = {f"{one} could not be removed again: delete it." for one in left}
    assert len(left) == (0 if may_delete else 1)
    assert named <= set(proof.tried)


@pytest.mark.promise("DATA-6")
def test_prefixes_and_files_are_browsed(register: Register, loopback: Door) -> None:
    top = KIND.browse(register(), (), loopback)
    inner = KIND.browse(register(prefix="sales"), ("eu",), loopback)

    assert [(one.name, one.kind, one.holds, one.size) for one in top.entries] == [
        ("sales", "prefix", True, None),
        ("x.csv", "file", False, 1),
    ]
    assert [one.path for one in inner.entries] == [("eu", "de.csv")]
    assert inner.next is None


@pytest.mark.promise("DATA-6")
def test_browsing_goes_on_where_it_stopped(register: Register, loopback: Door) -> None:
    source, names, after = register(prefix="sales"), [], ""
    for _ in range(3):
        found = KIND.browse(source, (), loopback, after=after, limit=1)
        names += [one.name for one in found.entries]
        after = found.next or ""

    assert names == ["2026.csv", "eu", "us.csv"]
