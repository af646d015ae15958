"""Devices, nodes and pools."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import (
    Consequences,
    Device,
    DeviceListing,
    Node,
    NodeListing,
    Pool,
    PoolListing,
)
from allotment.model.nodes import NodeRule
from allotment.model.sharing import PoolPolicy


class Devices:
    """``client.devices``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, *, pool: str | None = None, changed_after: int | None = None) -> DeviceListing:
        """Devices, by id. With ``changed_after`` (a ``sequence``): what changed since, where that is little."""
        return self._connection.read_all(
            DeviceListing, "/devices", pool=pool, changed_after=changed_after, limit=20_000
        )

    def get(self, device: str) -> Device:
        """One device."""
        return self._connection.read(Device, f"/devices/{segment(device)}")


class Nodes:
    """``client.nodes``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> NodeListing:
        """Nodes, by name, with their devices and what runs on them."""
        return self._connection.read_all(NodeListing, "/nodes")

    def get(self, name: str) -> Node:
        """One node."""
        return self._connection.read(Node, f"/nodes/{segment(name)}")


class Pools:
    """``client.pools``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> PoolListing:
        """Pools, by name."""
        return self._connection.read_all(PoolListing, "/pools")

    def get(self, name: str) -> Pool:
        """One pool."""
        return self._connection.read(Pool, f"/pools/{segment(name)}")

    def create(
        self,
        name: str,
        devices: Sequence[str] = (),
        *,
        model: str = "",
        policy: PoolPolicy | None = None,
        nodes: NodeRule | None = None,
    ) -> Pool:
        """Make a pool of these devices, which leave the pool that they are in; or of nodes."""
        body: dict[str, object] = {"name": name, "devices": list(devices), "model": model}
        if nodes is not None:
            body["nodes"] = nodes.model_dump(mode="json")
        if policy is not None:
            body["policy"] = policy.model_dump(mode="json")
        return self._connection.send(Pool, "POST", "/pools", body)

    def edit(self, name: str, devices: Sequence[str], *, revision: Revision) -> Pool:
        """Give a pool these devices, no others."""
        body = {"devices": list(devices)}
        return self._connection.send(
            Pool, "PATCH", f"/pools/{segment(name)}", body, revision=revision
        )

    def set_nodes(self, name: str, nodes: NodeRule | None, *, revision: Revision) -> Pool:
        """Make it a pool of these nodes; None: of the devices that it has now."""
        body = {"nodes": None if nodes is None else nodes.model_dump(mode="json")}
        return self._connection.send(
            Pool, "PATCH", f"/pools/{segment(name)}", body, revision=revision
        )

    def set_policy(self, name: str, policy: PoolPolicy, *, revision: Revision) -> Pool:
        """Say how a pool is shared."""
        body = {"policy": policy.model_dump(mode="json")}
        return self._connection.send(
            Pool, "PATCH", f"/pools/{segment(name)}", body, revision=revision
        )

    def consequences(
        self,
        name: str,
        *,
        devices: Sequence[str] | None = None,
        policy: PoolPolicy | None = None,
    ) -> Consequences:
        """What other devices, or another policy, would do. Nothing is changed."""
        body: dict[str, object] = {}
        if devices is not None:
            body["devices"] = list(devices)
        if policy is not None:
            body["policy"] = policy.model_dump(mode="json")
        return self._connection.send(
            Consequences, "POST", f"/pools/{segment(name)}/consequences", body
        )

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete a pool; its devices go back to the default pool."""
        self._connection.delete(f"/pools/{segment(name)}", revision=revision)
