"""Instance types: machines of a cloud."""

from __future__ import annotations

from typing import Any

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import InstanceType, InstanceTypeListing, InstanceTypeRevocation


class InstanceTypes:
    """``client.instance_types``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> InstanceTypeListing:
        """Instance types, by name, with the quotas of the account as they were read last."""
        return self._connection.read_all(InstanceTypeListing, "/instance-types")

    def get(self, name: str) -> InstanceType:
        """One instance type."""
        return self._connection.read(InstanceType, f"/instance-types/{segment(name)}")

    def create(self, name: str, **fields: Any) -> InstanceType:
        """Make an instance type: ``title``, ``price``, ``limit``, ``vcpus``, ``quota``, ``enabled``."""
        return self._connection.send(
            InstanceType, "POST", "/instance-types", {"name": name, **_plain(fields)}
        )

    def edit(self, name: str, *, revision: Revision, **fields: Any) -> InstanceType:
        """Change the fields that are given (as for :meth:`create`); None takes a value away."""
        path = f"/instance-types/{segment(name)}"
        return self._connection.send(InstanceType, "PATCH", path, _plain(fields), revision=revision)

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete an instance type that no server holds and no profile names."""
        self._connection.delete(f"/instance-types/{segment(name)}", revision=revision)

    def revoke(self, name: str, reason: str) -> InstanceTypeRevocation:
        """Disable an instance type and stop every server that holds it; the reason reaches their users."""
        return self._connection.send(
            InstanceTypeRevocation,
            "POST",
            f"/instance-types/{segment(name)}/revoke",
            {"reason": reason},
        )

    def read(self) -> InstanceTypeListing:
        """Have the cloud's limits read now."""
        return self._connection.send(InstanceTypeListing, "POST", "/instance-types/read", {})


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields as JSON; a price as text, exactly."""
    price = fields.get("price")
    return fields if price is None else fields | {"price": str(price)}
