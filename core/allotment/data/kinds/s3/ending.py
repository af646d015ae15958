"""Whether a store keeps to an end that is written into a session policy: some do not know how."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.places import prefix_of
from allotment.data.kinds.s3.clients import s3_client
from allotment.data.kinds.s3.lending import Wanted, lend
from allotment.data.kinds.s3.words import ENDED, REFUSED, code_of

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_PASSED = timedelta(minutes=-1)
_NOT_TAKEN = frozenset(
    {"MalformedPolicyDocument", "MalformedPolicyDocumentException", "ValidationError"}
)


def keeps_to_ends(source: Opened, wanted: Wanted, door: Door, watch: Watch) -> str:
    """Why the store does not end what it lends when it was asked to; empty where it does.

    It is read with credentials whose end is to come, which must be let, and with such whose end has
    passed, which must not.
    """
    from botocore.exceptions import ClientError

    try:
        if not _reads(source, wanted, door, watch):
            return "it refuses credentials that have one"
        if _reads(source, replace(wanted, lasts=_PASSED), door, watch):
            return "it lets them in after it"
    except ClientError as error:
        if code_of(error) not in _NOT_TAKEN:
            raise
        return "it does not take one"
    return ""


def _reads(source: Opened, wanted: Wanted, door: Door, watch: Watch) -> bool:
    """Whether these credentials list the source, and read its first file where there is one."""
    from botocore.exceptions import ClientError

    bucket, prefix = str(source.fields["bucket"]), prefix_of(str(source.fields["prefix"]))
    keys, _lasts = lend(source, wanted, door, watch)
    let = []
    with closing(s3_client(source.fields, keys, door, watch)) as client:
        first: dict[str, Any] = {}
        try:
            first = client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
            let.append(True)
        except ClientError as error:
            let.append(_unless_refused(error))
        for found in first.get("Contents", ()):
            try:
                client.head_object(Bucket=bucket, Key=found["Key"])
                let.append(True)
            except ClientError as error:
                let.append(_unless_refused(error))
    return all(let) if wanted.lasts > timedelta(0) else any(let)


def _unless_refused(error: ClientError) -> bool:
    """False where it was refused; anything else shows nothing, and is raised."""
    if code_of(error) in REFUSED | ENDED:
        return False
    raise error
