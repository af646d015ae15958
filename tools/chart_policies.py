"""The network policies that Zero to JupyterHub's chart makes of our values, as its documentation says.

https://z2jh.jupyter.org/en/stable/administrator/security.html, release 4.4.0: hub, proxy and servers
have one each. Who may come in is said by labels ``hub.jupyter.org/network-access-…`` of the other side;
where each may go, by its component, by ``egressAllowRules`` and by ``egress`` of the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from network_policies import End

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
METADATA = "169.254.169.254/32"
_DEFAULTS = {
    "hub": {"cloudMetadataServer": True, "nonPrivateIPs": True, "privateIPs": True},
    "proxy": {"cloudMetadataServer": True, "nonPrivateIPs": True, "privateIPs": True},
    "singleuser-server": {
        "cloudMetadataServer": False,
        "nonPrivateIPs": True,
        "privateIPs": False,
    },
}


def component(name: str, *access: str, **ports: int) -> End:
    """A pod of the chart's, with the labels by which others let it in."""
    labels = {"app.kubernetes.io/name": "jupyterhub", "app.kubernetes.io/component": name}
    labels |= {f"hub.jupyter.org/network-access-{one}": "true" for one in access}
    return End(name, labels, ports=ports)


HUB = component("hub", "proxy-api", "proxy-http", "singleuser", http=8081)
PROXY = component("proxy", "hub", "singleuser", http=8000, api=8001)
SERVER = component("singleuser-server", "hub", **{"notebook-port": 8888})


def chart_policies(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The policies of hub, proxy and servers."""
    hub, proxy, server = (
        values["hub"]["networkPolicy"],
        values["proxy"]["chp"]["networkPolicy"],
        values["singleuser"]["networkPolicy"],
    )
    return [
        _policy(HUB, hub, [_from("hub", "http")], [_to(PROXY, 8001), _to(SERVER, 8888)]),
        _policy(
            PROXY,
            proxy,
            [{"ports": [{"port": "http"}]}, _from("proxy-api", "api")],
            [_to(HUB, 8081), _to(SERVER, 8888)],
        ),
        _policy(
            SERVER,
            server,
            [_from("singleuser", "notebook-port")],
            [_to(HUB, 8081), _to(PROXY, 8000)],
        ),
    ]


def _policy(
    end: End, said: Mapping[str, Any], ingress: list[Any], egress: list[Any]
) -> dict[str, Any]:
    allowed = _DEFAULTS[end.name] | dict(said.get("egressAllowRules", {}))
    rules = [*egress, *_by_address(allowed), *said.get("egress", [])]
    return {
        "metadata": {"name": end.name},
        "spec": {
            "podSelector": _own(end),
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [*ingress, *said.get("ingress", [])],
            "egress": rules,
        },
    }


def _by_address(allowed: Mapping[str, bool]) -> Iterator[dict[str, Any]]:
    dns = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    yield {"ports": dns, "to": [{"ipBlock": {"cidr": one}} for one in PRIVATE]}
    if allowed["nonPrivateIPs"]:
        yield {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [*PRIVATE, METADATA]}}]}
    if allowed["privateIPs"]:
        yield {"to": [{"ipBlock": {"cidr": one}} for one in PRIVATE]}
    if allowed["cloudMetadataServer"]:
        yield {"to": [{"ipBlock": {"cidr": METADATA}}]}


def _own(end: End) -> dict[str, Any]:
    names = ("app.kubernetes.io/name", "app.kubernetes.io/component")
    return {"matchLabels": {name: end.labels[name] for name in names}}


def _to(end: End, port: int) -> dict[str, Any]:
    return {"to": [{"podSelector": _own(end)}], "ports": [{"port": port}]}


def _from(access: str, port: str) -> dict[str, Any]:
    labels = {f"hub.jupyter.org/network-access-{access}": "true"}
    return {"from": [{"podSelector": {"matchLabels": labels}}], "ports": [{"port": port}]}
