"""Clients of Google Cloud Storage whose every connection passes the door, and tokens that only read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.gcs.form import TOKEN_ENDPOINT, key_of
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.places import prefix_of
from allotment.data.outgoing import guard

ALL = "https://www.googleapis.com/auth/cloud-platform"
"""What Google's guide asks of a token that is to be narrowed; what comes out only reads."""
WRITING = "https://www.googleapis.com/auth/devstorage.read_write"
LONGEST = timedelta(hours=1)
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name


def boundary(source: Opened) -> dict[str, Any]:
    """The credential access boundary: view objects below the prefix, list it, and nothing else."""
    bucket, prefix = str(source.fields["bucket"]), prefix_of(str(source.fields["prefix"]))
    rule: dict[str, Any] = {
        "availablePermissions": ["inRole:roles/storage.objectViewer"],
        "availableResource": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
    }
    if prefix:
        listed = "api.getAttribute('storage.googleapis.com/objectListPrefix', '')"
        rule["availabilityCondition"] = {
            "expression": (
                f"resource.name.startsWith('projects/_/buckets/{bucket}/objects/{prefix}')"
                f" || {listed}.startsWith('{prefix}')"
            )
        }
    return {"accessBoundary": {"accessBoundaryRules": [rule]}}


def reading_token(source: Opened, door: Door, watch: Watch | None) -> tuple[str, timedelta]:
    """A token that reads what the source is, and how long it lasts."""
    from google.oauth2.sts import Client

    ask = _asker(source, door, watch)
    account = _account(source, ALL)
    account.refresh(ask)
    exchange: Any = Client
    given = exchange(str(source.fields["token_endpoint"]) or TOKEN_ENDPOINT).exchange_token(
        ask,
        grant_type=_GRANT,
        subject_token=account.token,
        subject_token_type=_ACCESS_TOKEN,
        requested_token_type=_ACCESS_TOKEN,
        additional_options=boundary(source),
    )
    # What is exchanged ends with what it was exchanged for: Google says so, and need not tell when.
    lasts = timedelta(seconds=int(given.get("expires_in") or 0)) or LONGEST
    return str(given["access_token"]), min(lasts, LONGEST)


def token_client(
    fields: Mapping[str, Any], token: str, door: Door, watch: Watch | None = None
) -> Any:
    """A client that sends a token as it is: it ends, and cannot be renewed from here."""
    from google.oauth2.credentials import Credentials

    make: Any = Credentials
    return _client(fields, make(token), door, watch)


def account_client(source: Opened, door: Door) -> Any:
    """A client with the registered service account itself, which may write."""
    return _client(source.fields, _account(source, WRITING), door, None)


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


def _account(source: Opened, scope: str) -> Any:
    from google.oauth2.service_account import Credentials

    read: Any = Credentials.from_service_account_info
    return read(key_of(source), scopes=[scope])


def _asker(source: Opened, door: Door, watch: Watch | None) -> Any:
    import requests
    from google.auth.transport.requests import Request

    from allotment.data.outgoing import CONNECT_SECONDS

    make: Any = Request
    ask = make(guard(requests.Session(), door, watch, str(source.fields["ca"])))

    def impatient(*arguments: Any, **options: Any) -> Any:
        # Its own limit is two minutes.
        return ask(*arguments, **{**options, "timeout": CONNECT_SECONDS})

    return impatient
