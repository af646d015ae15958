"""Google Cloud Storage: servers read one prefix with a narrowed token that ends within the hour."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.gcs import form
from allotment.data.kinds.gcs.words import asking
from allotment.data.kinds.kind import Borrower, Opened
from allotment.data.kinds.places import below, entries, page, prefix_of
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind


class GoogleStorage:
    """Google Cloud Storage."""

    kind = SourceKind.GCS
    title = "Google Cloud Storage"
    fields = form.FIELDS

    def validate(self, source: Opened) -> None:
        """Refuse fields that cannot be right."""
        form.validate(source)

    def check(self, source: Opened, door: Door) -> str:
        """List the prefix with what a server would be given."""
        from allotment.data.kinds.gcs.proof import ONCE

        bucket, prefix = _place(source)
        with _as_server(source, door) as client:
            found = client.list_blobs(bucket, prefix=prefix or None, max_results=1, **ONCE)
            empty = next(iter(found), None) is None
        note = " There is no file below it yet." if empty else ""
        given = "Servers get a token for an hour that reads only this."
        return f"{_where(source)}, prefix {prefix or '(all)'}.{note} {given}"

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with what a server would be given."""
        from allotment.data.kinds.gcs.proof import attempt_writes

        try:
            bucket, prefix = _place(source)
            with _as_server(source, door) as client:
                return attempt_writes(client, bucket, prefix, now)
        except SourceProblem as problem:
            return unproven(now, str(problem))

    def issue(
        self,
        source: Opened,
        borrower: Borrower,  # noqa: ARG002 - Google's tokens carry no name, and end when they end
        door: Door,
        now: datetime,
    ) -> Credential:
        """A token of the service account, narrowed to reading the prefix."""
        from allotment.data.kinds.gcs.clients import reading_token

        with asking(_where(source)) as watch:
            token, lasts = reading_token(source, door, watch)
            project = str(form.key_of(source).get("project_id", ""))
        bucket, prefix = _place(source)
        fields = {
            "bucket": bucket,
            "prefix": prefix,
            "project": project,
            "endpoint": source.fields["endpoint"],
            "token": token,
            "ca": source.fields["ca"],
        }
        return Credential(fields, now + lasts)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Nothing is made at Google; tokens end by themselves."""

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
        from allotment.data.kinds.gcs.proof import ONCE

        bucket, prefix = _place(source)
        at = below(prefix, path)
        with _as_server(source, door) as client:
            listed = client.list_blobs(
                bucket,
                prefix=at or None,
                delimiter="/",
                page_size=page(limit),
                page_token=after or None,
                **ONCE,
            )
            found = list(next(listed.pages, ()))
            files = [(one.name, one.size, one.updated) for one in found]
            folders = sorted(listed.prefixes)
        return Browsed(entries(path, at, folders, files), listed.next_page_token or None)


def reading_client(fields: Mapping[str, Any], door: Door) -> Any:
    """A google.cloud.storage.Client with what a credential's fields say, guarded by the door."""
    from allotment.data.kinds.gcs.clients import token_client

    return token_client(fields, str(fields["token"]), door)


def account_client(source: Opened, door: Door) -> Any:
    """A google.cloud.storage.Client with the registered service account itself, which may write."""
    from allotment.data.kinds.gcs import clients

    return clients.account_client(source, door)


@contextlib.contextmanager
def _as_server(source: Opened, door: Door) -> Iterator[Any]:
    """A client with what a server would be given."""
    from allotment.data.kinds.gcs.clients import reading_token, token_client

    with asking(_where(source)) as watch:
        token, _lasts = reading_token(source, door, watch)
        with contextlib.closing(token_client(source.fields, token, door, watch)) as client:
            yield client


def _place(source: Opened) -> tuple[str, str]:
    return str(source.fields["bucket"]), prefix_of(str(source.fields["prefix"]))


def _where(source: Opened) -> str:
    return f"Bucket {source.fields['bucket']} at {source.fields['endpoint'] or 'Google'}"
