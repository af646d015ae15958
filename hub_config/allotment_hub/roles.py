"""Scopes and roles that the hub is told: what people's tokens may hold, and the control plane's own."""

from __future__ import annotations

from typing import Any

from allotment_spawner.access import OPERATE_SCOPE

SERVICE = "allotment"
"""The control plane's name among the hub's services."""

CONTROL_PLANE_SCOPE = "custom:allotment:control-plane"
"""What the control plane's own token carries, and nobody else's."""

CUSTOM_SCOPES = {
    CONTROL_PLANE_SCOPE: {
        "description": "Make people known to the hub, and have it look at the identity provider.",
    },
    OPERATE_SCOPE: {
        "description": "Act with all of its owner's permissions on the platform, not only with the owner's own servers.",
    },
}

USER_SCOPES = frozenset({OPERATE_SCOPE, f"access:services!service={SERVICE}"})
"""What everybody holds beside JupyterHub's own. The marker permits nothing: the record does."""

SERVICE_SCOPES = (
    "start:servers",
    "delete:servers",
    "read:servers",
    "list:users",
    "read:users:name",
    "delete:users",
    CONTROL_PLANE_SCOPE,
)
"""What the control plane needs to start and stop, and to on-board. Never ``tokens``: who holds it can
mint an administrator's. Never ``admin:users``: it shows the tokens that a provider gave for people."""


def roles() -> list[dict[str, Any]]:
    """The roles to load at the hub's start."""
    return [
        {
            "name": "allotment-control-plane",
            "description": "Start and stop servers, and on-board people, as the record has decided",
            "scopes": list(SERVICE_SCOPES),
            "services": [SERVICE],
        },
    ]


def token_choices() -> list[dict[str, str]]:
    """What a person may choose for an own token, on the token page: title, meaning, scopes."""
    return [
        {
            "title": "Use my own servers",
            "words": "Start, stop and open my servers, and ask Allotment about my own things. Enough for most programs.",
            "scopes": f"servers!user access:servers!user read:users!user users:activity!user access:services!service={SERVICE}",
        },
        {
            "title": "Everything that I may do",
            "words": "Also what my role permits on the whole platform. For operators' and team leads' own scripts; keep it safe.",
            "scopes": "inherit",
        },
    ]
