"""Clients of Azure Blob whose every connection passes the door."""

from __future__ import annotations

from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.azure.form import AUTHORITY, Account
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened

_RETRIES = 1


def container_client(
    endpoint: str, container: str, signature: str, ca: str, door: Door, watch: Watch | None = None
) -> Any:
    """A client of one container, with a shared access signature."""
    from azure.storage.blob import ContainerClient

    options = _options(door, watch, ca)
    return ContainerClient(endpoint, container, credential=signature, **options)


def delegation_key(source: Opened, account: Account, span: Any, door: Door, watch: Watch) -> Any:
    """A key that a service principal's signatures are made with, for a span of time (start, end)."""
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
    with BlobServiceClient(account.endpoint, credential=principal, **options) as service:
        return service.get_user_delegation_key(*span)


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
