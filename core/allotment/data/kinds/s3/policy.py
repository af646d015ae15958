"""The session policy: what somebody who is lent credentials may do with them, where, and until when."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allotment.data.kinds.kind import Opened
from allotment.data.kinds.places import merged, parts_of, prefix_of
from allotment.model.sources import Part

LONGEST_POLICY = 2_048
"""Characters that STS takes."""


def reading_policy(
    source: Opened, within: tuple[Part, ...] = (), ends: datetime | None = None
) -> str:
    """Read what is lent, list it, tell the bucket's region, and nothing else; as JSON.

    What a session may do is what its account may do and this allows, both. Parts that are too many for
    a policy are covered by the folders that hold them.

    Args:
        source: the source.
        within: what of it is lent; empty for all below its prefix.
        ends: until when, by the store's own clock; None where the session itself ends soon enough. It is
            a condition of what is allowed, so that a store that does not know it allows nothing.

    Raises:
        SourceProblem: a part lies outside the source's prefix.
    """
    return _written(source.fields, opened_parts(source, within, ends), ends)


def opened_parts(
    source: Opened, within: tuple[Part, ...], ends: datetime | None
) -> tuple[Part, ...]:
    """The parts that a policy opens: those that are lent, or the folders that hold them."""
    prefix = prefix_of(str(source.fields["prefix"]))
    parts = parts_of(prefix, within)
    while len(_written(source.fields, parts, ends)) > LONGEST_POLICY:
        fewer = merged(prefix, parts)
        if fewer == parts:
            break
        parts = fewer
    return parts


def _written(fields: Mapping[str, Any], parts: tuple[Part, ...], ends: datetime | None) -> str:
    bucket = f"arn:{_partition(fields)}:s3:::{fields['bucket']}"
    places = [_literal(one.key) + ("" if one.exact else "*") for one in parts]
    listed = {} if "*" in places else {"StringLike": {"s3:prefix": places}}
    statements = [
        _allow("s3:GetObject", [f"{bucket}/{place}" for place in places], ends),
        _allow("s3:ListBucket", [bucket], ends, listed),
        _allow("s3:GetBucketLocation", [bucket], ends),
    ]
    if fields["kms_key"]:
        statements.append(_allow("kms:Decrypt", [str(fields["kms_key"])], ends))
    policy = {"Version": "2012-10-17", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))


def _allow(
    action: str,
    resources: list[str],
    ends: datetime | None,
    condition: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    conditions = dict(condition or {})
    if ends is not None:
        conditions["DateLessThan"] = {"aws:CurrentTime": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}
    allowed = {"Effect": "Allow", "Action": [action], "Resource": resources}
    return {**allowed, "Condition": conditions} if conditions else allowed


def _literal(key: str) -> str:
    """A key as a policy takes it: what has a meaning there is any one character."""
    return re.sub(r"[*?$]", "?", key)


def _partition(fields: Mapping[str, Any]) -> str:
    """Amazon's part of the world: China and the government's clouds have ARNs of their own."""
    region = str(fields["region"])
    for start, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(start):
            return partition
    return "aws"
