"""One example of each thing that the API speaks of: of one platform, on one day."""

from __future__ import annotations

AT = "2026-11-22T14:02:11Z"
EARLIER = "2026-11-22T09:30:00Z"
SERVER = "hub~analyst-1~train"
ALLOTMENT = "019ab1c2d3e45f6a7b8c9d0e1f2a3b4c"

DEVICE_USE = {
    "id": "gpu-0",
    "measured": "nvml",
    "utilisation": 71.0,
    "memory_used": 32212254720,
    "memory_total": 85899345920,
}
USE = {
    "at": AT,
    "kernels": 2,
    "kernels_busy": 1,
    "terminals": 0,
    "last_activity": AT,
    "devices": [DEVICE_USE],
}
REASON = {
    "rule": "limit.devices",
    "message": "You hold 2 devices and may hold 2 (the platform's default); this needs 1 more.",
    "limit": 2,
    "used": 2,
    "asked": 1,
    "remedy": "Stop a server that holds 1 device, or ask for a higher limit.",
}
DEVICE = {
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
        "allotment": ALLOTMENT,
        "server": SERVER,
        "person": "analyst-1",
        "name": "train",
        "display_name": "Segmentation",
        "group": "vision",
        "since": EARLIER,
    },
    "use": DEVICE_USE,
    "used_at": AT,
    "revision": 1,
}
NODE = {
    "name": "dgx-1",
    "state": "ready",
    "version": "v1.36.0",
    "cpu": "128",
    "memory": "1056Gi",
    "labels": {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"},
    "models": ["NVIDIA-A100-SXM4-80GB"],
    "resources": [
        {
            "resource": "nvidia.com/gpu",
            "model": "NVIDIA-A100-SXM4-80GB",
            "memory": 85899345920,
            "isolation": "exclusive",
            "isolation_words": "Exclusive",
            "capacity": 2,
            "allocatable": 2,
        }
    ],
    "devices": {
        "total": 2,
        "held": 1,
        "free": 0,
        "taken": 1,
        "cordoned": 0,
        "unhealthy": 0,
        "missing": 0,
        "utilisation": 71.0,
    },
    "occupants": [
        {
            "kind": "pod",
            "name": "jupyter/jupyter-analyst-1--train",
            "state": "Running",
            "devices": 1,
            "server": SERVER,
            "person": "analyst-1",
        },
        {"kind": "pod", "name": "vision/training-0", "state": "Running", "devices": 1},
    ],
    "since": EARLIER,
}
POOL = {
    "name": "a100",
    "model": "NVIDIA A100 80GB",
    "devices": ["gpu-0", "gpu-1"],
    "total": 2,
    "healthy": 2,
    "available": 2,
    "held": 1,
    "free": 1,
    "guaranteed": 2,
    "unused_guarantee": 1,
    "spare": 0,
    "shares": [{"group": "vision", "guaranteed": 2, "ceiling": 2, "weight": 1.0, "held": 1}],
    "revision": 3,
}
HELD = {"held": 1, "peak": 2, "peak_at": EARLIER, "average": 1.25}
PLANNED = {
    "capacity": 2,
    "available": 2,
    "guaranteed": 2,
    "ceilings": 2,
    "overcommitted": 0,
    **HELD,
}
GROUP_SHARE = {
    "pool": "a100",
    "guaranteed": 2,
    "ceiling": 2,
    "weight": 1.0,
    "held": 1,
    "free": 1,
}
GROUP = {
    "name": "vision",
    "title": "Computer vision",
    "tags": {"department": "research"},
    "shares": [GROUP_SHARE],
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
DEPARTMENT = {
    "name": "research",
    "title": "Research",
    "groups": ["vision"],
    "ceilings": [{"pool": "a100", "ceiling": 2, "held": 1}],
    "revision": 1,
}
RESERVATION = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b50",
    "pool": "a100",
    "devices": 2,
    "group": "vision",
    "begins_at": "2026-12-01T08:00:00Z",
    "ends_at": "2026-12-01T12:00:00Z",
    "note": "Course on segmentation",
    "revision": 1,
}
LIMIT_USE = {
    "kind": "devices",
    "words": "devices at once",
    "group": "vision",
    "value": 2,
    "used": 1,
    "scope": "platform",
    "subject": "",
    "source": "the platform's default",
}
USER = {
    "name": "analyst-1",
    "role": "data-scientist",
    "onboarded_at": EARLIER,
    "memberships": [{"group": "vision", "origin": "console", "lead": True}],
    "devices": 1,
    "servers": 1,
    "servers_existing": 2,
    "limits": [LIMIT_USE],
    "revision": 1,
}
ROLE = {
    "name": "pool-keeper",
    "permissions": ["manage-pools", "see-all"],
    "built_in": False,
    "people": 1,
    "revision": 1,
}
LIMIT = {
    "scope": "person",
    "subject": "analyst-2",
    "kind": "devices",
    "words": "devices at once",
    "value": 1,
}
PROFILE = {
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
ENDING = {
    "cause": "idle",
    "words": "Idle",
    "message": "Idle since 13:17 UTC: no cell or program ran, and nobody worked in it.",
    "said_at": AT,
    "stop_at": "2026-11-22T14:17:11Z",
    "extended": 0,
    "extensions_left": 3,
    "extend_by": 3600.0,
}
ONE_SERVER = {
    "id": SERVER,
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
    "since": EARLIER,
    "created_at": EARLIER,
    "admitted_at": EARLIER,
    "running_at": EARLIER,
    "allotment": ALLOTMENT,
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
    "endings": [ENDING],
    "lifetime_end": None,
    "keep": None,
    "warnings": [],
    "use": USE,
}
EVENT = {
    "sequence": 4711,
    "at": AT,
    "actor": "operator",
    "kind": "pool.created",
    "subject": "a100",
    "after": {"model": "NVIDIA A100 80GB", "devices": ["gpu-0", "gpu-1"]},
}
REFUSED = {
    "sequence": 4700,
    "at": AT,
    "person": "analyst-2",
    "server": "second",
    "group": "vision",
    "profile": "pytorch-gpu",
    "would_wait": False,
    "reasons": [REASON],
}
DRIFT = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b4d",
    "hub": "hub",
    "person": "analyst-2",
    "server": "old",
    "devices": ["gpu-1"],
    "note": "It runs on gpu-1, which another server holds.",
    "seen_at": AT,
}
MOMENT = {"at": AT, "capacity": 2, "held": 1, "idle": 0}
STEP = {
    "name": "devices",
    "every": 10.0,
    "runs": 1200,
    "failures": 0,
    "last_started_at": AT,
    "last_succeeded_at": AT,
    "last_seconds": 0.02,
    "note": "2 devices.",
}
CHANGE = {
    "action": "create",
    "kind": "group",
    "name": "vision",
    "sentence": "group vision is made",
    "after": {"title": "Computer vision"},
}
WANTED_SHARE = {"pool": "a100", "guaranteed": 2, "ceiling": 2}
YAML = "groups:\n  - name: vision\n    shares: [{pool: a100, guaranteed: 1}]\n"
BUDGET_TERMS = {
    "amount": "500.00",
    "period": "month",
    "at_limit": "refuse",
    "grace": "15m",
    "minimum_session": "30m",
}
BUDGET = {
    "scope": "group",
    "subject": "vision",
    **BUDGET_TERMS,
    "begins_at": EARLIER,
    "period_begin": "2026-10-31T23:00:00Z",
    "period_end": "2026-11-30T23:00:00Z",
    "spent": "410.000000",
    "committed": "1.200000",
    "percent": 82,
    "rate": "2.400000",
    "ends_at": "2026-11-24T03:32:11Z",
    "sentence": "The budget of group vision is used to 82 %: 410.00 of 500.00 a month.",
    "source": "set for the group",
    "revision": 1,
}
USED = {"hours": "6.500000", "device_hours": "13.000000", "cost": "31.200000"}
OUTCOME = {"server": SERVER, "outcome": "stopping"}
