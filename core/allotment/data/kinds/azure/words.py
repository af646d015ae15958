"""What went wrong at Azure, in words, without secrets or signatures."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from allotment.data.kinds import connections
from allotment.data.kinds.connections import Watch
from allotment.data.problems import SourceProblem

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

REFUSED = frozenset(
    {
        "AuthorizationFailure",
        "AuthorizationPermissionMismatch",
        "AuthorizationResourceTypeMismatch",
        "AuthorizationServiceMismatch",
        "BlobImmutableDueToPolicy",
        "InsufficientAccountPermissions",
    }
)
"""Codes of a store that knows who asks, and does not let it."""
_WORDS = {
    "ContainerNotFound": ("there is no such container.", "Check its name."),
    "ResourceNotFound": ("there is no such container.", "Check its name and the endpoint."),
    "AuthenticationFailed": (
        "it does not take the signature: the key is wrong, or the clocks differ.",
        "Enter the key again, and check the clock of the control plane's machine.",
    ),
    "AuthorizationFailure": (
        "it lets nobody in with this: the key is wrong, the clocks differ, or a firewall is before it.",
        "Check the key, the clock of the control plane's machine, and the account's network rules.",
    ),
    "InvalidAuthenticationInfo": ("it does not take the sign-in.", "Check tenant and account."),
    "AccountIsDisabled": ("the account is disabled.", "Enable it in the portal."),
    "ServerBusy": ("it is asked too often.", "Try again later."),
    "KeyBasedAuthenticationNotPermitted": (
        "the account forbids its key.",
        "Use a service principal.",
    ),
}
_SIGN_IN = {
    "AADSTS7000215": ("the client secret is wrong.", "Enter its value, not its ID."),
    "AADSTS7000222": ("the client secret has expired.", "Make a new one."),
    "AADSTS700016": ("there is no such application.", "Check its ID and the tenant."),
    "AADSTS90002": ("there is no such tenant.", "Check it."),
}


@contextlib.contextmanager
def asking(where: str) -> Iterator[Watch]:
    """A watch over what is asked of Azure; every failure is told as a SourceProblem.

    Nothing that the libraries say is repeated but codes: their messages hold addresses with signatures.
    """
    from azure.core import exceptions

    with Watch(connections.CALL_SECONDS) as watch:
        try:
            yield watch
        except exceptions.AzureError as error:
            raise _told(where, error, watch) from None
        except (AttributeError, LookupError, OSError, TypeError, ValueError):
            if watch.ran_out:
                raise _late(where) from None
            raise _odd(where) from None


def code_of(error: HttpResponseError) -> str:
    """The store's own code."""
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


def _told(where: str, error: BaseException, watch: Watch) -> SourceProblem:
    from azure.core import exceptions

    if (refused := _by_the_door(error)) is not None:
        return refused
    if watch.ran_out or isinstance(
        error, exceptions.ServiceRequestTimeoutError | exceptions.ServiceResponseTimeoutError
    ):
        return _late(where)
    if isinstance(error, exceptions.ClientAuthenticationError) and not code_of(error):
        return _sign_in(where, str(error))
    if isinstance(error, exceptions.HttpResponseError):
        return _answered(where, error)
    if isinstance(error, exceptions.ServiceRequestError | exceptions.ServiceResponseError):
        return _unreached(where, error)
    return _odd(where)


def _unreached(where: str, error: BaseException) -> SourceProblem:
    from requests import TooManyRedirects

    if isinstance(getattr(error, "inner_exception", None), TooManyRedirects):
        return SourceProblem(
            f"{where} redirects, and redirects are not followed.",
            remedy="Enter the account's own endpoint.",
        )
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return SourceProblem(f"{where} cannot be reached.", remedy="Check the endpoint.")
    return SourceProblem(
        f"{where}: its certificate is not trusted.",
        remedy="Enter the certificate authority that signed it.",
    )


def _answered(where: str, error: HttpResponseError) -> SourceProblem:
    from azure.core.exceptions import IncompleteReadError

    if isinstance(error, IncompleteReadError):
        return SourceProblem(f"{where} broke off in mid-answer.", remedy="Try again later.")
    code = code_of(error)
    if code in REFUSED and code not in _WORDS:
        return SourceProblem(
            f"{where}: the identity may not read it.",
            remedy="Give it Storage Blob Data Reader here and Storage Blob Delegator for the account.",
        )
    if code not in _WORDS and not re.fullmatch(r"\w{1,60}", code, re.ASCII):
        return _odd(where)
    words, remedy = _WORDS.get(code, (f"it answered {code}.", ""))
    return SourceProblem(f"{where}: {words}", remedy=remedy)


def _sign_in(where: str, message: str) -> SourceProblem:
    code = (re.search(r"AADSTS\d+", message) or [""])[0]
    words, remedy = _SIGN_IN.get(code, (f"the sign-in failed{f' ({code})' if code else ''}.", ""))
    return SourceProblem(f"{where}: {words}", remedy=remedy or "Check tenant, application, secret.")


def _by_the_door(error: BaseException) -> SourceProblem | None:
    """What the door refused, inside an error that a library made of it."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, SourceProblem):
        cause = cause.__cause__
    return cause


def _late(where: str) -> SourceProblem:
    return SourceProblem(f"{where} did not answer in time.", remedy="Try again later.")


def _odd(where: str) -> SourceProblem:
    return SourceProblem(f"{where} does not answer as Azure does.", remedy="Check the endpoint.")
