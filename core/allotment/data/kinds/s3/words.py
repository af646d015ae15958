"""What went wrong at a store that speaks S3, in words, without secrets."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from allotment.data.kinds import connections
from allotment.data.kinds.connections import Watch, spoken
from allotment.data.problems import SourceProblem

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

REFUSED = frozenset(
    {"AccessDenied", "AccessDeniedException", "Forbidden", "403", "UnauthorizedAccess"}
)
"""Codes of a store that knows who asks, and does not let it."""
ENDED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""Codes for credentials whose time is over."""
UNKNOWN_THERE = frozenset({"NotImplemented", "MethodNotAllowed", "405", "501"})
"""Codes of a store that does not have what was asked for, for anybody."""
_WORDS = {
    "InvalidAccessKeyId": ("it does not know the access key.", "Check it, or make a new one."),
    "InvalidClientTokenId": ("it does not know the access key.", "Check it, or make a new one."),
    "SignatureDoesNotMatch": ("the secret key is wrong.", "Enter it again."),
    "NoSuchBucket": ("there is no such bucket.", "Check its name and region."),
    "ExpiredToken": ("the credentials have expired.", "Ask for new ones."),
    "ExpiredTokenException": ("the credentials have expired.", "Ask for new ones."),
    "PackedPolicyTooLarge": (
        "what is to be lent names too many places.",
        "Name folders instead of files.",
    ),
    "RegionDisabledException": (
        "its region gives out no credentials.",
        "Enable STS for the region in the account's settings.",
    ),
    "AuthorizationHeaderMalformed": ("the region is wrong.", "Enter the bucket's own region."),
    "SlowDown": ("it is asked too often.", "Try again later."),
    "ServiceUnavailable": ("it is out of order.", "Try again later."),
}
_MAY_NOT = {
    "AssumeRole": "assume the role",
    "GetFederationToken": "ask for federation tokens",
    "ListObjectsV2": "list the files",
}
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired"})


@contextlib.contextmanager
def asking(where: str, secrets: Collection[str]) -> Iterator[Watch]:
    """A watch over what is asked of a store; every failure is told as a SourceProblem.

    Args:
        where: what is asked, for messages.
        secrets: what must not be repeated.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    with Watch(connections.CALL_SECONDS) as watch:
        try:
            yield watch
        except ClientError as error:
            # Without its cause: its response may hold what was signed.
            raise _answered(where, error, secrets) from None
        except (BotoCoreError, OSError) as error:
            raise _failed(where, error, watch, secrets) from None
        except (ResponseParserError, LookupError, TypeError, ValueError) as error:
            if watch.ran_out:
                raise _failed(where, error, watch, secrets) from None
            raise SourceProblem(
                f"{where} does not answer as S3 does.", remedy="Check the endpoint."
            ) from None


def code_of(error: ClientError) -> str:
    """The store's own code."""
    return str(_details(error).get("Code", ""))


def _answered(where: str, error: ClientError, secrets: Collection[str]) -> SourceProblem:
    code = code_of(error)
    said = _details(error).get("Message") or code
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if code in _SKEWED:
        return SourceProblem(
            f"{where}: {_skew(str(headers.get('date', '')))}",
            remedy="Set the clock of the control plane's machine.",
        )
    if code in REFUSED:
        return SourceProblem(
            f"{where}: the account may not {_MAY_NOT.get(error.operation_name, 'read it')}.",
            remedy="Give it the right, or enter another.",
        )
    words, remedy = _WORDS.get(code, (spoken(ValueError(f"{said} ({code})"), secrets), ""))
    return SourceProblem(f"{where}: {words}", remedy=remedy)


def _details(error: ClientError) -> Mapping[str, Any]:
    """What the store says of its refusal; some say it without the envelope that Amazon's STS has."""
    response: Mapping[str, Any] = error.response
    return response.get("Error") or response


def _failed(
    where: str, error: BaseException, watch: Watch, secrets: Collection[str]
) -> SourceProblem:
    from botocore import exceptions

    if watch.ran_out or isinstance(
        error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError
    ):
        return SourceProblem(f"{where} did not answer in time.", remedy="Try again later.")
    if isinstance(error, exceptions.SSLError):
        return SourceProblem(
            f"{where}: its certificate is not trusted.",
            remedy="Enter the certificate authority that signed it.",
        )
    if isinstance(error, exceptions.NoCredentialsError | exceptions.CredentialRetrievalError):
        return SourceProblem(
            f"{where}: this machine has no identity to ask with.",
            remedy="Give it a role, or enter an access key.",
        )
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.ConnectionClosedError):
        return SourceProblem(
            f"{where} cannot be reached.", remedy="Check the endpoint, and whether it runs."
        )
    return SourceProblem(f"{where}: {spoken(error, secrets)}")


def _skew(date: str) -> str:
    try:
        off = datetime.now(UTC) - parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return "its clock and this machine's differ too much."
    minutes = round(off.total_seconds() / 60)
    return f"this machine's clock is {abs(minutes)} minutes {'ahead of' if minutes > 0 else 'behind'} its own."
