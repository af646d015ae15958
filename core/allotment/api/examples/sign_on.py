"""Examples of service accounts, of leaving, and of what is known from a provider."""

from __future__ import annotations

from typing import Any

from allotment.api.examples.things import AT, EARLIER, SERVER

ACCOUNT = {
    "name": "directory",
    "permissions": ["manage-people", "manage-roles", "stop-servers"],
    "effective": ["manage-people", "manage-roles", "stop-servers"],
    "note": "The company's directory",
    "maker": "operator",
    "created_at": EARLIER,
    "expires_at": "2027-11-22T00:00:00Z",
    "used_at": AT,
    "state": "active",
}
SIGN_ON_ANSWERS: dict[str, Any] = {
    "ServiceAccountListing": {"items": [ACCOUNT], "next": None, "sequence": 4711},
    "ServiceAccountToken": {
        "account": {**ACCOUNT, "used_at": None},
        "token": "allotment-sa-told-only-here",
    },
    "Leaving": {
        "person": "analyst-2",
        "role": "data-scientist",
        "groups": ["vision"],
        "servers": [SERVER.replace("analyst-1", "analyst-2")],
        "tickets": 1,
        "reservations": 0,
        "service_accounts": [],
        "datasets": 2,
        "models": 0,
        "heir": "analyst-1",
        "left_at": None,
        "words": [
            "analyst-2 can sign in no more; passwords, tokens and sharing of servers end.",
            "analyst-2 leaves vision, and loses their data at once.",
            "1 server is stopped: train.",
            "1 place in the queue is given up.",
            "2 datasets analyst-1 owns then; who may use them stays.",
            "The home is moved to analyst-1. What analyst-2 did stays in the record.",
        ],
    },
    "MappingForesight": {
        "changes": [
            {
                "person": "analyst-1",
                "kind": "group",
                "name": "vision",
                "gains": True,
                "sentence": "analyst-1 gains the membership in vision.",
            }
        ],
        "unknown_groups": ["audio"],
        "unknown_roles": [],
        "notes": ["These groups are not here yet, and give nothing until they are: audio."],
    },
    "SignInState": {
        "kind": "oidc",
        "service": "Example account",
        "issuer": "https://login.example.org",
        "client_id": "allotment",
        "scopes": ["openid", "profile", "email"],
        "admits": "groups",
        "refresh_seconds": 900,
        "confirm_within_seconds": 43200,
        "operators": ["operator"],
        "groups": [
            {"name": "platform", "meaning": "has the role operator"},
            {"name": "ml-vision", "meaning": "is in vision"},
        ],
        "emergency_accounts": [{"name": "rescue", "password_changed_at": EARLIER}],
        "client_secret": {
            "settings": "the variable ALLOTMENT_SIGN_IN_SECRET",
            "replaced_at": AT,
            "replaced_by": "operator",
        },
        "hubs": [
            {
                "hub": "hub",
                "at": AT,
                "succeeded_at": AT,
                "issuer": "https://login.example.org",
                "client_id": "allotment",
                "callback": "https://jupyter.example.org/hub/oauth_callback",
                "replaced_secret": True,
                "state": "good",
                "problems": [],
                "notes": [],
            }
        ],
        "directory": False,
        "fixed": "All of this but the client's secret is in the settings file; a hub reads it when it starts. "
        "A secret that an operator gives stands until the settings hold a newer one.",
    },
    "Link": {
        "person": "analyst-1",
        "provider_name": "ana.lyst@example.org",
        "until": "2026-11-29T14:02:11Z",
    },
    "ProviderAccounts": {
        "person": "analyst-1",
        "accounts": [
            {
                "issuer": "https://login.example.org",
                "subject": "5f2c1a9e",
                "name": "ana.lyst@example.org",
                "confirmed_at": AT,
            }
        ],
        "groups": ["ml-vision", "staff"],
        "confirmed_until": "2026-11-23T02:02:11Z",
    },
}
SIGN_ON_BODIES: dict[str, dict[str, Any]] = {
    "NewServiceAccount": {
        "name": "directory",
        "permissions": ["manage-people", "manage-roles", "stop-servers"],
        "expires_at": "2027-11-22T00:00:00Z",
        "note": "The company's directory",
    },
    "NewClientSecret": {"secret": "what-the-provider-made"},
    "LetGo": {"reason": "The contract ends.", "heir": "analyst-1"},
    "PromisedLink": {"provider_name": "ana.lyst@example.org"},
    "MappingFile": {
        "yaml": "sign_in:\n  kind: oidc\n  issuer: https://login.example.org\n"
        "  groups:\n  - {name: ml-vision, group: vision}\n"
    },
}
