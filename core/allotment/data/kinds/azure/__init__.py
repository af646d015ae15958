"""Azure Blob: servers read one container with a signature that ends within the hour."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.azure import form
from allotment.data.kinds.azure.clients import container_client, delegation_key
from allotment.data.kinds.azure.form import PRINCIPAL, Account
from allotment.data.kinds.azure.proof import attempt_writes
from allotment.data.kinds.azure.words import asking
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.places import below, entries, page, prefix_of
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=1)
SKEW = timedelta(minutes=15)
"""How far before now a signature begins: clocks differ, as Azure's documentation warns."""


class Azure:
    """Azure Blob Storage, and what speaks as it does."""

    kind = SourceKind.AZURE
    title = "Azure Blob"
    fields = form.FIELDS

    def validate(self, source: Opened) -> None:
        """Refuse fields that cannot be right."""
        form.validate(source)

    def check(self, source: Opened, door: Door) -> str:
        """List the container with what a server would be given."""
        prefix = prefix_of(str(source.fields["prefix"]))
        with _as_server(source, door, datetime.now(UTC)) as (container, shared):
            found = container.list_blobs(name_starts_with=prefix or None, results_per_page=1)
            empty = next(iter(found), None) is None
        given = "Servers get a signature for an hour that reads and lists."
        if shared:
            given = "Servers get the registered signature itself: its users can read it."
        note = " There is no file below it yet." if empty else ""
        return f"{_where(source)}, prefix {prefix or '(all)'}.{note} {given}"

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with what a server would be given."""
        shared = False
        try:
            prefix = prefix_of(str(source.fields["prefix"]))
            with _as_server(source, door, now) as (container, shared):
                return attempt_writes(container, prefix, now, shared=shared)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=shared)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """A signature, or the registered one where a connection string holds nothing else."""
        end = min(max(borrower.until, now + SHORTEST), now + LONGEST)
        account = Account.of(source)
        with asking(_where(source)) as watch:
            signature = _signature(source, account, (now, end), door, watch)
        shared = bool(account.signature)
        fields = {
            "account": account.name,
            "endpoint": account.endpoint,
            "container": source.fields["container"],
            "prefix": prefix_of(str(source.fields["prefix"])),
            "sas": signature,
            "ca": source.fields["ca"],
        }
        return Credential(fields, None if shared else end, shared=shared)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Nothing is made in the account; signatures end by themselves."""

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """Prefixes and files at a place; ``next`` is the store's own token."""
        at = below(prefix_of(str(source.fields["prefix"])), path)
        with _as_server(source, door, datetime.now(UTC)) as (container, _shared):
            listed = container.walk_blobs(
                name_starts_with=at or None, delimiter="/", results_per_page=page(limit)
            ).by_page(after or None)
            found = list(next(listed, ()))
            folders = [one.name for one in found if one.name.endswith("/") and not _is_blob(one)]
            files = [(one.name, one.size, one.last_modified) for one in found if _is_blob(one)]
        return Browsed(entries(path, at, folders, files), listed.continuation_token or None)


def reading_client(fields: Mapping[str, Any], door: Door) -> Any:
    """A ContainerClient with what a credential's fields say, guarded by the door."""
    return container_client(
        fields["endpoint"], fields["container"], fields["sas"], fields.get("ca", ""), door
    )


def _is_blob(found: Any) -> bool:
    return hasattr(found, "etag")


@contextlib.contextmanager
def _as_server(source: Opened, door: Door, now: datetime) -> Iterator[tuple[Any, bool]]:
    """A client with what a server would be given, and whether that is the registered signature."""
    account = Account.of(source)
    with asking(_where(source)) as watch:
        signature = _signature(source, account, (now, now + SHORTEST), door, watch)
        name, ca = str(source.fields["container"]), str(source.fields["ca"])
        opened = container_client(account.endpoint, name, signature, ca, door, watch)
        with opened as container:
            yield container, bool(account.signature)


def _signature(
    source: Opened, account: Account, span: tuple[datetime, datetime], door: Door, watch: Watch
) -> str:
    """A signature to read and list the container, from some time before a span's start to its end."""
    from azure.storage.blob import ContainerSasPermissions, generate_container_sas

    if account.signature:
        return account.signature
    start, end = span[0] - SKEW, span[1]
    signed: dict[str, Any] = {"account_key": account.key}
    if source.fields["identity"] == PRINCIPAL:
        signed = {"user_delegation_key": delegation_key(source, account, (start, end), door, watch)}
    only_tls = account.endpoint.startswith("https://")
    return generate_container_sas(
        account.name,
        str(source.fields["container"]),
        permission=ContainerSasPermissions(read=True, list=True),
        start=start,
        expiry=end,
        protocol="https" if only_tls else None,
        **signed,
    )


def _where(source: Opened) -> str:
    return f"Container {source.fields['container']} at {Account.of(source).endpoint}"
