"""Clients of Azure Blob whose every connection passes the door."""

from __future__ import annotations

import contextlib
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.azure.form import AUTHORITY, Account
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened

_RETRIES = 1


def container_client(
    endpoint: str,
    container: str,
    signature: str | None,
    ca: str,
    door: Door,
    watch: Watch | None = None,
) -> Any:
    """A client of one container, with a shared access signature; without one, as anybody."""
    from azure.storage.blob import ContainerClient

    options = _options(door, watch, ca)
    return ContainerClient(endpoint, container, credential=signature, **options)


def store_clock(
    account: Account, container: str, ca: str, door: Door, watch: Watch
) -> datetime | None:
    """What time it is at a store, None where it does not say. It tells everybody, whatever it refuses them."""
    from azure.core.exceptions import HttpResponseError

    seen = _Clock()
    with container_client(account.endpoint, container, None, ca, door, watch) as anybody:
        try:
            anybody.get_container_properties(raw_response_hook=seen)
        except HttpResponseError as error:
            if error.response is None:
                raise
            seen.look(error.response)
    return seen.time


def delegation_key(
    source: Opened,
    account: Account,
    span: tuple[datetime, datetime],
    door: Door,
    watch: Watch,
) -> tuple[Any, datetime | None]:
    """A key that a service principal's signatures are made with, for a span of time; what time it is there."""
    from azure.identity import ClientSecretCredential
    from azure.storage.blob import BlobServiceClient

    options = _options(door, watch, str(source.fields["ca"]))
    authority = str(source.fields["authority"])
    principal = ClientSecretCredential(
        str(source.fields["tenant"]),
        str(source.fields["client_id"]),
        source.secrets["client_secret"],
        authority=authority,
        # Asking Microsoft whether it knows an address of another cloud would only fail.
        disable_instance_discovery=authority.rstrip("/") != AUTHORITY,
        retry_total=_RETRIES,
        transport=_transport(door, watch, str(source.fields["ca"])),
    )
    seen = _Clock()
    with BlobServiceClient(account.endpoint, credential=principal, **options) as service:
        return service.get_user_delegation_key(*span, raw_response_hook=seen), seen.time


class _Clock:
    """Reads from answers what time it is at the store."""

    time: datetime | None = None

    def __call__(self, answered: Any) -> None:
        """Called by Azure's pipeline with what it was answered."""
        self.look(answered.http_response)

    def look(self, response: Any) -> None:
        """Read the header that every server of HTTP sends with its answers."""
        with contextlib.suppress(TypeError, ValueError):
            self.time = parsedate_to_datetime(response.headers.get("Date") or "")


def _options(door: Door, watch: Watch | None, ca: str) -> dict[str, Any]:
    from azure.storage.blob import LinearRetry

    return {
        "transport": _transport(door, watch, ca),
        "permit_redirects": False,
        "retry_policy": LinearRetry(backoff=1, retry_total=_RETRIES, random_jitter_range=0),
    }


def _transport(door: Door, watch: Watch | None, ca: str) -> Any:
    import requests
    from azure.core.pipeline.transport import RequestsTransport

    from allotment.data.outgoing import CONNECT_SECONDS, READ_SECONDS, guard

    return RequestsTransport(
        session=guard(requests.Session(), door, watch, ca),
        use_env_settings=False,
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
