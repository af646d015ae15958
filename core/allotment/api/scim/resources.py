"""People and the directory's groups as SCIM resources, and what is read from one that was sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allotment.api.scim.problems import ScimProblem
from allotment.api.scim.words import GROUP, KEPT, USER
from allotment.record.directory import DirectoryGroup, Entry

LARGEST = 16_000
"""Characters of what is kept of one user as it was sent."""
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class SentUser:
    """What a directory says of a user."""

    user_name: str
    external_id: str | None
    email: str
    active: bool
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentGroup:
    """What a directory says of a group. ``members`` are ids of users."""

    name: str
    external_id: str | None
    members: tuple[str, ...]


def user_resource(entry: Entry, groups: Collection[tuple[str, str]], base: str) -> dict[str, Any]:
    """A person as SCIM tells them."""
    said = entry.document
    resource: dict[str, Any] = {
        "schemas": [USER],
        "id": entry.id,
        "userName": said.get("userName", entry.person),
        "active": entry.active,
        "meta": _meta("User", f"{base}/Users/{entry.id}", entry.created_at, entry.changed_at),
    }
    resource |= {key: said[key] for key in KEPT if key in said}
    if entry.external_id:
        resource["externalId"] = entry.external_id
    if entry.email:
        resource["emails"] = [{"value": entry.email, "type": "work", "primary": True}]
    if groups:
        resource["groups"] = [
            {"value": key, "display": name, "$ref": f"{base}/Groups/{key}"} for key, name in groups
        ]
    return resource


def group_resource(group: DirectoryGroup, base: str) -> dict[str, Any]:
    """A group of the directory as SCIM tells it."""
    resource: dict[str, Any] = {
        "schemas": [GROUP],
        "id": group.id,
        "displayName": group.name,
        "members": [
            {"value": key, "display": person, "type": "User", "$ref": f"{base}/Users/{key}"}
            for key, person in group.members
        ],
        "meta": _meta("Group", f"{base}/Groups/{group.id}", group.created_at, group.changed_at),
    }
    if group.external_id:
        resource["externalId"] = group.external_id
    return resource


def _meta(kind: str, location: str, created: datetime, changed: datetime) -> dict[str, str]:
    return {
        "resourceType": kind,
        "created": created.isoformat().replace("+00:00", "Z"),
        "lastModified": changed.isoformat().replace("+00:00", "Z"),
        "location": location,
    }


def read_user(document: Mapping[str, Any]) -> SentUser:
    """What a directory says of a user. What is not known is left aside (RFC 7644, 3.3).

    Raises:
        ScimProblem: the name is missing, or something has the wrong shape.
    """
    known = {key.lower(): value for key, value in document.items()}
    kept = {key: known[key.lower()] for key in KEPT if key.lower() in known}
    name = _text(known, "userName", required=True)
    if len(json.dumps(kept)) > LARGEST:
        raise ScimProblem(400, f"A user has at most {LARGEST} characters.", "invalidValue")
    return SentUser(
        user_name=name,
        external_id=_text(known, "externalId") or None,
        email=_email(known.get("emails")),
        active=_truth(known.get("active", True)),
        document=kept | {"userName": name},
    )


def read_group(document: Mapping[str, Any]) -> SentGroup:
    """What a directory says of a group.

    Raises:
        ScimProblem: the name is missing, or something has the wrong shape.
    """
    known = {key.lower(): value for key, value in document.items()}
    members = known.get("members") or []
    if not isinstance(members, list):
        raise ScimProblem(400, "members is a list.", "invalidValue")
    ids = [one.get("value") if isinstance(one, Mapping) else one for one in members]
    if not all(isinstance(one, str) for one in ids):
        raise ScimProblem(400, "Each member has a value: the user's id.", "invalidValue")
    return SentGroup(
        name=_text(known, "displayName", required=True),
        external_id=_text(known, "externalId") or None,
        members=tuple(dict.fromkeys(str(one) for one in ids)),
    )


def _text(known: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    value = known.get(name.lower())
    if value is None and not required:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        message = f"{name} is a text of up to {_LONGEST} characters."
        raise ScimProblem(400, message, "invalidValue")
    if required and not value.strip():
        raise ScimProblem(400, f"{name} is needed.", "invalidValue")
    return value.strip()


def _email(emails: Any) -> str:
    if not emails:
        return ""
    if not isinstance(emails, list):
        raise ScimProblem(400, "emails is a list.", "invalidValue")
    values = [one for one in emails if isinstance(one, Mapping) and one.get("value")]
    chosen = next((one for one in values if one.get("primary")), values[0] if values else None)
    return str(chosen["value"]) if chosen else ""


def _truth(value: Any) -> bool:
    """Whether somebody is active; some directories write it as a text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise ScimProblem(400, "active is true or false.", "invalidValue")
