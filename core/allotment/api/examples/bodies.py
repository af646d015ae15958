"""An example of each body that is sent."""

from __future__ import annotations

from typing import Any

from allotment.api.examples.cordons import CORDON_BODIES
from allotment.api.examples.data import DATA_BODIES
from allotment.api.examples.homes import HOME_BODIES
from allotment.api.examples.queue import QUEUE_BODIES
from allotment.api.examples.sign_on import SIGN_ON_BODIES
from allotment.api.examples.simulations import SIMULATION_BODIES
from allotment.api.examples.things import BUDGET_TERMS, SERVER, USE, WANTED_SHARE, YAML
from allotment.api.examples.types import TYPE_BODIES

BODIES: dict[str, dict[str, Any]] = {
    **DATA_BODIES,
    **QUEUE_BODIES,
    **TYPE_BODIES,
    **SIMULATION_BODIES,
    **SIGN_ON_BODIES,
    "AppliedFile": {"yaml": YAML, "restore": False, "secrets": {}},
    "BudgetTerms": BUDGET_TERMS,
    "DepartmentEdit": {"title": "Research", "ceilings": {"a100": 2}},
    "GroupEdit": {"title": "Computer vision", "shares": [WANTED_SHARE]},
    "LeavingUsers": {"names": ["analyst-2"]},
    "LimitEdit": {"scope": "person", "subject": "analyst-2", "kind": "devices", "value": 1},
    "MemberEdit": {"lead": False, "until": "2027-01-31T00:00:00Z"},
    "Move": {"group": "vision"},
    "NewAddress": {"email": "analyst-1@example.org"},
    "NewDepartment": {"name": "research", "title": "Research", "ceilings": {"a100": 2}},
    "NewGroup": {
        "name": "vision",
        "title": "Computer vision",
        "tags": {"department": "research"},
        "shares": [WANTED_SHARE],
    },
    "NewPool": {"name": "a100", "devices": ["gpu-0", "gpu-1"]},
    **CORDON_BODIES,
    **HOME_BODIES,
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
    "SentFile": {"yaml": YAML, "restore": False},
    "ServerReport": {key: value for key, value in USE.items() if key != "at"},
    "StartingServers": {"servers": [SERVER]},
    "KeepingServer": {"until": "2026-11-23T08:00:00Z", "note": "Training overnight."},
    "StoppingServers": {"servers": [SERVER], "reason": "Maintenance at noon."},
    "UserEdit": {"role": "operator"},
}
"""By the name of what is sent."""
