"""The hub's REST API, as far as the control plane needs it. By HTTP, without importing JupyterHub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from allotment.model.refusals import AllotmentError


class HubAway(AllotmentError):
    """The hub did not answer, or could not now. Nothing is known to have changed."""


class HubRefused(AllotmentError):
    """The hub answered that it will not. ``status`` is its HTTP status; the text may be shown."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """Whose a token is, as the hub tells it. ``kind`` is ``user`` or ``service``."""

    name: str
    kind: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class HubServer:
    """A server as the hub knows it. ``pending`` is ``spawn``, ``stop`` or empty."""

    person: str
    name: str
    ready: bool
    pending: str


_USER_PAGE = 200
LOOKING = 90.0
"""Seconds that a hub may take to look at its provider, which may be slow to answer each question."""


class HubApi:
    """Calls the hub with the control plane's own token. Blocks; safe to use from several threads."""

    def __init__(
        self, url: str, token: str, *, timeout: float = 5.0, patience: float = 30.0
    ) -> None:
        self._url = url.rstrip("/")
        self._own = {"Authorization": f"token {token}"}
        # The hub answers a start or a stop only after up to ten seconds of waiting for it.
        self._patience = httpx.Timeout(patience, connect=timeout)
        self._http = httpx.Client(
            timeout=timeout,
            trust_env=False,
            # Loading the certificates takes longer than asking; plain HTTP has no use for them.
            verify=url.startswith("https"),
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        )

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def owner(self, token: str) -> TokenOwner | None:
        """Whose a token is; None where the hub does not know the token.

        Raises:
            HubAway: the hub did not answer.
        """
        response = self._send("GET", "/user", headers={"Authorization": f"token {token}"})
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return None
        _check(response)
        document = response.json()
        return TokenOwner(
            name=document["name"],
            kind=document.get("kind", "user"),
            scopes=frozenset(document.get("scopes", ())),
        )

    def token_for_code(self, code: str, form: dict[str, str]) -> str | None:
        """Trade a code of the sign-in for the token of whoever signed in; None where the hub refuses."""
        body = {"grant_type": "authorization_code", "code": code, **form}
        response = self._send("POST", "/oauth2/token", data=body)
        if response.is_client_error:
            return None
        _check(response)
        return str(response.json()["access_token"])

    def alive(self) -> bool:
        """Whether the hub answers."""
        try:
            return self._send("GET", "/").is_success
        except HubAway:
            return False

    def version(self) -> str:
        """Which version of JupyterHub answers.

        Raises:
            HubAway: none does.
        """
        response = self._send("GET", "/")
        _check(response)
        return str(response.json()["version"])

    def create_users(self, names: Sequence[str]) -> None:
        """Make people known to the hub, so that their servers can be started; who is known stays."""
        body = {"usernames": list(names)}
        _check(self._send("POST", "/allotment/people", headers=self._own, json=body))

    def look_at_sign_in(self, tried: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Have the hub look at its provider, with the client's secret of now.

        ``tried`` names another: ``secret``, or that ``of_settings``.

        Raises:
            HubRefused: people sign in there with passwords. HubAway: the hub did not answer.
        """
        body = dict(tried or {})
        response = self._send(
            "POST", "/allotment/sign-in", headers=self._own, json=body, timeout=LOOKING
        )
        _check(response)
        return dict(response.json())

    def delete_user(self, name: str) -> None:
        """Remove a person from the hub, with their tokens; who is unknown is no error."""
        response = self._send("DELETE", f"/users/{_quoted(name)}", headers=self._own)
        if response.status_code != httpx.codes.NOT_FOUND:
            _check(response)

    def start_server(
        self,
        person: str,
        name: str,
        options: Mapping[str, object] | None = None,
        *,
        display_name: str = "",
    ) -> None:
        """Start a server with these options, or with those that it had last.

        ``display_name`` is what a server is called that the hub does not know yet.

        Raises:
            HubRefused: the hub, or admission, refuses; its text says why.
            HubAway: the hub did not answer.
        """
        more: dict[str, Any] = {}
        if options is not None:
            called = {"display_name": display_name} if name and display_name else {}
            more["json"] = {"user_options": dict(options)} | called
        _check(self._send("POST", _server(person, name), headers=self._own, patient=True, **more))

    def stop_server(self, person: str, name: str) -> bool:
        """Stop a server. Returns False where the hub knows of no such server."""
        response = self._send("DELETE", _server(person, name), headers=self._own, patient=True)
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        _check(response)
        return True

    def active_servers(self) -> tuple[HubServer, ...]:
        """Every server that the hub believes to be running, starting or stopping."""
        return tuple(
            HubServer(user["name"], name, bool(server.get("ready")), server.get("pending") or "")
            for user in self._users(state="active")
            for name, server in (user.get("servers") or {}).items()
            if server.get("ready") or server.get("pending")
        )

    def existing_servers(self) -> frozenset[tuple[str, str]]:
        """Every server that the hub knows, stopped ones too, by person and name."""
        return frozenset(
            (user["name"], name)
            for user in self._users(include_stopped_servers="1")
            for name in user.get("servers") or {}
        )

    def server(self, person: str, name: str) -> HubServer | None:
        """One server as the hub knows it now, stopped or not; None where it has none of that name.

        Raises:
            HubAway: the hub did not answer.
        """
        response = self._send("GET", _server(person, name), headers=self._own)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        _check(response)
        document = response.json()
        return HubServer(person, name, bool(document["ready"]), document["pending"] or "")

    def _users(self, **wanted: str) -> Iterator[dict[str, Any]]:
        offset: int | None = 0
        while offset is not None:
            query = {**wanted, "offset": offset, "limit": _USER_PAGE}
            headers = self._own | {"Accept": "application/jupyterhub-pagination+json"}
            response = self._send("GET", "/users", headers=headers, params=query)
            _check(response)
            document = response.json()
            yield from document["items"]
            following = document["_pagination"]["next"]
            offset = following["offset"] if following else None

    def _send(
        self, method: str, path: str, *, patient: bool = False, **options: Any
    ) -> httpx.Response:
        if patient:
            options["timeout"] = self._patience
        try:
            response = self._http.request(method, self._url + path, **options)
        except httpx.HTTPError as error:
            message = f"The hub did not answer: {type(error).__name__}."
            raise HubAway(message) from error
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            message = f"The hub could not answer now (HTTP {response.status_code})."
            raise HubAway(message)
        return response


def _server(person: str, name: str) -> str:
    """The hub's address of a server; the default server has one of its own."""
    base = f"/users/{_quoted(person)}"
    return f"{base}/servers/{_quoted(name)}" if name else f"{base}/server"


def _quoted(name: str) -> str:
    return quote(name, safe="@~")


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        message = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = f"The hub answered HTTP {response.status_code}."
    raise HubRefused(response.status_code, message)
