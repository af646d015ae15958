"""Examples of what is out of use, for the description."""

from __future__ import annotations

from typing import Any

CORDON: dict[str, Any] = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b51",
    "scope": "node",
    "names": ["dgx-1"],
    "subject": "node dgx-1",
    "reason": "New power supply",
    "begins_at": "2026-12-01T08:00:00Z",
    "drain_at": "2026-12-01T12:00:00Z",
    "ends_at": "2026-12-01T18:00:00Z",
    "in_force": False,
    "devices": 8,
    "servers": 2,
    "said_by": "operator",
    "said_at": "2026-11-22T14:02:11Z",
    "revision": 1,
}
_NEW = {
    name: CORDON[name] for name in ("scope", "names", "reason", "begins_at", "drain_at", "ends_at")
}
CORDON_BODIES: dict[str, dict[str, Any]] = {
    "NewCordon": _NEW,
    "CordonEdit": {"reason": "New power supplies", "drain_at": "2026-12-01T13:00:00Z"},
}
CORDON_ANSWERS: dict[str, dict[str, Any]] = {
    "Cordon": CORDON,
    "CordonConsequences": {
        "devices": ["gpu-0"],
        "servers": [
            {
                "server": "hub~analyst-1~train",
                "person": "analyst-1",
                "name": "train",
                "group": "vision",
                "pool": "a100",
                "devices": ["gpu-0"],
            }
        ],
        "short": [{"pool": "a100", "available": 1, "guaranteed": 2, "reserved": 0}],
    },
}
