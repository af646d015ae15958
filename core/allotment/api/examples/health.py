"""Examples of how the parts of the platform are, and of what is new."""

from __future__ import annotations

from typing import Any

from allotment.api.examples.things import AT

HEALTH_ANSWERS: dict[str, Any] = {
    "HealthReport": {
        "state": "warning",
        "at": AT,
        "items": [
            {
                "name": "record",
                "title": "Record",
                "state": "ok",
                "says": "SQLite answers; 4.2 MiB, schema 0015.",
                "details": ["4,711 events"],
                "at": None,
            },
            {
                "name": "mail",
                "title": "Mail",
                "state": "warning",
                "says": "Nothing was heard since 2026-11-22 07:30 UTC.",
                "details": ["looked at every 5 s"],
                "at": AT,
            },
        ],
        "next": None,
        "sequence": 4711,
    },
    "ReleaseListing": {
        "items": [
            {
                "version": "0.1.0",
                "released": "not released yet",
                "introduction": "End to end on one machine.",
                "sections": [{"title": "Added", "notes": ["The operator console."]}],
            }
        ],
        "next": None,
        "sequence": 0,
    },
}
