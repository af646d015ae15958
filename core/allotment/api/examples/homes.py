"""Examples of homes, for the description."""

from __future__ import annotations

from typing import Any

HOME: dict[str, Any] = {
    "id": "hub~analyst-1",
    "hub": "hub",
    "place": "analyst-1",
    "person": "analyst-1",
    "used": 4_831_838_208,
    "in_use": False,
    "unused_since": "2026-09-01T09:12:40Z",
    "ends_at": "2026-11-30T09:12:40Z",
    "warned_at": "2026-11-16T09:12:55Z",
}
ARCHIVE: dict[str, Any] = {
    "id": "019ab1c2d3e45f6a7b8c9d0e1f2a3b61",
    "hub": "hub",
    "place": "analyst-2",
    "person": "analyst-2",
    "file": "analyst-2-20261120-030000-2a3b61.tar.gz",
    "size": 912_680_550,
    "entries": 4_210,
    "made_at": "2026-11-20T03:00:00Z",
    "made_by": "homes",
}
HOME_ANSWERS: dict[str, dict[str, Any]] = {
    "Home": HOME,
    "HomeArchive": ARCHIVE,
    "HomeListing": {"items": [HOME], "archives": [ARCHIVE], "next": None, "sequence": 2041},
}
HOME_BODIES: dict[str, dict[str, Any]] = {
    "KeepHome": {"until": "2027-03-31T18:00:00Z"},
    "HomeWish": {"what": "archive"},
    "ArchiveWish": {"what": "restore"},
}
