"""Examples of tickets, for the description."""

from __future__ import annotations

from typing import Any

TICKET: dict[str, Any] = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b4d",
    "hub": "hub",
    "person": "analyst-2",
    "name": "fit",
    "display_name": "Fit",
    "note": "",
    "profile": "pytorch-gpu",
    "group": "vision",
    "devices": 1,
    "priority": "dedicated",
    "pools": ["a100"],
    "state": "waiting",
    "since": "2026-11-22T13:40:00Z",
    "moved": 0,
    "position": 2,
    "reason": {
        "rule": "devices.free",
        "message": "Of 2 devices in a100 0 can be given out; this needs 1.",
        "limit": 2,
        "used": 2,
        "asked": 1,
        "remedy": "It starts by itself when its turn comes.",
    },
}
QUEUE_BODIES: dict[str, dict[str, Any]] = {
    "MovedTicket": {"to": "front"},
    "NewTicket": {"profile": "pytorch-gpu", "server": "fit", "group": "vision"},
}
