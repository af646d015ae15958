"""Questions that the hub asks a provider. Nothing of what is sent or answered goes to a log."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import jwt
from tornado import web
from tornado.httpclient import HTTPClientError, HTTPError, HTTPRequest, HTTPResponse

from allotment.model.reasons import Reason
from allotment_hub.sign_on_claims import ClaimsWrong

if TYPE_CHECKING:
    from allotment_hub.sign_on import ProviderAuthenticator

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 15.0
KEYS_SECONDS = 3600.0
"""How long the provider's keys are believed; one that is not among them is looked for at once."""
KEYS_AGAIN_SECONDS = 30.0
"""How long an unknown key is not looked for again: anybody can send a token that names one."""
MOST_PAGES = 20
OF_THE_CLIENT = frozenset({"invalid_client", "unauthorized_client", "incorrect_client_credentials"})
"""Errors that say nothing of a person: the client's secret was changed, say."""
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class SignOnFailed(web.HTTPError):
    """A sign-in that ended with a page: a title, and words or reasons for the person."""

    def __init__(
        self, status: int, title: str, words: str = "", reasons: tuple[Reason, ...] = ()
    ) -> None:
        # Without words for the log: with some, tornado would write the address there, code and all.
        super().__init__(status)
        self.title, self.words, self.reasons = title, words, reasons


class ProviderAway(Exception):
    """The provider did not answer, or answered that something is wrong with itself."""


class ProviderRefused(Exception):
    """The provider said no to what was sent; the message is its error's name."""


class Provider:
    """One provider, asked over HTTP in the hub's event loop with time limits."""

    def __init__(self, authenticator: ProviderAuthenticator) -> None:
        self._authenticator = authenticator
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._keys_at = -KEYS_SECONDS

    async def tokens(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Ask the token endpoint.

        Raises:
            ProviderRefused: it says no: a code that is used up, say. ProviderAway.
        """
        mine = self._authenticator
        said = await self._json(
            mine.sign_on.endpoints.token,
            method="POST",
            headers=mine.build_token_info_request_headers(),
            body=urlencode(asked),
        )
        if "error" in said:  # GitHub's refusals are answers of success
            raise _refusal_of(_word(said["error"]))
        if not isinstance(said.get("access_token"), str):
            raise ProviderAway("its token endpoint sent no access token")
        return {"token_type": "Bearer", **said}

    async def renewed(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """New tokens for those that are kept; the same ones where the provider gave none to renew them with.

        Raises:
            ProviderRefused: the session has ended. ProviderAway.
        """
        if state.get("refresh_token"):
            asked = self._authenticator.build_refresh_token_request_params(state["refresh_token"])
            return await self.tokens(asked)
        if not state.get("access_token"):
            raise ProviderRefused("nothing is kept to ask with")
        return {"access_token": state["access_token"], "token_type": "Bearer"}

    async def userinfo(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider tells of who holds an access token.

        Raises:
            ProviderRefused: the token is no longer good. ProviderAway.
        """
        return await self._json(
            self._authenticator.sign_on.endpoints.userinfo, headers=self._bearer(said)
        )

    async def pages(self, url: str, said: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Everything of a list that comes in pages, as GitHub's do.

        Raises:
            ProviderRefused: as for :meth:`userinfo`. ProviderAway.
        """
        found: list[dict[str, Any]] = []
        for _page in range(MOST_PAGES):
            answer = await self._fetch(url, headers=self._bearer(said))
            found += _decoded(answer, list)
            following = _NEXT.search(answer.headers.get("Link", ""))
            if following is None or not following[1].startswith(url.partition("?")[0]):
                break
            url = following[1]
        return found

    async def keys(self, wanted: str | None) -> Callable[[str | None], jwt.PyJWK | None]:
        """The provider's keys; read again where one is wanted that is not among them.

        Raises:
            ProviderAway: they cannot be read.
        """
        age = time.monotonic() - self._keys_at
        if age >= KEYS_SECONDS or (wanted not in self._keys and age >= KEYS_AGAIN_SECONDS):
            said = await self._json(self._authenticator.sign_on.endpoints.keys)
            self._keys, self._keys_at = read_keys(said), time.monotonic()
        found = self._keys

        def key_of(identifier: str | None) -> jwt.PyJWK | None:
            # A provider with one key need not name it.
            only = next(iter(found.values())) if len(found) == 1 else None
            return found.get(identifier) if identifier is not None else only

        return key_of

    def _bearer(self, said: Mapping[str, Any]) -> dict[str, str]:
        headers: dict[str, str] = self._authenticator.build_userdata_request_headers(
            said["access_token"], "Bearer"
        )
        return headers

    async def _json(self, url: str, **request: Any) -> dict[str, Any]:
        return dict(_decoded(await self._fetch(url, **request), dict))

    async def _fetch(self, url: str, **request: Any) -> HTTPResponse:
        mine = self._authenticator
        authority = mine.settings.certificate_authority
        asked = HTTPRequest(
            url,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=ANSWER_SECONDS,
            follow_redirects=False,
            ca_certs=None if authority is None else str(authority),
            **request,
        )
        try:
            return await mine.http_client.fetch(asked)  # type: ignore[no-any-return]  # of no type
        except HTTPClientError as error:
            answer = error.response
            if answer is not None and error.code in {400, 401, 403} and not _too_often(answer):
                raise _refusal_of(_refusal(answer)) from None
            raise ProviderAway(f"it answered {error.code} {error.message or ''}".strip()) from None
        except (OSError, HTTPError, ValueError) as error:  # no route, no TLS, no HTTP
            raise ProviderAway(f"{type(error).__name__}: {error}"[:200]) from None


def describe_keys(token: str) -> str | None:
    """Which key an id token says that it is signed with.

    Raises:
        ClaimsWrong: it is no id token.
    """
    try:
        found = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise ClaimsWrong("The id token is no signed token.") from None
    return found if isinstance(found, str) else None


def read_keys(said: Mapping[str, Any]) -> dict[str | None, jwt.PyJWK]:
    """The keys of a key set that sign, by id. Others, and those that nobody here understands, are left out."""
    found: dict[str | None, jwt.PyJWK] = {}
    listed = said.get("keys")
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") == "oct":
            continue
        try:
            key = jwt.PyJWK(one)
        except jwt.PyJWTError:
            continue
        found[one.get("kid")] = key
    return found


def _decoded(answer: HTTPResponse, kind: type) -> Any:
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    if not isinstance(said, kind):
        raise ProviderAway("it sent something that is not understood")
    return said


def _refusal(answer: HTTPResponse) -> str:
    """The name of an error as OAuth 2 has it; nothing else of the answer is repeated."""
    try:
        said = json.loads(answer.body)
    except ValueError:
        said = None
    word = said.get("error") if isinstance(said, dict) else None
    return _word(word) if word else f"it answered {answer.code}"


def _refusal_of(word: str) -> Exception:
    """What a refusal means: a person's, or that the provider no longer takes this client."""
    if word in OF_THE_CLIENT:
        return ProviderAway(f"it does not take this client and its secret any more ({word})")
    return ProviderRefused(word)


def _too_often(answer: HTTPResponse) -> bool:
    """Whether an API that was asked too often says so, as GitHub's does."""
    headers = answer.headers
    return "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0"


def _word(text: object) -> str:
    return re.sub(r"[^a-z0-9_]", "", str(text).lower())[:60] or "error"
