"""What network policies let through: Kubernetes' own rules, for the tests.

A pod that no policy of a direction selects may do everything in it; one that any selects may do what
one of them allows. A connection needs the egress of one side and the ingress of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod, with labels, or an address outside of the cluster.

    ``ports`` are the names of a pod's container ports.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "jupyterhub"
    address: str = "10.42.0.7"
    ports: Mapping[str, int] = field(default_factory=dict)
    outside: bool = False


def allows(
    policies: Iterable[Document], source: End, to: End, port: int, protocol: str = "TCP"
) -> bool:
    """Whether one end may open a connection to a port of another."""
    listed = list(policies)
    out = _direction(listed, "Egress", source, to, to.ports, port, protocol)
    into = _direction(listed, "Ingress", to, source, to.ports, port, protocol)
    return out and into


def _direction(
    policies: list[Document],
    direction: str,
    own: End,
    other: End,
    names: Mapping[str, int],
    port: int,
    protocol: str,
) -> bool:
    selecting = [
        policy
        for policy in policies
        if not own.outside
        and direction in policy["spec"]["policyTypes"]
        and own.namespace == policy["metadata"].get("namespace", "jupyterhub")
        and selects(policy["spec"]["podSelector"], own.labels)
    ]
    peers = "to" if direction == "Egress" else "from"
    return not selecting or any(
        _ports(rule.get("ports", []), names, port, protocol)
        and _peers(rule.get(peers, []), own, other)
        for policy in selecting
        for rule in policy["spec"].get(direction.lower(), [])
    )


def _ports(rules: list[Document], names: Mapping[str, int], port: int, protocol: str) -> bool:
    return not rules or any(
        rule.get("protocol", "TCP") == protocol
        and ("port" not in rule or port in {rule["port"], names.get(str(rule["port"]))})
        for rule in rules
    )


def _peers(peers: list[Document], own: End, other: End) -> bool:
    return not peers or any(_peer(peer, own, other) for peer in peers)


def _peer(peer: Document, own: End, other: End) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        address = ip_address(other.address)
        excepted = any(address in ip_network(one) for one in block.get("except", []))
        return address in ip_network(block["cidr"]) and not excepted
    if other.outside:
        return False
    if "namespaceSelector" in peer:
        labels = {"kubernetes.io/metadata.name": other.namespace}
        if not selects(peer["namespaceSelector"], labels):
            return False
    elif other.namespace != own.namespace:
        return False
    return selects(peer.get("podSelector", {}), other.labels)


def selects(selector: Document, labels: Mapping[str, str]) -> bool:
    """Whether a selector selects something with these labels; only ``matchLabels`` is used here."""
    if set(selector) - {"matchLabels"}:
        message = f"not known here: {sorted(selector)}"
        raise ValueError(message)
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
