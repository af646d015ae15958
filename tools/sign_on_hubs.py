"""A hub in which people sign in through the OpenID provider of oidc_providers.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx

from oidc_providers import CLIENT, PASSWORD, SECRET, OidcProvider
from page_hubs import SETTINGS, PageHub

SIGN_IN = """
sign_in:
  kind: oidc
  issuer: ISSUER
  client_id: CLIENT
  client_secret_file: client-secret
  accept_shared_user: true
  service: Example account
  scopes: [openid, profile, email, groups]
  contact: Ask the desk, desk@example.org
  groups:
    - {name: platform, role: operator}
    - {name: seeing, group: vision}
    - {name: seeing-leads, group: vision, lead: true}
  operators: [olga]
  local: [rescue]
"""
CONFIG = """
c.ProviderAuthenticator.auth_refresh_age = 1
from allotment_hub.roles import roles
c.JupyterHub.services = [{"name": "allotment", "api_token": "PLANE"}]
c.JupyterHub.load_roles = roles()
"""
PLANE = "the-control-planes-own-token"


def sign_on_settings(issuer: str, sign_in: str = SIGN_IN) -> str:
    """The settings of page_hubs.py with a provider: nobody is in a group by the file."""
    local = "sign_in: {kind: local, operators: [olga]}\n"
    text = SETTINGS.replace(local, sign_in.replace("ISSUER", issuer).replace("CLIENT", CLIENT))
    return text.replace("    members: [ada, ben]\n    leads: [ada]\n", "")


class SignOnHub(PageHub):
    """A hub and its provider."""

    def __init__(
        self, folder: Path, provider: OidcProvider, sign_in: str = SIGN_IN, config: str = ""
    ) -> None:
        settings = sign_on_settings(provider.issuer, sign_in)
        super().__init__(folder, settings=settings, config=CONFIG.replace("PLANE", PLANE) + config)
        self.provider = provider
        (folder / "client-secret").write_text(f"{SECRET}\n")

    @property
    def callback(self) -> str:
        """Where the provider sends people back to."""
        return f"{self.url}/hub/oauth_callback"

    def as_plane(
        self, path: str, token: str = PLANE, *, method: str = "POST", **said: object
    ) -> httpx.Response:
        """Ask the hub's API as the control plane does, or with another token."""
        headers, sent = {"Authorization": f"token {token}"}, said if method == "POST" else None
        url = f"{self.url}/hub/api{path}"
        return httpx.request(method, url, json=sent, headers=headers, timeout=60)

    def comes_back(self, browser: httpx.Client, name: str, password: str = PASSWORD) -> str:
        """Sign in at the provider; the address that it sends the browser back to, not yet opened."""
        answer = browser.get("/oauth_login", params={"next": "/hub/home"})
        for _step in range(8):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(self.callback):
                    return target
                answer = browser.get(target)
                continue
            form = re.search(r'action="([^"]*)"', answer.text)
            if form is None:
                raise RuntimeError(f"no form: {answer.status_code} {answer.text[:500]}")
            said = {"login": name, "password": password}
            answer = browser.post(urljoin(str(answer.url), unescape(form[1])), data=said)
        raise RuntimeError("the provider never sent the browser back")

    def signs_on(self, name: str) -> httpx.Client:
        """A browser in which somebody has signed in through the provider.

        Raises:
            RuntimeError: the hub refused; the message holds its page.
        """
        browser = self.browser()
        answer = browser.get(self.comes_back(browser, name))
        if not answer.is_redirect:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        browser.get("/home").raise_for_status()
        return browser


@contextmanager
def sign_on_hub(folder: Path, sign_in: str = SIGN_IN, *, config: str = "") -> Iterator[SignOnHub]:
    """A hub and a provider that know each other, and run until the end of the block."""
    provider = OidcProvider(folder / "provider")
    hub = SignOnHub(folder / "hub", provider, sign_in, config)
    provider.client(hub.callback)
    with provider.runs():
        try:
            yield hub.start()  # type: ignore[misc]  # it returns itself
        finally:
            hub.stop()
