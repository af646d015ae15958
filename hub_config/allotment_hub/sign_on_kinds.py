"""The two kinds of providers: those that speak OpenID Connect, and GitHub."""

from __future__ import annotations

from typing import Any

from oauthenticator.github import GitHubOAuthenticator

from allotment.model.sign_on import ProviderIdentity
from allotment_hub.sign_on import ProviderAuthenticator
from allotment_hub.sign_on_asking import describe_keys
from allotment_hub.sign_on_claims import ClaimsWrong, check_id_token, identity, merged


class OpenIdAuthenticator(ProviderAuthenticator):
    """Any provider of OpenID Connect: Keycloak, Okta, Entra, Google and others, told apart by their settings."""

    async def who(self, said: dict[str, Any], *, fresh: bool) -> ProviderIdentity:
        """Check the id token, and ask the userinfo endpoint for the rest."""
        endpoints, token = self.sign_on.endpoints, said.get("id_token")
        if fresh and not isinstance(token, str):
            raise ClaimsWrong("The provider sent no id token. Is 'openid' among sign_in.scopes?")
        claims: dict[str, Any] = {}
        if isinstance(token, str):
            keys = await self.provider.keys(describe_keys(token))
            claims = check_id_token(token, endpoints, self.client_id, keys)
        more = await self.provider.userinfo(said) if endpoints.userinfo else {}
        return identity(self.settings, endpoints.issuer, merged(claims, more))


class GitHubAuthenticator(ProviderAuthenticator, GitHubOAuthenticator):
    """GitHub, or a GitHub Enterprise Server: plain OAuth 2, people by their number, teams as groups."""

    async def who(self, said: dict[str, Any], *, fresh: bool) -> ProviderIdentity:  # noqa: ARG002 - there are no id tokens
        """Ask its API."""
        claims = await self.provider.userinfo(said)
        if self.settings.groups:
            claims["groups"] = await self._groups(said)
        return identity(self.settings, self.sign_on.endpoints.issuer, claims)

    async def _groups(self, said: dict[str, Any]) -> list[str]:
        """Organisations and their teams, as ``organisation`` and ``organisation:team``."""
        api = self.sign_on.endpoints.userinfo
        organisations = await self.provider.pages(f"{api}/orgs?per_page=100", said)
        teams = await self.provider.pages(f"{api}/teams?per_page=100", said)
        names = [str(one["login"]) for one in organisations]
        return names + [f"{one['organization']['login']}:{one['slug']}" for one in teams]
