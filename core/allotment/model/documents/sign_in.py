"""How people sign in: what is active, and what each hub found when it last looked at its provider."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from allotment.model.documents.document import Document


class SignInGroup(Document):
    """A group of the provider, and what being in it means here."""

    name: str
    meaning: str = Field(description="In words, such as: leads vision")


class EmergencyAccount(Document):
    """Somebody who keeps a password of the platform's own beside the provider."""

    name: str
    password_changed_at: datetime | None = Field(
        description="Since when the password is the one of now; null: there is none yet"
    )


class ClientSecret(Document):
    """Where the secret comes from with which hubs show who they are. The secret itself is in no answer."""

    settings: str = Field(description="Where the settings say that it is")
    replaced_at: datetime | None = Field(
        default=None, description="When an operator replaced it; null: it is that of the settings"
    )
    replaced_by: str | None = None


class SignInLook(Document):
    """What a hub found when it last asked its provider all that can be asked without a person."""

    hub: str
    at: datetime
    succeeded_at: datetime | None = Field(description="When everything was last found right")
    issuer: str
    client_id: str
    callback: str = Field(description="Where the provider sends people back to")
    replaced_secret: bool = Field(description="Whether the secret was one that an operator gave")
    state: Literal["good", "wrong", "away"]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = Field(description="What cannot be seen without signing in once")


class SignInState(Document):
    """How people sign in, as the settings say and the hubs found."""

    kind: str = Field(
        description="local: with passwords of the platform's own; else the provider's"
    )
    service: str | None = Field(description="What people read on the sign-in page")
    issuer: str | None
    client_id: str | None
    scopes: tuple[str, ...]
    admits: str | None
    refresh_seconds: int | None = Field(description="How often the provider is asked again")
    confirm_within_seconds: int | None = Field(
        description="How long the provider's word admits new servers"
    )
    operators: tuple[str, ...] = Field(description="Operators whom the settings name")
    groups: tuple[SignInGroup, ...]
    emergency_accounts: tuple[EmergencyAccount, ...]
    client_secret: ClientSecret | None
    hubs: tuple[SignInLook, ...]
    directory: bool = Field(description="Whether a directory keeps people here by SCIM")
    fixed: str = Field(description="What can be changed in the settings file only")
