"""Clients of Google Cloud Storage whose every connection passes the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.gcs.tokens import service_account
from allotment.data.kinds.kind import Opened
from allotment.data.outgoing import guard

WRITING = "https://www.googleapis.com/auth/devstorage.read_write"


def token_client(
    fields: Mapping[str, Any], token: str, door: Door, watch: Watch | None = None
) -> Any:
    """A client that sends a token as it is: it ends, and cannot be renewed from here."""
    from google.oauth2.credentials import Credentials

    make: Any = Credentials
    return _client(fields, make(token), door, watch)


def account_client(source: Opened, door: Door) -> Any:
    """A client with the registered service account itself, which may write."""
    return _client(source.fields, service_account(source, WRITING), door, None)


def _client(fields: Mapping[str, Any], credentials: Any, door: Door, watch: Watch | None) -> Any:
    import requests
    from google.auth.transport.requests import AuthorizedSession, Request
    from google.cloud.storage import Client

    ca = str(fields.get("ca") or "")
    make_request: Any = Request
    make_session: Any = AuthorizedSession
    ask = make_request(guard(requests.Session(), door, watch, ca))
    session = make_session(credentials, max_refresh_attempts=1, auth_request=ask)
    # A project is named only where buckets are made; the library insists.
    client = Client(
        str(fields.get("project") or "allotment"),
        credentials,
        _http=guard(session, door, watch, ca),
        client_options={"api_endpoint": str(fields["endpoint"])} if fields["endpoint"] else None,
    )
    # For traces, it would ask for the bucket itself, which readers may not see, for two minutes.
    client._bucket_metadata_cache = None  # noqa: SLF001 - the other switch is for the whole process
    return client
