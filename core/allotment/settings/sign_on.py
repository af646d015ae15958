"""How people sign in: with passwords of the platform's own, or through the company's identity provider."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from allotment.model.durations import Duration
from allotment.model.names import Name, PersonName
from allotment.model.people import BuiltInRole
from allotment.model.sign_on import Admits, GroupMapping, MappedGroup

LOCAL: Literal["local"] = "local"
Kind = Literal["local", "oidc", "github", "google", "azuread", "okta", "keycloak"]
Claim = Annotated[str, StringConstraints(pattern=r"^[^\s]{1,200}$")]
Address = Annotated[str, StringConstraints(min_length=8, max_length=500, pattern=r"^https?://\S+$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
_TENANT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
ProviderName = Annotated[str, StringConstraints(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class Variant:
    """What one kind of provider is like, where the settings say nothing else.

    ``needs`` and ``takes`` are keys beyond those that every kind has. ``issuer`` may hold
    ``{tenant}``; empty means that the settings must name it. ``groups_scope`` is asked for where
    groups are mapped.
    """

    service: str
    needs: tuple[str, ...] = ("issuer",)
    takes: tuple[str, ...] = ()
    issuer: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_scope: str = ""
    username_claim: str = "preferred_username"
    subject_claim: str = "sub"
    groups_claim: str = "groups"
    asked_with: tuple[tuple[str, str], ...] = ()
    """What the provider wants to be asked with so that it hands out a token to ask again with."""


VARIANTS: dict[str, Variant] = {
    "oidc": Variant("your company account"),
    "keycloak": Variant("your company account"),
    "okta": Variant(
        "Okta", scopes=("openid", "profile", "email", "offline_access"), groups_scope="groups"
    ),
    "google": Variant(
        "Google",
        needs=("hosted_domains",),
        issuer="https://accounts.google.com",
        username_claim="email",
        groups_claim="",
        asked_with=(("access_type", "offline"),),
    ),
    "azuread": Variant(
        "Microsoft",
        needs=("tenant",),
        takes=("issuer",),
        issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        scopes=("openid", "profile", "email", "offline_access"),
        subject_claim="oid",
    ),
    "github": Variant(
        "GitHub",
        needs=(),
        takes=("issuer",),
        issuer="https://github.com",
        scopes=("read:user", "user:email"),
        groups_scope="read:org",
        username_claim="login",
        subject_claim="id",
    ),
}
"""Each kind of provider as data; ``local`` is none."""

OF_EVERY_PROVIDER = (
    "client_id",
    "client_secret_file",
    "client_secret_variable",
    "callback",
    "service",
    "scopes",
    "username_claim",
    "subject_claim",
    "groups_claim",
    "groups",
    "admits",
    "contact",
    "refresh",
    "confirm_within",
    "sign_out_there",
    "local",
    "certificate_authority",
    "accept_shared_user",
)
"""Keys that every provider has, and local sign-in has not."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ProviderGroup(_Section):
    """A group of the provider, and what its people are here: members or leads of a group, or of a role."""

    name: ProviderName
    group: Name | None = None
    lead: bool = False
    role: Name | None = None

    @property
    def mapped(self) -> MappedGroup:
        """The row as the record takes it."""
        return MappedGroup(self.name, self.group, self.lead, self.role)


def _operators(said: dict[str, Any]) -> tuple[str, ...]:
    """Who runs the platform where nobody is named: of a provider, nobody."""
    return ("operator",) if said.get("kind", LOCAL) == LOCAL else ()


def _tenant(text: str) -> str:
    if _TENANT.fullmatch(text) is None:
        message = "expected the directory's id, such as 11111111-2222-3333-4444-555555555555"
        raise ValueError(message)
    return text.lower()


class SignIn(_Section):
    """How people sign in, and who runs the platform from the first start on."""

    kind: Kind = LOCAL
    operators: tuple[PersonName, ...] = Field(default_factory=_operators, min_length=1)
    issuer: Address | None = None
    tenant: Annotated[str, AfterValidator(_tenant)] | None = None
    hosted_domains: tuple[
        Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{3,253}$")], ...
    ] = ()
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    client_secret_file: Path | None = None
    client_secret_variable: Variable | None = None
    callback: Address | None = None
    service: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    scopes: tuple[Claim, ...] | None = None
    username_claim: Claim | None = None
    subject_claim: Claim | None = None
    groups_claim: Claim | None = None
    groups: tuple[ProviderGroup, ...] = ()
    admits: Admits = Admits.GROUPS
    contact: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    refresh: Duration = Field(
        default=timedelta(minutes=15), ge=timedelta(minutes=1), le=timedelta(days=1)
    )
    confirm_within: Duration = Field(default=timedelta(hours=12), ge=timedelta(minutes=2))
    sign_out_there: bool = False
    local: tuple[PersonName, ...] = ()
    certificate_authority: Path | None = None
    accept_shared_user: bool = False

    @property
    def mapping(self) -> GroupMapping:
        """What the provider's groups mean here."""
        return GroupMapping(tuple(one.mapped for one in self.groups))

    @property
    def variant(self) -> Variant:
        """What this kind of provider is like.

        Raises:
            KeyError: people sign in locally.
        """
        return VARIANTS[self.kind]

    @property
    def provider_issuer(self) -> str:
        """The provider's name for itself: with the subject it says who somebody is, for ever."""
        return self.issuer or self.variant.issuer.format(tenant=self.tenant)

    @property
    def wanted_scopes(self) -> tuple[str, ...]:
        """What the provider is asked for."""
        if self.scopes is not None:
            return self.scopes
        groups = self.variant.groups_scope
        return (*self.variant.scopes, *([groups] if groups and self.groups else []))

    @property
    def named(self) -> tuple[str, ...]:
        """Operators whom the file names: people of the provider, and those who keep a password."""
        return tuple(dict.fromkeys((*self.operators, *self.local)))

    def with_password(self, declared: Mapping[str, str]) -> tuple[str, ...]:
        """Who signs in with a password of the platform's own, of the people whom the file names."""
        return tuple(declared) if self.kind == LOCAL else self.local

    def vouched(self, declared: Mapping[str, str]) -> frozenset[str]:
        """Names of the provider that the file itself gives to people: who first comes by one is that person."""
        return frozenset() if self.kind == LOCAL else frozenset(declared) - set(self.local)

    def beside(self, folder: Path) -> SignIn:
        """The same, with its files looked for from a folder: that of the settings."""
        files = {
            "client_secret_file": self.client_secret_file,
            "certificate_authority": self.certificate_authority,
        }
        found = {key: folder / file for key, file in files.items() if file is not None}
        return self.model_copy(update=found)

    def client_secret(self, environment: Mapping[str, str] = os.environ) -> str:
        """Read the client's secret.

        Raises:
            OSError: its file cannot be read.
            ValueError: its variable is not set, or it is empty.
        """
        if self.client_secret_file is not None:
            where, secret = (
                str(self.client_secret_file),
                self.client_secret_file.read_text().strip(),
            )
        else:
            where = f"the variable {self.client_secret_variable}"
            secret = environment.get(self.client_secret_variable or "", "").strip()
        if not secret:
            message = f"{where}, which holds the client's secret, is empty or not set"
            raise ValueError(message)
        return secret


def gives_operators(groups: tuple[ProviderGroup, ...]) -> bool:
    """Whether one of the provider's groups is that of the operators."""
    return any(one.role == BuiltInRole.OPERATOR for one in groups)
