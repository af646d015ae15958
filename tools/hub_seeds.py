"""What hubs under test have in their records: devices, people, profiles, limits."""

from __future__ import annotations

from typing import Any

from allotment.model.devices import DeviceOrigin, DeviceSpec
from allotment.model.groups import Share
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.profiles import Profile
from allotment.record import (
    Writing,
    devices,
    groups,
    limits,
    people,
    pools,
    profiles,
    servers,
)

DEVICES = [
    DeviceSpec(
        f"gpu-{number}", "node-1", "A100", 80 * 2**30, f"GPU-uuid-{number}", DeviceOrigin.SETTINGS
    )
    for number in range(8)
]
PROFILES: list[dict[str, Any]] = [
    {"name": "small", "title": "Small", "cpu": 1, "memory": "1GiB"},
    {
        "name": "gpu",
        "title": "One GPU",
        "devices": 1,
        "cpu": 4,
        "memory": "16GiB",
        "environment": {"HF_HOME": "/models"},
    },
    {"name": "two", "title": "Two GPUs", "devices": 2},
    {"name": "secret", "title": "For Ben", "visible_to": {"people": ["ben"]}},
    {"name": "operator-console", "title": "Operator console"},
]


def seed(writing: Writing) -> None:
    """Eight devices, four of them in vision's pool; ada and ben in vision, cy and dan in no group."""
    devices.observe(writing, DEVICES, DeviceOrigin.SETTINGS)
    pools.create(writing, "a100", [device.id for device in DEVICES[:4]])
    groups.create(writing, "vision", wanted=[Share("vision", "a100", 4, 4)])
    people.onboard(writing, ["olga"], role="operator")
    people.onboard(writing, ["ada", "ben"], group="vision")
    people.onboard(writing, ["cy", "dan"])
    for document in PROFILES:
        profiles.publish(writing, Profile.model_validate(document), "tests", document["name"])
    seed_limits(writing)


def seed_limits(writing: Writing) -> None:
    """Two devices and three running servers at once."""
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 2)
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS, 3)
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS_EXISTING, None)


def forget_servers(writing: Writing) -> None:
    """Let no server exist; JupyterHub never deletes a default server."""
    for one in servers.all_servers(writing):
        servers.forget(writing, one.hub, one.person, one.name)
