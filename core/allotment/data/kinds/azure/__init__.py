"""Azure Blob: servers read one container, or one file, with a signature that ends soon."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.azure import form
from allotment.data.kinds.azure.clients import container_client
from allotment.data.kinds.azure.form import Account
from allotment.data.kinds.azure.proof import attempt_writes
from allotment.data.kinds.azure.signing import LONGEST, Signer, only_file
from allotment.data.kinds.azure.words import asking
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Borrower, Lends, Opened
from allotment.data.kinds.lasting import chosen
from allotment.data.kinds.places import below, entries, page, prefix_of
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

_OWN = timedelta(minutes=5)
"""How long a signature of the control plane itself lasts."""
_ENDED = timedelta(minutes=-1)


class Azure:
    """Azure Blob Storage, and what speaks as it does."""

    kind = SourceKind.AZURE
    title = "Azure Blob"
    lends = Lends.ENDING
    holds_files = True
    fields = form.FIELDS

    def validate(self, source: Opened) -> None:
        """Refuse fields that cannot be right."""
        form.validate(source)

    def check(self, source: Opened, door: Door) -> str:
        """List the container with what a server would be given."""
        prefix = prefix_of(str(source.fields["prefix"]))
        with _as_server(source, door) as (container, shared):
            found = container.list_blobs(name_starts_with=prefix or None, results_per_page=1)
            empty = next(iter(found), None) is None
        given = "Servers get a signature that ends, and reads and lists."
        if shared:
            given = "Servers get the registered signature itself: its users can read it."
        note = " There is no file below it yet." if empty else ""
        return f"{_where(source)}, prefix {prefix or '(all)'}.{note} {given}"

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with what a server would be given, and to read with one whose time is over."""
        shared = False
        try:
            prefix, lasts = prefix_of(str(source.fields["prefix"])), chosen(source.fields)
            with asking(_where(source)) as watch:
                signer = Signer.of(source, now, door, watch)
                shared = signer.shared
                with (
                    _container(source, signer.signature(lasts), door, watch) as container,
                    _container(source, signer.signature(_ENDED), door, watch) as ended,
                ):
                    last = None if shared else (lasts, ended)
                    return attempt_writes(container, prefix, now, last)
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=shared)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """A signature, or the registered one where a connection string holds nothing else."""
        lasts = min(borrower.lasts, borrower.until - now, LONGEST)
        file = only_file(source, borrower.within)
        with asking(_where(source)) as watch:
            signer = Signer.of(source, now, door, watch)
        fields = {
            "account": signer.account.name,
            "endpoint": signer.account.endpoint,
            "container": source.fields["container"],
            "prefix": prefix_of(str(source.fields["prefix"])),
            "sas": signer.signature(lasts, file),
            "ca": source.fields["ca"],
        }
        ends = None if signer.shared else now + lasts
        wider = bool(borrower.within) and not file
        return Credential(fields, ends, shared=signer.shared, wider=wider)

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
        with _as_server(source, door) as (container, _shared):
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
def _as_server(source: Opened, door: Door) -> Iterator[tuple[Any, bool]]:
    """A client that reads what a server may, and whether that is by the registered signature."""
    with asking(_where(source)) as watch:
        signer = Signer.of(source, datetime.now(UTC), door, watch)
        with _container(source, signer.signature(_OWN), door, watch) as container:
            yield container, signer.shared


def _container(source: Opened, signature: str, door: Door, watch: Watch) -> Any:
    name, ca = str(source.fields["container"]), str(source.fields["ca"])
    return container_client(Account.of(source).endpoint, name, signature, ca, door, watch)


def _where(source: Opened) -> str:
    return f"Container {source.fields['container']} at {Account.of(source).endpoint}"
