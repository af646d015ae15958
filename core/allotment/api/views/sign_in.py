"""How people sign in, as a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from allotment.model import documents
from allotment.model.sign_on import MappedGroup
from allotment.record import Reading, credentials, sign_in
from allotment.settings.sign_on import LOCAL, SignIn

FIXED = (
    "All of this but the client's secret is in the settings file; a hub reads it when it starts. "
    "A secret that an operator gives stands until the settings hold a newer one."
)
FIXED_LOCAL = (
    "This is in the settings file, which a hub reads when it starts. Passwords are made in Users."
)


def sign_in_state(reading: Reading, said: SignIn, *, directory: bool) -> documents.SignInState:
    """What is active, and what hubs found of it."""
    if said.kind == LOCAL:
        return _local(said, directory=directory)
    return documents.SignInState(
        kind=said.kind,
        service=said.service or said.variant.service,
        issuer=said.provider_issuer,
        client_id=said.client_id,
        scopes=said.wanted_scopes,
        admits=said.admits,
        refresh_seconds=int(said.refresh.total_seconds()),
        confirm_within_seconds=int(said.confirm_within.total_seconds()),
        operators=said.operators,
        groups=tuple(_group(one) for one in said.mapping.groups),
        emergency_accounts=tuple(_account(reading, name) for name in said.local),
        client_secret=_secret(reading, said),
        hubs=tuple(_look(one) for one in sign_in.looks(reading)),
        directory=directory,
        fixed=FIXED,
    )


def _local(said: SignIn, *, directory: bool) -> documents.SignInState:
    return documents.SignInState(
        kind=said.kind,
        service=None,
        issuer=None,
        client_id=None,
        scopes=(),
        admits=None,
        refresh_seconds=None,
        confirm_within_seconds=None,
        operators=said.operators,
        groups=(),
        emergency_accounts=(),
        client_secret=None,
        hubs=(),
        directory=directory,
        fixed=FIXED_LOCAL,
    )


def _group(one: MappedGroup) -> documents.SignInGroup:
    if one.role is not None:
        return documents.SignInGroup(name=one.name, meaning=f"has the role {one.role}")
    verb = "leads" if one.lead else "is in"
    return documents.SignInGroup(name=one.name, meaning=f"{verb} {one.group}")


def _account(reading: Reading, name: str) -> documents.EmergencyAccount:
    found = credentials.get(reading, name)
    changed = None if found is None else found.changed_at
    return documents.EmergencyAccount(name=name, password_changed_at=changed)


def _secret(reading: Reading, said: SignIn) -> documents.ClientSecret:
    replaced = sign_in.replaced_secret(reading, said.provider_issuer, said.client_id or "")
    where = (
        f"the variable {said.client_secret_variable}"
        if said.client_secret_file is None
        else f"the file {said.client_secret_file}"
    )
    return documents.ClientSecret(
        settings=where,
        replaced_at=None if replaced is None else replaced.at,
        replaced_by=None if replaced is None else replaced.by,
    )


def _look(one: sign_in.Look) -> documents.SignInLook:
    found = one.found
    away = (str(found["away"]),) if found["away"] else ()
    return documents.SignInLook(
        hub=one.hub,
        at=one.at,
        succeeded_at=one.succeeded_at,
        issuer=found["issuer"],
        client_id=found["client_id"] or "",
        callback=found["callback"],
        replaced_secret=bool(found.get("replaced")),
        state=state_of(found),
        problems=(*found["problems"], *away),
        notes=tuple(found["notes"]),
    )


def state_of(found: Mapping[str, Any]) -> Literal["good", "wrong", "away"]:
    """What a look came to, in a word."""
    if found["problems"]:
        return "wrong"
    return "away" if found["away"] else "good"
