"""Examples of every document and body, for the description: one small platform, told throughout."""

from __future__ import annotations

from typing import Any

from allotment.api.examples_queue import QUEUE_BODIES, TICKET
from allotment.model.documents import Listing

_AT = "2026-11-22T14:02:11Z"
_EARLIER = "2026-11-22T09:30:00Z"
_SERVER = "hub~analyst-1~train"
_ALLOTMENT = "019ab1c2d3e45f6a7b8c9d0e1f2a3b4c"

_DEVICE_USE = {
    "id": "gpu-0",
    "measured": "nvml",
    "utilisation": 71.0,
    "memory_used": 32212254720,
    "memory_total": 85899345920,
}
_USE = {
    "at": _AT,
    "kernels": 2,
    "kernels_busy": 1,
    "terminals": 0,
    "last_activity": _AT,
    "devices": [_DEVICE_USE],
}
_REASON = {
    "rule": "limit.devices",
    "message": "You hold 2 devices and may hold 2 (the platform's default); this needs 1 more.",
    "limit": 2,
    "used": 2,
    "asked": 1,
    "remedy": "Stop a server that holds 1 device, or ask for a higher limit.",
}
_DEVICE = {
    "id": "gpu-0",
    "node": "dgx-1",
    "model": "NVIDIA A100 80GB",
    "memory": 85899345920,
    "uuid": "GPU-6f1d7a52-3c0e-4b52-9f0a-2f1f0a7c9e11",
    "origin": "nvml",
    "simulated": False,
    "isolation": "cooperative",
    "isolation_words": "Cooperative: local processes are told which device is theirs",
    "pool": "a100",
    "state": "held",
    "healthy": True,
    "present": True,
    "health_note": "",
    "holder": {
        "allotment": _ALLOTMENT,
        "server": _SERVER,
        "person": "analyst-1",
        "name": "train",
        "display_name": "Segmentation",
        "group": "vision",
        "since": _EARLIER,
    },
    "use": _DEVICE_USE,
    "used_at": _AT,
    "revision": 1,
}
_POOL = {
    "name": "a100",
    "model": "NVIDIA A100 80GB",
    "devices": ["gpu-0", "gpu-1"],
    "total": 2,
    "healthy": 2,
    "held": 1,
    "free": 1,
    "guaranteed": 2,
    "unused_guarantee": 1,
    "spare": 0,
    "shares": [{"group": "vision", "guaranteed": 2, "ceiling": 2, "weight": 1.0, "held": 1}],
    "revision": 3,
}
_HELD = {"held": 1, "peak": 2, "peak_at": _EARLIER, "average": 1.25}
_PLANNED = {
    "capacity": 2,
    "available": 2,
    "guaranteed": 2,
    "ceilings": 2,
    "overcommitted": 0,
    **_HELD,
}
_GROUP_SHARE = {
    "pool": "a100",
    "guaranteed": 2,
    "ceiling": 2,
    "weight": 1.0,
    "held": 1,
    "free": 1,
}
_GROUP = {
    "name": "vision",
    "title": "Computer vision",
    "tags": {"department": "research"},
    "shares": [_GROUP_SHARE],
    "people": 2,
    "leads": ["analyst-1"],
    "members": [
        {"person": "analyst-1", "origin": "console", "lead": True},
        {
            "person": "analyst-2",
            "origin": "settings",
            "lead": False,
            "until": "2027-01-31T00:00:00Z",
        },
    ],
    "revision": 2,
}
_DEPARTMENT = {
    "name": "research",
    "title": "Research",
    "groups": ["vision"],
    "ceilings": [{"pool": "a100", "ceiling": 2, "held": 1}],
    "revision": 1,
}
_RESERVATION = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b50",
    "pool": "a100",
    "devices": 2,
    "group": "vision",
    "begins_at": "2026-12-01T08:00:00Z",
    "ends_at": "2026-12-01T12:00:00Z",
    "note": "Course on segmentation",
    "revision": 1,
}
_LIMIT_USE = {
    "kind": "devices",
    "words": "devices at once",
    "group": "vision",
    "value": 2,
    "used": 1,
    "scope": "platform",
    "subject": "",
    "source": "the platform's default",
}
_USER = {
    "name": "analyst-1",
    "role": "data-scientist",
    "onboarded_at": _EARLIER,
    "memberships": [{"group": "vision", "origin": "console", "lead": True}],
    "devices": 1,
    "servers": 1,
    "servers_existing": 2,
    "limits": [_LIMIT_USE],
    "revision": 1,
}
_ROLE = {
    "name": "pool-keeper",
    "permissions": ["manage-pools", "see-all"],
    "built_in": False,
    "people": 1,
    "revision": 1,
}
_LIMIT = {
    "scope": "person",
    "subject": "analyst-2",
    "kind": "devices",
    "words": "devices at once",
    "value": 1,
}
_PROFILE = {
    "name": "pytorch-gpu",
    "title": "PyTorch on one GPU",
    "description": "CUDA, PyTorch and friends, for training on a single device.",
    "devices": 1,
    "pool": "any",
    "cpu": 4.0,
    "memory": 17179869184,
    "priority": "dedicated",
    "price": "2.40",
    "enabled": True,
    "retired": False,
    "offered": True,
    "source": "profiles/pytorch-gpu.yaml",
    "problem": "",
    "servers": 1,
    "revision": 1,
}
_ENDING = {
    "cause": "idle",
    "words": "Idle",
    "message": "Idle since 13:17 UTC: no cell or program ran, and nobody worked in it.",
    "said_at": _AT,
    "stop_at": "2026-11-22T14:17:11Z",
    "extended": 0,
    "extensions_left": 3,
    "extend_by": 3600.0,
}
_ONE_SERVER = {
    "id": _SERVER,
    "hub": "hub",
    "person": "analyst-1",
    "name": "train",
    "display_name": "Segmentation",
    "note": "",
    "profile": "pytorch-gpu",
    "profile_title": "PyTorch on one GPU",
    "group": "vision",
    "pool": "a100",
    "state": "running",
    "since": _EARLIER,
    "created_at": _EARLIER,
    "admitted_at": _EARLIER,
    "running_at": _EARLIER,
    "allotment": _ALLOTMENT,
    "devices": [
        {
            "id": "gpu-0",
            "node": "dgx-1",
            "model": "NVIDIA A100 80GB",
            "memory": 85899345920,
            "isolation": "cooperative",
        }
    ],
    "price": "2.40",
    "stop_reason": "",
    "stopped_by": "",
    "stop_cause": "",
    "endings": [_ENDING],
    "lifetime_end": None,
    "keep": None,
    "warnings": [],
    "use": _USE,
}
_EVENT = {
    "sequence": 4711,
    "at": _AT,
    "actor": "operator",
    "kind": "pool.created",
    "subject": "a100",
    "after": {"model": "NVIDIA A100 80GB", "devices": ["gpu-0", "gpu-1"]},
}
_REFUSED = {
    "sequence": 4700,
    "at": _AT,
    "person": "analyst-2",
    "server": "second",
    "group": "vision",
    "profile": "pytorch-gpu",
    "would_wait": False,
    "reasons": [_REASON],
}
_DRIFT = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b4d",
    "hub": "hub",
    "person": "analyst-2",
    "server": "old",
    "devices": ["gpu-1"],
    "note": "It runs on gpu-1, which another server holds.",
    "seen_at": _AT,
}
_MOMENT = {"at": _AT, "capacity": 2, "held": 1, "idle": 0}
_STEP = {
    "name": "devices",
    "every": 10.0,
    "runs": 1200,
    "failures": 0,
    "last_started_at": _AT,
    "last_succeeded_at": _AT,
    "last_seconds": 0.02,
    "note": "2 devices.",
}
_CHANGE = {
    "action": "create",
    "kind": "group",
    "name": "vision",
    "sentence": "group vision is made",
    "after": {"title": "Computer vision"},
}
_WANTED_SHARE = {"pool": "a100", "guaranteed": 2, "ceiling": 2}
_YAML = "groups:\n  - name: vision\n    shares: [{pool: a100, guaranteed: 1}]\n"
_BUDGET_TERMS = {
    "amount": "500.00",
    "period": "month",
    "at_limit": "refuse",
    "grace": "15m",
    "minimum_session": "30m",
}
_BUDGET = {
    "scope": "group",
    "subject": "vision",
    **_BUDGET_TERMS,
    "begins_at": _EARLIER,
    "period_begin": "2026-10-31T23:00:00Z",
    "period_end": "2026-11-30T23:00:00Z",
    "spent": "410.000000",
    "committed": "1.200000",
    "percent": 82,
    "rate": "2.400000",
    "ends_at": "2026-11-24T03:32:11Z",
    "sentence": "The budget of group vision is used to 82 %: 410.00 of 500.00 a month.",
    "revision": 1,
}
_USED = {"hours": "6.500000", "device_hours": "13.000000", "cost": "31.200000"}
_OUTCOME = {"server": _SERVER, "outcome": "stopping"}


def _listing(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    empty = Listing(sequence=4711).model_dump(mode="json")
    return {f"{kind}Listing": {"items": [item], **empty}}


ANSWERS: dict[str, dict[str, Any]] = {
    "About": {
        "version": "0.1.0",
        "licence": "BSD-3-Clause",
        "hub": "hub",
        "record": "sqlite",
        "mode": "strict",
        "default_group": "vision",
        "simulated_devices": False,
        "trust": "All servers run under one system user of this machine: its people trust each other.",
        "started_at": _EARLIER,
        "revision": 2,
    },
    "Budget": _BUDGET,
    "BudgetChange": {
        "consequences": ["group vision has used 410.00 of 400.00 a month and would be over it."]
    },
    "ConfigurationFile": {"yaml": _YAML},
    "ConfigurationPlan": {"changes": [_CHANGE], "applied": False},
    "Department": _DEPARTMENT,
    "Device": _DEVICE,
    "Explanation": {
        "person": "analyst-2",
        "profile": "pytorch-gpu",
        "server": "",
        "outcome": "refused",
        "reasons": [_REASON],
    },
    "Group": _GROUP,
    "GroupChange": {
        "consequences": [
            "vision holds 1 device in a100 and would be guaranteed 0: analyst-1/train is then over the share."
        ]
    },
    "Health": {"status": "ok"},
    "Me": {
        "person": "analyst-1",
        "role": "data-scientist",
        "reach": "own",
        "permissions": [],
        "groups": ["vision"],
        "leads": [],
        "limits": [_LIMIT_USE],
        "shares": {"vision": [_GROUP_SHARE]},
        "servers": [_ONE_SERVER],
        "notices": [
            {
                "at": _AT,
                "kind": "stopped",
                "message": "operator stopped your server train: maintenance",
                "server": _SERVER,
            }
        ],
        "sequence": 4711,
    },
    "OnboardedUsers": {"users": [_USER], "notes": []},
    "Overview": {
        "sequence": 4711,
        "at": _AT,
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
        "pools": [_POOL],
        "groups": [{**_GROUP, "members": None}],
        "alerts": [
            {"kind": "device", "message": "gpu-1 on dgx-1 is not healthy.", "subject": "gpu-1"}
        ],
        "refusals": [_REFUSED],
    },
    "Pool": _POOL,
    "Profile": _PROFILE,
    "ProfileRevocation": {"profile": {**_PROFILE, "enabled": False}, "outcomes": [_OUTCOME]},
    "Readiness": {"status": "ready", "record": "ok", "hub": "ok", "work": "ok"},
    "Reservation": _RESERVATION,
    "ResetLink": {
        "person": "analyst-2",
        "link": "http://127.0.0.1:8000/hub/reset-password?token=…",
        "expires_at": "2026-11-23T14:02:11Z",
    },
    "Role": _ROLE,
    "ReportReceipt": {"endings": [_ENDING]},
    "Server": _ONE_SERVER,
    "ServerOutcomes": {"outcomes": [_OUTCOME]},
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
                        **_HELD,
                    }
                ],
                **_PLANNED,
            }
        ],
        "next": None,
        "sequence": 4711,
        "complete": True,
        "removed": [],
        "total": _PLANNED,
        "begin": "2026-10-23T14:02:11Z",
        "end": _AT,
        "time_zone": "Europe/Berlin",
    },
    "UsageListing": {
        "items": [{"group": "vision", "day": "2026-11-22", **_USED, "sessions": 3}],
        "next": None,
        "sequence": 4711,
        "complete": True,
        "removed": [],
        "by": ["group", "day"],
        "begin": "2026-10-31T23:00:00Z",
        "end": _AT,
        "time_zone": "Europe/Berlin",
        "total": _USED,
    },
    "User": _USER,
    **_listing("Budget", _BUDGET),
    **_listing("Department", _DEPARTMENT),
    **_listing("Device", _DEVICE),
    **_listing("Drift", _DRIFT),
    **_listing("Event", _EVENT),
    **_listing("Group", {**_GROUP, "members": None}),
    **_listing("Limit", _LIMIT),
    **_listing("Moment", _MOMENT),
    **_listing("Pool", _POOL),
    **_listing("Profile", _PROFILE),
    **_listing("RefusedClaim", _REFUSED),
    **_listing("Reservation", _RESERVATION),
    **_listing("Role", _ROLE),
    **_listing("Server", _ONE_SERVER),
    **_listing("Step", _STEP),
    **_listing("User", {**_USER, "limits": None}),
    **_listing("Ticket", TICKET),
    "Ticket": TICKET,
}
"""By the name of the answer's document."""

BODIES: dict[str, dict[str, Any]] = {
    **QUEUE_BODIES,
    "BudgetTerms": _BUDGET_TERMS,
    "DepartmentEdit": {"title": "Research", "ceilings": {"a100": 2}},
    "GroupEdit": {"title": "Computer vision", "shares": [_WANTED_SHARE]},
    "LeavingUsers": {"names": ["analyst-2"]},
    "LimitEdit": {"scope": "person", "subject": "analyst-2", "kind": "devices", "value": 1},
    "MemberEdit": {"lead": False, "until": "2027-01-31T00:00:00Z"},
    "Move": {"group": "vision"},
    "NewDepartment": {"name": "research", "title": "Research", "ceilings": {"a100": 2}},
    "NewGroup": {
        "name": "vision",
        "title": "Computer vision",
        "tags": {"department": "research"},
        "shares": [_WANTED_SHARE],
    },
    "NewPool": {"name": "a100", "devices": ["gpu-0", "gpu-1"]},
    "NewReservation": {
        "pool": "a100",
        "devices": 2,
        "group": "vision",
        "begins_at": "2026-12-01T08:00:00Z",
        "ends_at": "2026-12-01T12:00:00Z",
        "note": "Course on segmentation",
    },
    "ReservationEdit": {"ends_at": "2026-12-01T14:00:00Z"},
    "NewRole": {"name": "pool-keeper", "permissions": ["manage-pools", "see-all"]},
    "NewUsers": {"names": ["analyst-1", "analyst-2"], "group": "vision"},
    "PlatformEdit": {"mode": "flexible", "default_group": "vision"},
    "PoolEdit": {"devices": ["gpu-0"], "policy": {"sharing": True, "grace": "10m"}},
    "ProfileEdit": {"enabled": False},
    "Revocation": {"reason": "Its image has a security hole."},
    "RoleEdit": {"permissions": ["manage-pools"]},
    "SentFile": {"yaml": _YAML, "restore": False},
    "ServerReport": {key: value for key, value in _USE.items() if key != "at"},
    "StartingServers": {"servers": [_SERVER]},
    "KeepingServer": {"until": "2026-11-23T08:00:00Z", "note": "Training overnight."},
    "StoppingServers": {"servers": [_SERVER], "reason": "Maintenance at noon."},
    "UserEdit": {"role": "operator"},
    "WantedShares": {"shares": [_WANTED_SHARE]},
}
"""By the name of what is sent."""
