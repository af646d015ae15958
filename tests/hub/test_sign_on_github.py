"""GitHub as a provider: a stand-in that answers as its documentation says, for it has no OpenID Connect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from traitlets.config import Config

from allotment.data.vault import Vault
from allotment.settings.sign_on import ProviderGroup, SignIn
from allotment_hub.sign_on import SignOn
from allotment_hub.sign_on_asking import ProviderAway, ProviderRefused
from allotment_hub.sign_on_checks import check
from allotment_hub.sign_on_endpoints import github
from allotment_hub.sign_on_kinds import GitHubAuthenticator
from allotment_hub.sign_on_secret import ClientSecret

CALLBACK = "https://hub.example.org/hub/oauth_callback"
SECRET = "the-app's-secret"
GOOD = {"access_token": "good", "token_type": "bearer"}


class Played(BaseHTTPRequestHandler):
    """The few addresses of GitHub that a sign-in asks."""

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """The token endpoint, which refuses with an answer of success."""
        said = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if said["client_secret"] != [SECRET]:
            self.answer({"error": "incorrect_client_credentials", "error_description": "no"})
        elif said["code"] != ["good-code"]:
            self.answer({"error": "bad_verification_code", "error_description": "expired"})
        else:
            self.answer(GOOD)

    def do_GET(self) -> None:
        """The API, for one token; a list of teams comes in two pages."""
        path = self.path.partition("?")[0]
        base = f"http://{self.headers['Host']}/api/v3/user"
        if self.headers["Authorization"] == "Bearer asked-too-often":
            self.answer(
                {"message": "API rate limit exceeded"}, 403, **{"X-RateLimit-Remaining": "0"}
            )
        elif self.headers["Authorization"] != "Bearer good":
            self.answer({"message": "Bad credentials"}, 401)
        elif path.endswith("/orgs"):
            self.answer([{"login": "example-research"}])
        elif path.endswith("/teams") and "page=2" in self.path.split("&"):
            self.answer([{"slug": "platform", "organization": {"login": "example-research"}}])
        elif path.endswith("/teams"):
            following = f'<{base}/teams?per_page=100&page=2>; rel="next"'
            team = {"slug": "vision", "organization": {"login": "example-research"}}
            self.answer([team], Link=following)
        else:
            self.answer({"login": "Ada", "id": 17, "email": None})

    def answer(self, said: object, status: int = 200, **headers: str) -> None:
        """Send JSON."""
        body = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[str]:
    """Its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Played) as played:
        thread = Thread(target=played.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{played.server_address[1]}"
        played.shutdown()
        thread.join()


def settings(server: str, folder: Path, secret: str = SECRET) -> SignIn:
    (folder / "secret").write_text(secret)
    return SignIn(
        kind="github",
        issuer=server,
        client_id="app",
        client_secret_file=folder / "secret",
        groups=(ProviderGroup(name="example-research:vision", role="reader"),),
        operators=("olga",),
    )


def authenticator(said: SignIn) -> GitHubAuthenticator:
    c: Any = Config()
    secret = ClientSecret(said, SECRET, lambda: Vault(()))
    c.ProviderAuthenticator.sign_on = SignOn(said, github(said), secret)
    c.ProviderAuthenticator.client_id = "app"
    c.ProviderAuthenticator.client_secret = SECRET
    c.ProviderAuthenticator.any_allow_config = True
    return GitHubAuthenticator(config=c)


@pytest.mark.promise("AUTH-1", "AUTH-4", "GROUP-1")
async def test_people_are_known_by_their_number_and_their_teams_are_groups(
    server: str, tmp_path: Path
) -> None:
    found = await authenticator(settings(server, tmp_path)).who(GOOD, fresh=True)

    assert (found.issuer, found.subject, found.name) == (server, "17", "ada")
    assert found.groups == (
        "example-research",
        "example-research:platform",
        "example-research:vision",
    )


@pytest.mark.promise("AUTH-1")
async def test_a_code_that_it_refuses_with_an_answer_of_success_is_refused(
    server: str, tmp_path: Path
) -> None:
    asking = authenticator(settings(server, tmp_path)).provider
    asked = {"client_secret": SECRET, "code": "good-code"}

    assert (await asking.tokens(asked))["access_token"] == "good"
    with pytest.raises(ProviderRefused, match="bad_verification_code"):
        await asking.tokens({**asked, "code": "used"})
    with pytest.raises(ProviderAway, match="does not take this client"):
        await asking.tokens({**asked, "client_secret": "of before"})


@pytest.mark.promise("AUTH-1")
async def test_a_token_that_was_taken_back_and_a_server_that_is_away_are_told_apart(
    server: str, tmp_path: Path
) -> None:
    revoked = {"access_token": "revoked", "token_type": "bearer"}
    with pytest.raises(ProviderRefused):
        await authenticator(settings(server, tmp_path)).who(revoked, fresh=False)

    often = {"access_token": "asked-too-often", "token_type": "bearer"}
    with pytest.raises(ProviderAway):
        await authenticator(settings(server, tmp_path)).who(often, fresh=False)

    with pytest.raises(ProviderAway):
        await authenticator(settings("http://127.0.0.1:9", tmp_path)).who(GOOD, fresh=False)


@pytest.mark.promise("AUTH-2")
def test_a_secret_that_is_not_the_apps_is_found_before_the_hub_starts(
    server: str, tmp_path: Path
) -> None:
    assert check(settings(server, tmp_path), CALLBACK).problems == []

    (problem,) = check(settings(server, tmp_path, "another"), CALLBACK).problems

    assert problem[0] == "client_id"
