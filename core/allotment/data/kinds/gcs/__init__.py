"""Google Cloud Storage: servers read one prefix with a narrowed token that ends soon."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.gcs import form
from allotment.data.kinds.gcs.words import asking
from allotment.data.kinds.kind import Borrower, Lends, Opened
from allotment.data.kinds.lasting import chosen
from allotment.data.kinds.places import below, entries, page, parts_of, prefix_of
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind


class GoogleStorage:
    """Google Cloud Storage."""

    kind = SourceKind.GCS
    title = "Google Cloud Storage"
    lends = Lends.ENDING
    holds_files = True
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
        given = "Servers get a token that ends, and reads only this."
        return f"{_where(source)}, prefix {prefix or '(all)'}.{note} {given}"

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with what a server would be given, as short as the form says where Google lets it."""
        from allotment.data.kinds.gcs.clients import token_client
        from allotment.data.kinds.gcs.proof import attempt_writes

        try:
            with asking(_where(source)) as watch:
                token, lasts, remark = _as_lent(source, door, watch)
                with contextlib.closing(token_client(source.fields, token, door, watch)) as client:
                    return attempt_writes(client, _place(source), now, lasts, remark)
        except SourceProblem as problem:
            return unproven(now, str(problem))

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """A token of the service account, narrowed to reading what is lent."""
        from allotment.data.kinds.gcs.boundary import opened_parts
        from allotment.data.kinds.gcs.tokens import reading_token

        lasts = min(borrower.lasts, borrower.until - now)
        with asking(_where(source)) as watch:
            token, lasts = reading_token(source, lasts, borrower.within, door, watch)
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
        wider = opened_parts(source, borrower.within) != parts_of(prefix, borrower.within)
        return Credential(fields, now + lasts, wider=wider)

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
    """A client that reads what a server may; nobody else is lent its token, so it may last."""
    from allotment.data.kinds.gcs.clients import token_client
    from allotment.data.kinds.gcs.tokens import LONGEST, reading_token

    with asking(_where(source)) as watch:
        token, _lasts = reading_token(source, LONGEST, (), door, watch)
        with contextlib.closing(token_client(source.fields, token, door, watch)) as client:
            yield client


def _as_lent(source: Opened, door: Door, watch: Watch) -> tuple[str, timedelta, str]:
    """A token that lasts as the form says, or as long as Google can do no less; then why."""
    from allotment.data.kinds.gcs.tokens import LONGEST, OnlyLongTokens, reading_token

    try:
        return *reading_token(source, chosen(source.fields), (), door, watch), ""
    except OnlyLongTokens as problem:
        return *reading_token(source, LONGEST, (), door, watch), str(problem)


def _place(source: Opened) -> tuple[str, str]:
    return str(source.fields["bucket"]), prefix_of(str(source.fields["prefix"]))


def _where(source: Opened) -> str:
    return f"Bucket {source.fields['bucket']} at {source.fields['endpoint'] or 'Google'}"
