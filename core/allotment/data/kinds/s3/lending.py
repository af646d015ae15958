"""Credentials that read a part of one bucket, for an hour at most."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.s3.clients import Keys, sts_client
from allotment.data.kinds.s3.form import REGISTERED, ROLE
from allotment.data.kinds.s3.policy import reading_policy
from allotment.model.sources import Part

SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=1)
"""What STS gives: AWS documents 900 s as the least; a role's session outlasts an hour only if told so."""
_NEAR = timedelta(seconds=2)
"""How much sooner than asked for an end may be: as long as an answer takes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: in whose name, for how long, of which parts.

    ``session`` is for the store's own log; signs that it does not take are replaced. ``lasts`` below
    what STS gives is made an end in the policy, by the store's clock; not positive, it has passed.
    ``now`` is the clock that is tried first.
    """

    session: str
    lasts: timedelta
    now: datetime
    within: tuple[Part, ...] = ()

    @property
    def ends(self) -> datetime | None:
        """The end in the policy, by this clock; None where the session's own end is soon enough."""
        return None if self.lasts >= SHORTEST else self.now.replace(microsecond=0) + self.lasts

    def is_kept(self, ends: datetime, store: datetime | None) -> bool:
        """Whether an end is what was asked for by the store's clock, never later."""
        return store is None or self.lasts - _NEAR <= ends - store <= self.lasts


def lend(source: Opened, wanted: Wanted, door: Door, watch: Watch) -> tuple[Keys, timedelta | None]:
    """Keys for a server, and how long they last (None: they are the registered ones).

    Args:
        source: the source.
        wanted: what is asked for.
        door: what may be reached.
        watch: ends the connections when their time is up.
    """
    registered = Keys.registered(source)
    if source.fields["lending"] == REGISTERED and registered is not None:
        return registered, None
    ends = wanted.ends
    with closing(sts_client(source, door, watch)) as client:
        given = _asked(client, source, wanted, ends)
        store = _clock(given)
        if ends is not None and store is not None and not wanted.is_kept(ends, store):
            given = _asked(client, source, wanted, store + wanted.lasts)
    found = given["Credentials"]
    keys = Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    return keys, _life(found, store, wanted)


def expires(now: datetime, lasts: timedelta | None) -> datetime | None:
    """When they end, by the control plane's clock: the store's may be another."""
    return None if lasts is None else now + lasts


def _asked(client: Any, source: Opened, wanted: Wanted, ends: datetime | None) -> Mapping[str, Any]:
    asked = {
        "Policy": reading_policy(source, wanted.within, ends),
        "DurationSeconds": int(max(SHORTEST, min(wanted.lasts, LONGEST)).total_seconds()),
    }
    given: Mapping[str, Any]
    if source.fields["lending"] != ROLE:
        given = client.get_federation_token(Name=_name(wanted.session, 32), **asked)
        return given
    external = str(source.fields["external_id"])
    asked |= {"RoleArn": source.fields["role"], "RoleSessionName": _name(wanted.session, 64)}
    given = client.assume_role(**asked, **({"ExternalId": external} if external else {}))
    return given


def _clock(given: Mapping[str, Any]) -> datetime | None:
    """What time it is there; None where it does not say."""
    try:
        return parsedate_to_datetime(str(given["ResponseMetadata"]["HTTPHeaders"]["date"]))
    except (LookupError, ValueError):
        return None


def _life(found: Mapping[str, Any], store: datetime | None, wanted: Wanted) -> timedelta:
    """How long they last: as asked for, or as the store says where that is another time."""
    lasts = max(SHORTEST, min(wanted.lasts, LONGEST))
    expiration = found.get("Expiration")
    if store is not None and isinstance(expiration, datetime) and expiration > store:
        lasts = expiration - store
    return min(lasts, wanted.lasts) if wanted.lasts < SHORTEST else lasts


def _name(text: str, longest: int) -> str:
    """As STS takes a session's name."""
    return re.sub(r"[^\w+=,.@-]", "-", text, flags=re.ASCII)[:longest].ljust(2, "-")
