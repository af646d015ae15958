"""S3, Amazon's and others': servers read one prefix with credentials that end soon."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.attempts import unproven
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Borrower, Lends, Opened
from allotment.data.kinds.lasting import chosen
from allotment.data.kinds.places import below, entries, page, parts_of, prefix_of
from allotment.data.kinds.s3 import form
from allotment.data.kinds.s3.clients import Keys, s3_client
from allotment.data.kinds.s3.ending import keeps_to_ends
from allotment.data.kinds.s3.lending import SHORTEST, Wanted, expires, lend
from allotment.data.kinds.s3.policy import opened_parts
from allotment.data.kinds.s3.proof import attempt_writes
from allotment.data.kinds.s3.words import asking
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Proof, SourceKind

_OWN = "allotment"
"""Under which name the control plane itself borrows, in the store's own log."""


class S3:
    """Amazon S3, and stores that speak as it does."""

    kind = SourceKind.S3
    title = "S3 and compatible"
    lends = Lends.ENDING
    holds_files = True
    fields = form.FIELDS

    def validate(self, source: Opened) -> None:
        """Refuse fields that cannot be right."""
        form.validate(source)

    def check(self, source: Opened, door: Door) -> str:
        """List the prefix with what a server would be given."""
        bucket, prefix = _place(source)
        with _as_server(source, door) as client:
            answer = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        found = answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
        if found and found != source.fields["region"]:
            raise SourceProblem(
                f"{_where(source)}: the bucket is in {found[:60]}, not in {source.fields['region']}.",
                remedy=f"Enter {found[:60]} as its region.",
            )
        given = "Servers get credentials that end, and read only this."
        if source.fields["lending"] == form.REGISTERED:
            given = "Servers get the access key itself: its users can read it."
        empty = "" if answer.get("KeyCount") else " There is no file below it yet."
        return f"{_where(source)}, prefix {prefix or '(all)'}.{empty} {given}"

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with what a server would be given."""
        bucket, prefix = _place(source)
        shared = source.fields["lending"] == form.REGISTERED
        try:
            with _asking(source) as watch:
                wanted, remarks = _as_lent(source, door, watch, now)
                keys, lasts = lend(source, wanted, door, watch)
                ends = None if lasts is None else int(lasts.total_seconds())
                with contextlib.closing(s3_client(source.fields, keys, door, watch)) as client:
                    return attempt_writes(
                        client,
                        (bucket, prefix),
                        now,
                        shared=shared,
                        ends_within=ends,
                        remarks=remarks,
                    )
        except SourceProblem as problem:
            return unproven(now, str(problem), shared=shared)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Credentials by STS, or the registered key where the form says so."""
        session = f"{borrower.person}@{borrower.server or 'default'}"
        lasts = min(borrower.lasts, borrower.until - now)
        if borrower.lasts >= SHORTEST:
            # Of this store it is not known that it keeps to a sooner end.
            lasts = max(lasts, SHORTEST)
        wanted = Wanted(session, lasts, now, borrower.within)
        with _asking(source) as watch:
            keys, life = lend(source, wanted, door, watch)
        parts = parts_of(_place(source)[1], borrower.within)
        wider = opened_parts(source, borrower.within, wanted.ends) != parts
        ends = expires(now, life)
        return Credential(_credential(source, keys), ends, shared=life is None, wider=wider)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Nothing is made in the store; credentials end by themselves."""

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
        bucket, prefix = _place(source)
        at = below(prefix, path)
        asked = {"Bucket": bucket, "Prefix": at, "Delimiter": "/", "MaxKeys": page(limit)}
        with _as_server(source, door) as client:
            answer = client.list_objects_v2(
                **asked, **({"ContinuationToken": after} if after else {})
            )
        folders = [one["Prefix"] for one in answer.get("CommonPrefixes", ())]
        files = [(o["Key"], o["Size"], o["LastModified"]) for o in answer.get("Contents", ())]
        return Browsed(entries(path, at, folders, files), answer.get("NextContinuationToken"))


def reading_client(fields: Mapping[str, Any], door: Door) -> Any:
    """A boto3 client with what a credential's fields say, guarded by the door."""
    keys = Keys(fields["access_key_id"], fields["secret_access_key"], fields["session_token"])
    return s3_client(fields, keys, door)


def account_client(source: Opened, door: Door) -> Any:
    """A boto3 client with the registered account itself, which may write."""
    return s3_client(source.fields, Keys.registered(source), door)


def _credential(source: Opened, keys: Keys) -> dict[str, Any]:
    bucket, prefix = _place(source)
    return {
        "bucket": bucket,
        "prefix": prefix,
        "endpoint": source.fields["endpoint"],
        "region": source.fields["region"],
        "path_style": source.fields["path_style"],
        "ca": source.fields["ca"],
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "session_token": keys.session_token,
    }


def _place(source: Opened) -> tuple[str, str]:
    return str(source.fields["bucket"]), prefix_of(str(source.fields["prefix"]))


def _where(source: Opened) -> str:
    at = source.fields["endpoint"] or f"Amazon S3 in {source.fields['region']}"
    return f"Bucket {source.fields['bucket']} at {at}"


@contextlib.contextmanager
def _as_server(source: Opened, door: Door) -> Iterator[Any]:
    """A client with what a server would be given: the registered account need not be able to read."""
    with _asking(source) as watch:
        keys, _lasts = lend(source, Wanted(_OWN, SHORTEST, datetime.now(UTC)), door, watch)
        with contextlib.closing(s3_client(source.fields, keys, door, watch)) as client:
            yield client


def _as_lent(
    source: Opened, door: Door, watch: Watch, now: datetime
) -> tuple[Wanted, tuple[str, ...]]:
    """What servers are lent of a source, as short as its store can, and what that has shown."""
    wanted = Wanted(_OWN, chosen(source.fields), now)
    if source.fields["lending"] == form.REGISTERED or wanted.lasts >= SHORTEST:
        return wanted, ()
    why = keeps_to_ends(source, wanted, door, watch)
    if not why:
        return wanted, ("read with credentials whose end had passed: refused",)
    longer = (
        f"The store does not keep to an end in a session policy: {why}. "
        f"What is lent lasts {SHORTEST // timedelta(minutes=1)} minutes, the least that it gives."
    )
    return replace(wanted, lasts=SHORTEST), (longer,)


def _asking(source: Opened) -> contextlib.AbstractContextManager[Watch]:
    return asking(_where(source), tuple(source.secrets.values()))
