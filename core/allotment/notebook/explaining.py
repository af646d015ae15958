"""What libraries raise, turned into words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from allotment.model.refusals import AllotmentError
from allotment.notebook.files import Wanted
from allotment.notebook.problems import DataProblem, first_line

_REFUSED = re.compile(
    r"\b(401|403)\b|AccessDenied|Access Denied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken"
    r"|AuthenticationFailed|AuthorizationFailure|Unauthorized|unauthenticated|permission error|signature we calculated",
    re.IGNORECASE,
)
_GONE = re.compile(r"\b404\b|not found|NoSuchKey|No such file|BlobNotFound", re.IGNORECASE)
_AWAY = re.compile(
    r"error sending request|connect(ion)? (error|refused|reset)|timed? ?out|dns error|unreachable|"
    r"could not connect|failed to connect|can't connect|cannot connect|connection is closed|server closed the connection|broken pipe|"
    r"payload is not completed|incomplete ?(read|message)|connection (broken|aborted)|disconnected|error (reading|decoding) .*body",
    re.IGNORECASE,
)
_TORN = re.compile(
    r"out of specification|magic|corrupt|invalid thrift|unexpected end|eof|footer|parquet: ",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"invalid utf-8|codec can't decode|could not parse|csv parse error|csv conversion error",
    re.IGNORECASE,
)
_SIGN_IN = re.compile(
    r"password authentication failed|access denied for user|ORA-01017|no pg_hba|role \"[^\"]*\" does not exist"
    r"|is not permitted to log in|Incorrect username or password|using password",
    re.IGNORECASE,
)
_CUT = re.compile(
    r"terminating connection due to administrator command|connection was killed|lost connection to .*during query",
    re.IGNORECASE,
)
"""What databases say when the account of a query ended while it ran."""
_WRITES = re.compile(
    r"read-only|readonly|permission denied|command denied|insufficient privileges|ORA-01031",
    re.IGNORECASE,
)


class CredentialRefused(DataProblem):
    """A store or database does not take what was lent. A new credential may help."""


@contextmanager
def in_words(explain: Callable[[Exception], Exception]) -> Iterator[None]:
    """Raise whatever a library raises as what it means for a person."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - every library has exceptions of its own
        # The chain would show the library's words, with addresses and keys in them.
        raise explain(error) from None


def explained(
    name: str, error: Exception, fields: Mapping[str, Any], wanted: Wanted | None = None
) -> Exception:
    """The problem with a dataset, in words; what says enough itself is raised as it is."""
    if isinstance(error, AllotmentError | MemoryError):
        return error
    if type(error).__name__ == "ColumnNotFoundError":
        return DataProblem(f"{name} has no such column: {first_line(error, fields)}")
    said = first_line(error, fields)
    if _REFUSED.search(str(error)):
        return CredentialRefused(
            f"The store of {name} refused to be read: {said} Run the cell again; if it stays so, "
            f"test it with allotment.test({name!r}) and tell an operator."
        )
    return DataProblem(_of_files(name, error, said, wanted))


def _of_files(name: str, error: Exception, said: str, wanted: Wanted | None) -> str:
    if isinstance(error, FileNotFoundError) or _GONE.search(said):
        return f"A file of {name} is not there any more: {said} Ask who registered it to have its files read again."
    if _AWAY.search(said) or isinstance(error, TimeoutError | ConnectionError):
        return f"The store of {name} did not answer: {said} Try again in a while; allotment.test({name!r}) tells more."
    if _OTHERWISE.search(said):
        return (
            f"A file of {name} goes on otherwise than it begins: {said} How it is written was found out from its "
            "beginning: ask who registered it to say its encoding among the options, or to mend the file."
        )
    if _TORN.search(said):
        return f"A file of {name} is broken or was changed since it was registered: {said} Ask who registered it to have its files read again."
    if wanted is not None and wanted.where is not None:
        return f"{name} could not be read with this where=: {said}"
    return f"{name} could not be read: {said}"


def explained_query(name: str, error: Exception, fields: Mapping[str, Any]) -> Exception:
    """The problem with a query, in words."""
    if isinstance(error, AllotmentError | MemoryError):
        return error
    said = first_line(error, fields)
    if _SIGN_IN.search(str(error)):
        return CredentialRefused(
            f"{name} does not take the account that this server was lent: {said} Run the cell again; "
            f"if it stays so, test it with allotment.test({name!r}) and tell an operator."
        )
    if _CUT.search(str(error)):
        return CredentialRefused(
            f"The connection to {name} was cut: {said} Run the cell again; if it stays so, test it with "
            f"allotment.test({name!r}) and tell an operator."
        )
    if _AWAY.search(said) or isinstance(error, TimeoutError | ConnectionError):
        return DataProblem(
            f"{name} did not answer: {said} Try again in a while; allotment.test({name!r}) tells more."
        )
    if _WRITES.search(said):
        return DataProblem(
            f"{name} refused the query: {said} Sources are for reading; what you make yourself belongs into your own files."
        )
    return DataProblem(f"{name} refused the query: {said}")
