"""An example of each answer."""

from __future__ import annotations

from typing import Any

from allotment.api.examples.cordons import CORDON, CORDON_ANSWERS
from allotment.api.examples.data import DATA_ANSWERS
from allotment.api.examples.health import HEALTH_ANSWERS
from allotment.api.examples.homes import HOME_ANSWERS
from allotment.api.examples.queue import TICKET
from allotment.api.examples.sign_on import SIGN_ON_ANSWERS
from allotment.api.examples.simulations import POLICY, SIMULATION
from allotment.api.examples.things import (
    AT,
    BUDGET,
    CHANGE,
    DEPARTMENT,
    DEVICE,
    DRIFT,
    EARLIER,
    ENDING,
    EVENT,
    GROUP,
    GROUP_SHARE,
    HELD,
    LIMIT,
    LIMIT_USE,
    MOMENT,
    NODE,
    ONE_SERVER,
    OUTCOME,
    PLANNED,
    POOL,
    PROFILE,
    REASON,
    REFUSED,
    RESERVATION,
    ROLE,
    SERVER,
    STEP,
    USED,
    USER,
    YAML,
)
from allotment.api.examples.types import INSTANCE_TYPE, TYPE_ANSWERS
from allotment.model.documents import Listing


def _listing(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    empty = Listing(sequence=4711).model_dump(mode="json")
    return {f"{kind}Listing": {"items": [item], **empty}}


ANSWERS: dict[str, dict[str, Any]] = {
    **DATA_ANSWERS,
    **HEALTH_ANSWERS,
    "About": {
        "version": "0.1.0",
        "licence": "BSD-3-Clause",
        "hub": "hub",
        "record": "sqlite",
        "mode": "strict",
        "default_group": "vision",
        "simulated_devices": False,
        "trust": "All servers run under one system user of this machine: its people trust each other.",
        "started_at": EARLIER,
        "revision": 2,
    },
    "Budget": BUDGET,
    "Consequences": {
        "consequences": [
            "vision holds 1 device in a100 and would be guaranteed 0: 1 server is then over the share. It keeps running; nothing new of vision starts there until it ends."
        ],
        "servers": [
            {
                "allotment": "0d0f3f9c5a7f4b0b9be2a1c4c6ad5f11",
                "person": "analyst-1",
                "name": "train",
                "group": "vision",
                "pool": "a100",
                "profile": "pytorch-gpu",
                "devices": 1,
                "effect": "over",
                "words": "runs on, over what is allowed",
                "because": "beyond the 0 guaranteed to vision",
                "price": "2.50",
                "cost": "10.00",
            }
        ],
        "rate": "2.50",
        "cost": "10.00",
    },
    "ConfigurationFile": {"yaml": YAML},
    "ConfigurationPlan": {"changes": [CHANGE], "applied": False},
    "Department": DEPARTMENT,
    "Device": DEVICE,
    "Explanation": {
        "person": "analyst-2",
        "profile": "pytorch-gpu",
        "server": "",
        "outcome": "refused",
        "reasons": [REASON],
    },
    "Group": GROUP,
    "Health": {"status": "ok"},
    "Me": {
        "person": "analyst-1",
        "role": "data-scientist",
        "reach": "own",
        "permissions": [],
        "groups": ["vision"],
        "leads": [],
        "limits": [LIMIT_USE],
        "shares": {"vision": [GROUP_SHARE]},
        "servers": [ONE_SERVER],
        "notices": [
            {
                "at": AT,
                "kind": "stopped",
                "message": "operator stopped your server train: maintenance",
                "server": SERVER,
            }
        ],
        "sequence": 4711,
    },
    "Waiting": {
        "items": [{"begin": EARLIER, "end": AT, "average": 1.25, "most": 3}],
        "begin": EARLIER,
        "end": AT,
        "time_zone": "Europe/Berlin",
        "served": 5,
        "half": 340.0,
        "most": 2710.0,
        "sequence": 4711,
    },
    "OnboardedUsers": {"users": [USER], "notes": []},
    "Overview": {
        "sequence": 4711,
        "at": AT,
        "capacity": {
            "total": 2,
            "held": 1,
            "free": 1,
            "unhealthy": 0,
            "missing": 0,
            "simulated": 0,
        },
        "servers": {"running": 1, "stopped": 1},
        "people": 3,
        "pools": [POOL],
        "groups": [{**GROUP, "members": None}],
        "alerts": [
            {"kind": "device", "message": "gpu-1 on dgx-1 is not healthy.", "subject": "gpu-1"}
        ],
        "refusals": [REFUSED],
    },
    "Pool": POOL,
    "PresentPolicy": {"policy": POLICY},
    "Profile": PROFILE,
    "ProfileRevocation": {"profile": {**PROFILE, "enabled": False}, "outcomes": [OUTCOME]},
    "Readiness": {"status": "ready", "record": "ok", "hub": "ok", "work": "ok"},
    "Reservation": RESERVATION,
    **CORDON_ANSWERS,
    **HOME_ANSWERS,
    **_listing("Cordon", CORDON),
    "ResetLink": {
        "person": "analyst-2",
        "link": "http://127.0.0.1:8000/hub/reset-password?token=…",
        "expires_at": "2026-11-23T14:02:11Z",
    },
    "Role": ROLE,
    "ReportReceipt": {"endings": [ENDING]},
    "Server": ONE_SERVER,
    "ServerOutcomes": {"outcomes": [OUTCOME]},
    "CapacityPlan": {
        "items": [
            {
                "name": "a100",
                "model": "NVIDIA A100 80GB",
                "sharing": False,
                "fit": "fits",
                "shares": [
                    {
                        "group": "vision",
                        "department": "research",
                        "guaranteed": 2,
                        "ceiling": 2,
                        **HELD,
                    }
                ],
                **PLANNED,
            }
        ],
        "next": None,
        "sequence": 4711,
        "complete": True,
        "removed": [],
        "total": PLANNED,
        "begin": "2026-10-23T14:02:11Z",
        "end": AT,
        "time_zone": "Europe/Berlin",
    },
    "UsageListing": {
        "items": [{"group": "vision", "day": "2026-11-22", **USED, "sessions": 3}],
        "next": None,
        "sequence": 4711,
        "complete": True,
        "removed": [],
        "by": ["group", "day"],
        "begin": "2026-10-31T23:00:00Z",
        "end": AT,
        "time_zone": "Europe/Berlin",
        "total": USED,
    },
    "User": USER,
    **_listing("Budget", BUDGET),
    **_listing("Department", DEPARTMENT),
    **_listing("Device", DEVICE),
    **_listing("Drift", DRIFT),
    **_listing("Event", EVENT),
    **_listing("Group", {**GROUP, "members": None}),
    **_listing("Limit", LIMIT),
    **_listing("Moment", MOMENT),
    "Node": NODE,
    **_listing("Node", NODE),
    **_listing("Pool", POOL),
    **_listing("Profile", PROFILE),
    **TYPE_ANSWERS,
    **SIGN_ON_ANSWERS,
    "InstanceTypeRevocation": {
        "instance_type": {**INSTANCE_TYPE, "enabled": False},
        "outcomes": [OUTCOME],
    },
    **_listing("RefusedClaim", REFUSED),
    **_listing("Reservation", RESERVATION),
    **_listing("Role", ROLE),
    **_listing("Server", ONE_SERVER),
    **_listing("Step", STEP),
    **_listing("User", {**USER, "limits": None}),
    **_listing("Ticket", TICKET),
    "Simulation": SIMULATION,
    **_listing(
        "Simulation",
        {**SIMULATION, **dict.fromkeys(("present", "changed", "present_policy", "changed_policy"))},
    ),
    "Ticket": TICKET,
    "EmailAddress": {"person": "analyst-1", "email": "analyst-1@example.org"},
}
"""By the name of the answer's document."""
