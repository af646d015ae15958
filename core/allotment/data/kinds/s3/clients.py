"""Clients of S3 and STS whose every connection passes the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.s3.form import AMBIENT

ATTEMPTS = 2
"""How often one request is sent at most."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What requests are signed with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    @classmethod
    def registered(cls, source: Opened) -> Keys | None:
        """The registered access key; None for the identity of this machine."""
        if source.fields["account"] == AMBIENT:
            return None
        return cls(str(source.fields["access_key_id"]), source.secrets["secret_access_key"])


def s3_client(
    fields: Mapping[str, Any], keys: Keys | None, door: Door, watch: Watch | None = None
) -> Any:
    """A client for the store that a source's (or a credential's) fields name."""
    options = {"addressing_style": "path" if fields["path_style"] else "virtual"}
    return _client("s3", fields, str(fields["endpoint"]), keys, door, watch, s3=options)


def sts_client(source: Opened, door: Door, watch: Watch | None = None) -> Any:
    """A client for who gives out the credentials of a source, signing with the registered account."""
    endpoint = str(source.fields["sts_endpoint"] or source.fields["endpoint"])
    return _client("sts", source.fields, endpoint, Keys.registered(source), door, watch)


def _client(
    service: str,
    fields: Mapping[str, Any],
    endpoint: str,
    keys: Keys | None,
    door: Door,
    watch: Watch | None,
    **config: Any,
) -> Any:
    import botocore.session

    from allotment.data.outgoing import GuardedAwsSession

    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    sent_by = GuardedAwsSession(door, watch, str(fields.get("ca") or ""))
    # Its stubs know an overload for each service, and none for what a variable says.
    create_client: Any = session.create_client
    client = create_client(
        service,
        region_name=str(fields["region"]),
        endpoint_url=endpoint or None,
        config=_configuration(signature_version="v4" if service == "sts" else "s3v4", **config),
        **({} if keys is None else _as_botocore(keys)),
    )
    client.meta.events.register(f"before-send.{service}", sent_by.answer)
    # Of the session that it really sends with, the client does not know.
    client.close = _both(client.close, sent_by.close)
    return client


def _configuration(**more: Any) -> Any:
    from botocore import config

    from allotment.data.outgoing import CONNECTIONS

    # Its stubs lack options that it has.
    make: Any = config.Config
    return make(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        # Whoever set this for a machine meant other programs.
        ignore_configured_endpoint_urls=True,
        # Stores other than Amazon's do not know the newer checksums.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **more,
    )


def _time(written: Any) -> datetime:
    """A time in an answer. botocore's own way takes three times as long as the rest of a listing."""
    from botocore.utils import parse_timestamp

    try:
        return datetime.fromisoformat(written)
    except (TypeError, ValueError):
        found: datetime = parse_timestamp(written)
        return found


def _both(first: Callable[[], None], second: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        second()

    return both


def _as_botocore(keys: Keys) -> dict[str, str | None]:
    return {
        "aws_access_key_id": keys.access_key_id,
        "aws_secret_access_key": keys.secret_access_key,
        "aws_session_token": keys.session_token or None,
    }


@cache
def _loader() -> Any:
    """Descriptions of services, read from disk once."""
    from botocore.loaders import Loader

    return Loader()
