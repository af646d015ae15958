"""Examples of replays, for the description."""

from __future__ import annotations

from typing import Any

_WAITS = {
    "launches": 46,
    "mean": 21.5,
    "half": 0.0,
    "ninety": 64.0,
    "ninety_nine": 181.0,
    "longest": 188.0,
    "noticed": 17,
}
_OUTCOME = {
    "waits": _WAITS,
    "device_hours": 312.5,
    "held_idle_device_hours": 41.0,
    "reclaimed": 0,
    "stopped_idle": 6,
    "stopped_lifetime": 0,
    "never": 0,
    "gave_up": 3,
    "hours_in_vain": 2.5,
    "cost": "750.000000",
}
_RESULT = {
    **_OUTCOME,
    "idle_device_hours": 12.25,
    "pools": [
        {
            **_OUTCOME,
            "pool": "a100",
            "devices": 2,
            "idle_device_hours": 12.25,
            "reasons": {"share.guarantee": 17},
            "groups": [{**_OUTCOME, "group": "vision", "guaranteed": 2}],
        }
    ],
}
POLICY: dict[str, Any] = {
    "pools": [
        {
            "name": "a100",
            "devices": 2,
            "nodes": [2],
            "sharing": True,
            "minimum_runtime": "30m",
            "grace": "5m",
            "protect_after": "10m",
            "shares": [{"group": "vision", "guaranteed": 2, "ceiling": 2, "weight": 1.0}],
        }
    ],
    "profiles": [{"name": "pytorch-gpu", "idle": "1h", "lifetime": "12h", "price": "2.4"}],
}
SIMULATION: dict[str, Any] = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b4e",
    "question": "compare",
    "state": "done",
    "progress": 1.0,
    "asked_by": "operator",
    "asked_at": "2026-11-22T14:02:11Z",
    "ended_at": "2026-11-22T14:02:13Z",
    "own": True,
    "begin": "2026-11-15T14:02:11Z",
    "end": "2026-11-22T14:02:11Z",
    "launches": 46,
    "refused_otherwise": {"limit.devices": 2},
    "present_policy": POLICY,
    "changed_policy": POLICY,
    "present": _RESULT,
    "changed": _RESULT,
}
SIMULATION_BODIES: dict[str, dict[str, Any]] = {
    "SimulationRequest": {
        "question": "compare",
        "begin": "2026-11-15",
        "end": "2026-11-21",
        "changed": POLICY,
    },
}
