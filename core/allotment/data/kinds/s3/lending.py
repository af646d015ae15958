"""Credentials that read one prefix of one bucket, for an hour at most."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.places import prefix_of
from allotment.data.kinds.s3.clients import Keys, sts_client
from allotment.data.kinds.s3.form import REGISTERED, ROLE

SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=1)
"""What STS gives: AWS documents 900 s as the least; a role's session outlasts an hour only if told so."""


def reading_policy(source: Opened) -> dict[str, Any]:
    """The session policy: read below the prefix, list it, tell the bucket's region, and nothing else.

    What a session may do is what its account may do and this allows, both.
    """
    bucket, prefix = str(source.fields["bucket"]), prefix_of(str(source.fields["prefix"]))
    arn = f"arn:{_partition(source.fields)}:s3:::{bucket}"
    listing = _allow("s3:ListBucket", arn)
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": [f"{prefix}*"]}}
    statements = [
        _allow("s3:GetObject", f"{arn}/{prefix}*"),
        listing,
        _allow("s3:GetBucketLocation", arn),
    ]
    if source.fields["kms_key"]:
        statements.append(_allow("kms:Decrypt", str(source.fields["kms_key"])))
    return {"Version": "2012-10-17", "Statement": statements}


def lend(
    source: Opened, session: str, lasts: timedelta, door: Door, watch: Watch
) -> tuple[Keys, timedelta | None]:
    """Keys for a server, and how long they last (None: they are the registered ones).

    Args:
        source: the source.
        session: who asks, for the store's own log; signs that it does not take are replaced.
        lasts: how long they are wanted; STS gives no less than 15 minutes.
        door: what may be reached.
        watch: ends the connections when their time is up.
    """
    registered = Keys.registered(source)
    if source.fields["lending"] == REGISTERED and registered is not None:
        return registered, None
    lasts = max(SHORTEST, min(lasts, LONGEST))
    asked = {
        "Policy": json.dumps(reading_policy(source), separators=(",", ":")),
        "DurationSeconds": int(lasts.total_seconds()),
    }
    with closing(sts_client(source, door, watch)) as client:
        if source.fields["lending"] == ROLE:
            external = str(source.fields["external_id"])
            asked |= {"RoleArn": source.fields["role"], "RoleSessionName": _name(session, 64)}
            given = client.assume_role(**asked, **({"ExternalId": external} if external else {}))
        else:
            given = client.get_federation_token(Name=_name(session, 32), **asked)
    found = given["Credentials"]
    keys = Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    return keys, lasts


def expires(now: datetime, lasts: timedelta | None) -> datetime | None:
    """When they end, by the control plane's clock: the store's may be another."""
    return None if lasts is None else now + lasts


def _allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [action], "Resource": [resource]}


def _partition(fields: Mapping[str, Any]) -> str:
    """Amazon's part of the world: China and the government's clouds have ARNs of their own."""
    region = str(fields["region"])
    for start, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(start):
            return partition
    return "aws"


def _name(text: str, longest: int) -> str:
    """As STS takes a session's name."""
    return re.sub(r"[^\w+=,.@-]", "-", text, flags=re.ASCII)[:longest].ljust(2, "-")
