"""Shared access signatures that read and list, and end when they are asked to by the store's own clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from allotment.data.door import Door
from allotment.data.kinds.azure.clients import delegation_key, store_clock
from allotment.data.kinds.azure.form import PRINCIPAL, Account
from allotment.data.kinds.connections import Watch
from allotment.data.kinds.kind import Opened
from allotment.data.kinds.places import parts_of, prefix_of
from allotment.model.sources import Part

LONGEST = timedelta(hours=1)
AROUND = timedelta(hours=1)
"""How far the control plane's clock may be off for a service principal to sign."""


@dataclass(frozen=True, slots=True)
class Signer:
    """What signs in the name of an account, and what time it is there.

    ``key`` is the account's or a service principal's; None where the registered signature is handed on.
    """

    account: Account
    container: str
    clock: datetime
    key: Any = field(default=None, repr=False)

    @classmethod
    def of(cls, source: Opened, now: datetime, door: Door, watch: Watch) -> Signer:
        """Ask the store what time it is there, and for a key where a service principal signs.

        Args:
            source: the source.
            now: the control plane's clock, believed where the store tells no time.
            door: what may be reached.
            watch: ends the connections when their time is up.
        """
        account = Account.of(source)
        container, ca = str(source.fields["container"]), str(source.fields["ca"])
        if account.signature:
            return cls(account, container, now)
        if source.fields["identity"] == PRINCIPAL:
            span = (now - AROUND, now + LONGEST + AROUND)
            key, clock = delegation_key(source, account, span, door, watch)
        else:
            key, clock = account.key, store_clock(account, container, ca, door, watch)
        return cls(account, container, clock or now, key)

    @property
    def shared(self) -> bool:
        """Whether servers get the registered signature itself."""
        return self.key is None

    def signature(self, lasts: timedelta, file: str = "") -> str:
        """A signature for so long to read and list the container, or to read one file of it.

        It has no beginning, and so works at once. A registered signature is handed on as it is.
        """
        if self.shared:
            return self.account.signature
        from azure.storage.blob import (
            BlobSasPermissions,
            ContainerSasPermissions,
            generate_blob_sas,
            generate_container_sas,
        )

        by_key = isinstance(self.key, str)
        only_tls = self.account.endpoint.startswith("https://")
        signed: dict[str, Any] = {
            "expiry": self.clock + lasts,
            "protocol": "https" if only_tls else None,
            "account_key" if by_key else "user_delegation_key": self.key,
        }
        place = (self.account.name, self.container)
        if file:
            return generate_blob_sas(
                *place, file, permission=BlobSasPermissions(read=True), **signed
            )
        may = ContainerSasPermissions(read=True, list=True)
        return generate_container_sas(*place, permission=may, **signed)


def only_file(source: Opened, within: tuple[Part, ...]) -> str:
    """The one file that is lent, empty where it is more: a signature opens one file or the container.

    Raises:
        SourceProblem: a part lies outside the source's prefix.
    """
    parts = parts_of(prefix_of(str(source.fields["prefix"])), within)
    return parts[0].key if len(parts) == 1 and parts[0].exact else ""
