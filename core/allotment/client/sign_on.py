"""Service accounts, and what a provider's groups mean."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allotment.client.connection import Connection
from allotment.client.paths import segment
from allotment.model.documents import (
    MappingForesight,
    ServiceAccountListing,
    ServiceAccountToken,
    SignInState,
)
from allotment.model.people import Permission

LOOKING = 200.0
"""Seconds for what has a hub look at its provider, twice at most."""


class ServiceAccounts:
    """``client.service_accounts``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> ServiceAccountListing:
        """Service accounts, by name."""
        return self._connection.read_all(ServiceAccountListing, "/service-accounts")

    def create(
        self, name: str, permissions: Iterable[Permission], expires_at: datetime, *, note: str = ""
    ) -> ServiceAccountToken:
        """Make one, until an aware time. Its token is told only here."""
        body = {
            "name": name,
            "permissions": sorted(str(each) for each in permissions),
            "expires_at": expires_at.isoformat(),
            "note": note,
        }
        return self._connection.send(ServiceAccountToken, "POST", "/service-accounts", body)

    def revoke(self, name: str) -> None:
        """End one at once."""
        self._connection.delete(f"/service-accounts/{segment(name)}")


class SignOn:
    """``client.sign_on``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def foresee(self, yaml: str) -> MappingForesight:
        """Who would gain and lose what if this settings file's mapping were in force. Nothing is changed."""
        return self._connection.send(MappingForesight, "POST", "/sign-on/foresee", {"yaml": yaml})

    def state(self) -> SignInState:
        """How people sign in, and what each hub found when it last looked at its provider."""
        return self._connection.read(SignInState, "/sign-in")

    def check(self) -> SignInState:
        """Have the hub look at its provider now; it may take a minute."""
        return self._connection.patient(LOOKING).send(SignInState, "POST", "/sign-in/check")

    def replace_secret(self, secret: str) -> SignInState:
        """Have another secret of the hub's client tried, and used from then on."""
        body = {"secret": secret}
        patient = self._connection.patient(LOOKING)
        return patient.send(SignInState, "PUT", "/sign-in/client-secret", body)

    def withdraw_secret(self) -> SignInState:
        """Go back to the secret of the settings, where the provider takes it."""
        self._connection.patient(LOOKING).delete("/sign-in/client-secret")
        return self.state()
