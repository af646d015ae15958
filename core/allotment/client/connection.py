"""One connection to the API: requests, pages, and problem answers as exceptions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from typing import Any, Final, Literal, TypeVar

import httpx
from pydantic import ValidationError

from allotment.model.documents import Document, Listing, Problem
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import (
    AllotmentError,
    AlreadyExists,
    NotFound,
    NotPermitted,
    RecordUnavailable,
    Refusal,
    RevisionStale,
)

Revision = int | Literal["any"]
"""The revision that a change was made against; :data:`ANY` overwrites whatever is there."""
ANY: Final = "any"

PAGE = 1000
"""Items asked for at once where a whole list is wanted."""

D = TypeVar("D", bound=Document)
L = TypeVar("L", bound=Listing)
Asked = str | int | float | bool | Sequence[str] | None
"""One value of a query; several of one name as a sequence."""
Query = Mapping[str, Asked]


class ControlPlaneAway(AllotmentError):
    """The control plane did not answer, or cannot decide now. Nothing is known to have changed."""


class Connection:
    """Sends requests and reads answers. Safe to use from several threads."""

    def __init__(
        self, url: str, token: str, *, timeout: float, transport: httpx.BaseTransport | None
    ) -> None:
        self.url, self._seconds = url.rstrip("/"), timeout
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            transport=transport,
            # Servers talk to the control plane only, whatever proxy their environment names.
            trust_env=False,
            # Loading the certificates takes longer than asking; plain HTTP has no use for them.
            verify=url.startswith("https"),
        )

    def patient(self, seconds: float) -> Connection:
        """The same connection, for what takes longer: it waits so long for an answer."""
        other = copy(self)
        other._seconds = max(seconds, self._seconds)  # noqa: SLF001 - it is one of these
        return other

    def close(self) -> None:
        """Close every connection; a request under way fails."""
        self._http.close()

    def read(self, kind: type[D], path: str, /, **query: Asked) -> D:
        """Read one document."""
        return _parsed(kind, self.request("GET", path, query=query))

    def read_all(self, kind: type[L], path: str, /, **query: str | float | bool | None) -> L:
        """Read a whole list, page by page.

        ``sequence`` of the answer is that of the first page: following the events after it
        misses nothing that changed while later pages were read.
        """
        query.setdefault("limit", PAGE)
        first = page = _parsed(kind, self.request("GET", path, query=query))
        items, removed = list(_items(page)), list(page.removed)
        while page.next is not None:
            page = _parsed(kind, self.request("GET", path, query={**query, "cursor": page.next}))
            items += _items(page)
            removed += page.removed
        return first.model_copy(
            update={"items": tuple(items), "removed": tuple(removed), "next": None}
        )

    def send(
        self,
        kind: type[D],
        method: Literal["POST", "PUT", "PATCH"],
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        revision: Revision | None = None,
    ) -> D:
        """Send a change and read the answer. A POST carries a key, so that it is done once."""
        return _parsed(kind, self.request(method, path, body=body or {}, revision=revision))

    def delete(self, path: str, *, revision: Revision | None = None, **query: str | None) -> None:
        """Delete a thing."""
        self.request("DELETE", path, query=query, revision=revision)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        revision: Revision | None = None,
        accept: str | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> httpx.Response:
        """Send one request. ``accept`` is the type of answer that is wanted, where there are several.

        ``content`` is sent as it is, instead of a document.

        Raises:
            Refusal: a rule stands in the way, or one of Refusal's kinds.
            RevisionStale: somebody changed the thing meanwhile.
            ControlPlaneAway: there was no answer.
        """
        headers = {} if accept is None else {"Accept": accept}
        if revision is not None:
            headers["If-Match"] = "*" if revision == ANY else f'"{revision}"'
        if method == "POST":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if content is not None:
            headers["Content-Type"] = "application/octet-stream"
        known = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = self._http.request(
                method,
                self.url + path,
                params=known,
                json=body,
                content=content,
                headers=headers,
                timeout=self._seconds,
            )
        except httpx.HTTPError as error:
            raise away(self.url, error) from error
        if response.is_success:
            return response
        raise problem(response)

    def keep(
        self, kind: type[D], path: str, content: bytes | Iterable[bytes], /, **query: str
    ) -> D:
        """Send a file's bytes for keeping, and read the answer."""
        return _parsed(kind, self.request("PUT", path, query=query, content=content))

    @contextmanager
    def fetch(self, path: str) -> Iterator[Iterator[bytes]]:
        """Read a file's bytes, piece by piece.

        Raises:
            Refusal, ControlPlaneAway: as of :meth:`request`; also in mid-file.
        """
        try:
            with self._http.stream("GET", self.url + path) as response:
                if not response.is_success:
                    response.read()
                    raise problem(response)
                yield response.iter_bytes()
        except httpx.HTTPError as error:
            raise away(self.url, error) from error

    def stream(self, path: str, query: Query, headers: Mapping[str, str], silence: float) -> Any:
        """Open an event stream; ``silence`` is how many seconds it may say nothing."""
        return self._http.stream(
            "GET",
            self.url + path,
            params={name: value for name, value in query.items() if value is not None},
            headers={"Accept": "text/event-stream", **headers},
            timeout=httpx.Timeout(silence, connect=5.0),
        )


def away(url: str, error: httpx.HTTPError) -> ControlPlaneAway:
    """Say that nobody answered."""
    return ControlPlaneAway(f"The control plane at {url} did not answer: {type(error).__name__}.")


def problem(response: httpx.Response) -> AllotmentError:
    """Turn a problem answer into the exception that the control plane raised."""
    try:
        document = Problem.model_validate_json(response.content)
        reasons = tuple(_reason(reason.model_dump()) for reason in document.reasons)
    except ValidationError:
        return ControlPlaneAway(f"{response.url.host} answered {response.status_code}.")
    if response.status_code == httpx.codes.PRECONDITION_FAILED and document.found is not None:
        stale = RevisionStale("", document.expected or 0, document.found)
        stale.args = (document.detail,)
        return stale
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        if document.type.endswith(":record-unavailable"):
            return RecordUnavailable(document.detail)
        return ControlPlaneAway(document.detail)
    return _refusal(response.status_code, reasons, document.detail)


def _refusal(status: int, reasons: tuple[Reason, ...], detail: str) -> Refusal:
    kind: type[Refusal] = Refusal
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        kind = NotPermitted
    elif status == httpx.codes.NOT_FOUND:
        kind = NotFound
    elif any(reason.rule is Rule.NAME_TAKEN for reason in reasons):
        kind = AlreadyExists
    # NotFound and AlreadyExists write their own reason; here it has been written already.
    error = kind.__new__(kind)
    Refusal.__init__(error, *(reasons or (Reason(Rule.REQUEST, detail),)))
    return error


def _reason(document: dict[str, Any]) -> Reason:
    """Read a reason; a rule that this version does not know is still told in words."""
    known = document["rule"] in set(Rule)
    return Reason.from_document(document if known else {**document, "rule": str(Rule.REQUEST)})


def _items(listing: Listing) -> tuple[Any, ...]:
    return tuple(getattr(listing, "items", ()))


def _parsed(kind: type[D], response: httpx.Response) -> D:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        message = f"The control plane's answer to {response.url.path} is no {kind.__name__}."
        raise ControlPlaneAway(message) from error
