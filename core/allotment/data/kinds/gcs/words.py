"""What went wrong at Google, in words, without secrets or tokens."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from allotment.data.kinds import connections
from allotment.data.kinds.connections import Watch
from allotment.data.problems import SourceProblem

_STATUS = {
    401: ("it does not take the token.", "Check the service account, and the clocks."),
    403: ("the service account may not read it.", "Give it Storage Object Viewer on the bucket."),
    404: ("there is no such bucket.", "Check its name."),
    429: ("it is asked too often.", "Try again later."),
    503: ("it is out of order.", "Try again later."),
}
_SIGN_IN = {
    "invalid_grant: Invalid JWT Signature": ("the key was deleted or is wrong.", "Make a new key."),
    "account not found": ("there is no such service account.", "Check the JSON file."),
    "Token must be a short-lived token": (
        "this machine's clock and Google's differ.",
        "Set the clock of the control plane's machine.",
    ),
}


@contextlib.contextmanager
def asking(where: str) -> Iterator[Watch]:
    """A watch over what is asked of Google; every failure is told as a SourceProblem.

    Nothing that the libraries say is repeated: their messages hold addresses and answers.
    """
    import requests
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    with Watch(connections.CALL_SECONDS) as watch:
        try:
            yield watch
        except (GoogleAPIError, GoogleAuthError, requests.RequestException, OSError) as error:
            raise _told(where, error, watch) from None
        except (AttributeError, LookupError, TypeError, ValueError):
            if watch.ran_out:
                raise _late(where) from None
            raise _odd(where) from None


def _told(where: str, error: BaseException, watch: Watch) -> SourceProblem:
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import OAuthError, RefreshError

    if watch.ran_out:
        return _late(where)
    if (failed := _request(error)) is not None:
        return _unreached(where, failed)
    if isinstance(error, RefreshError | OAuthError):
        return _sign_in(where, str(error))
    if isinstance(error, GoogleAPICallError) and error.code in _STATUS:
        words, remedy = _STATUS[int(error.code or 0)]
        return SourceProblem(f"{where}: {words}", remedy=remedy)
    return _odd(where)


def _unreached(where: str, failed: BaseException) -> SourceProblem:
    import requests

    if isinstance(failed, requests.Timeout):
        return _late(where)
    if isinstance(failed, requests.exceptions.InvalidJSONError):
        return _odd(where)
    if isinstance(failed, requests.TooManyRedirects):
        return SourceProblem(
            f"{where} redirects, and redirects are not followed.", remedy="Check the endpoint."
        )
    if isinstance(failed, requests.exceptions.SSLError):
        return SourceProblem(
            f"{where}: its certificate is not trusted.",
            remedy="Enter the certificate authority that signed it.",
        )
    return SourceProblem(f"{where} cannot be reached.", remedy="Check the endpoint.")


def _request(error: BaseException) -> BaseException | None:
    """The failed request inside an error that a library made of it."""
    import requests

    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, requests.RequestException):
        cause = cause.__cause__
    return cause


def _sign_in(where: str, message: str) -> SourceProblem:
    for part, (words, remedy) in _SIGN_IN.items():
        if part.lower() in message.lower():
            return SourceProblem(f"{where}: {words}", remedy=remedy)
    return SourceProblem(
        f"{where}: the service account's sign-in failed.",
        remedy="Check that its key is valid, and the clock of the control plane's machine.",
    )


def _late(where: str) -> SourceProblem:
    return SourceProblem(f"{where} did not answer in time.", remedy="Try again later.")


def _odd(where: str) -> SourceProblem:
    return SourceProblem(f"{where} does not answer as Google does.", remedy="Check the endpoint.")
