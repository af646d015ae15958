"""Tokens that only read, and end when they are asked to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from allotment.data.door import Door
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.gcs.boundary import boundary
from allotment.data.kinds.gcs.form import TOKEN_ENDPOINT, key_of
from allotment.data.kinds.kind import Opened
from allotment.data.outgoing import CONNECT_SECONDS, guard
from allotment.data.problems import SourceProblem
from allotment.model.sources import Part

ALL = "https://www.googleapis.com/auth/cloud-platform"
"""What Google's guide asks of a token that is to be narrowed; what comes out only reads."""
LONGEST = timedelta(hours=1)
"""The life of a token that a key's assertion buys, whatever is asked."""
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
_SLACK = timedelta(seconds=5)
"""By how much a life may be longer than asked: times are in whole seconds."""


class OnlyLongTokens(SourceProblem):
    """Tokens of this account last an hour; the remedy says what would let it make shorter ones."""


class Asker:
    """Sends what google-auth asks through the door, and knows what time it was there at the last answer."""

    def __init__(self, source: Opened, door: Door, watch: Watch | None) -> None:
        import requests
        from google.auth.transport.requests import Request

        make: Any = Request
        self._ask = make(guard(requests.Session(), door, watch, str(source.fields["ca"])))
        self.clock: datetime | None = None

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """As google-auth calls it; its own limit is two minutes."""
        answer = self._ask(*arguments, **{**options, "timeout": CONNECT_SECONDS})
        try:
            self.clock = parsedate_to_datetime(answer.headers.get("date") or "")
        except (TypeError, ValueError):
            self.clock = None
        return answer


def reading_token(
    source: Opened,
    lasts: timedelta,
    within: tuple[Part, ...],
    door: Door,
    watch: Watch | None,
) -> tuple[str, timedelta]:
    """A token that reads what is lent of a source, and how long it lasts: at most so long.

    What is narrowed ends with what it was made of: Google says so, and need not tell when.

    Raises:
        OnlyLongTokens: so short ones are not made for this account.
    """
    from google.oauth2.sts import Client

    narrowed = boundary(source, within)
    ask = Asker(source, door, watch)
    account = service_account(source, ALL)
    account.refresh(ask)
    token, life = str(account.token), LONGEST
    if lasts < LONGEST:
        token, life = _short(source, account, lasts, ask)
    exchange: Any = Client
    given = exchange(str(source.fields["token_endpoint"]) or TOKEN_ENDPOINT).exchange_token(
        ask,
        grant_type=_GRANT,
        subject_token=token,
        subject_token_type=_ACCESS_TOKEN,
        requested_token_type=_ACCESS_TOKEN,
        additional_options=narrowed,
    )
    told = timedelta(seconds=int(given.get("expires_in") or 0)) or life
    return str(given["access_token"]), min(told, life)


def service_account(source: Opened, scope: str) -> Any:
    """The registered service account, as google-auth knows it."""
    from google.oauth2.service_account import Credentials

    read: Any = Credentials.from_service_account_info
    return read(key_of(source), scopes=[scope])


def _short(source: Opened, account: Any, lasts: timedelta, ask: Asker) -> tuple[str, timedelta]:
    """A token that the account makes for itself, by Google's IAM Credentials API."""
    from google.auth.exceptions import RefreshError
    from google.auth.impersonated_credentials import Credentials
    from google.oauth2.credentials import Credentials as Known

    known: Any = Known
    make: Any = Credentials
    endpoint = str(source.fields["iam_endpoint"]).rstrip("/")
    email = str(account.service_account_email)
    own = f"{endpoint}/v1/projects/-/serviceAccounts/{quote(email)}:generateAccessToken"
    short = make(
        known(account.token, universe_domain=account.universe_domain),
        target_principal=email,
        target_scopes=[ALL],
        lifetime=max(1, int(lasts.total_seconds())),
        iam_endpoint_override=own if endpoint else None,
    )
    try:
        short.refresh(ask)
    except RefreshError as error:
        raise _only_long(str(error)) from None
    left = lasts
    if ask.clock is not None:
        left = short.expiry.replace(tzinfo=UTC) - ask.clock
    if left > lasts + _SLACK:
        raise OnlyLongTokens("Google's tokens last longer than was asked for.")
    return str(short.token), min(left, lasts)


def _only_long(answer: str) -> OnlyLongTokens:
    if "SERVICE_DISABLED" in answer:
        remedy = "Enable the IAM Service Account Credentials API in its project."
    else:
        remedy = "Give it the role Service Account Token Creator on itself."
    return OnlyLongTokens(
        "The service account may not make tokens that end sooner than after an hour.",
        remedy=remedy,
    )
