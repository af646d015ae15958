"""What the platform says of itself to directories: its schemas, resource types and abilities (RFC 7643, 5 to 7)."""

from __future__ import annotations

from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
PAGE = 200
"""Resources of one page, at most."""
KEPT = (
    "name",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "phoneNumbers",
)
"""What of a user is kept as it was sent, and nothing happens by it."""


def _attribute(  # noqa: PLR0913 - what RFC 7643 says of an attribute
    name: str,
    words: str,
    kind: str = "string",
    *,
    many: bool = False,
    required: bool = False,
    changes: str = "readWrite",
    unique: str = "none",
    exact: bool = False,
    parts: tuple[dict[str, Any], ...] = (),
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": name,
        "type": kind,
        "multiValued": many,
        "description": words,
        "required": required,
        "mutability": changes,
        "returned": "default",
    }
    if kind == "string":
        said |= {"caseExact": exact, "uniqueness": unique}
    if parts:
        said["subAttributes"] = list(parts)
    return said


_VALUE = _attribute("value", "The value")
_KIND = _attribute("type", "What kind of value it is")
_PRIMARY = _attribute("primary", "Whether it is the one to use", "boolean")
_DISPLAY = _attribute("display", "How it is shown")
_EXTERNAL = _attribute("externalId", "The directory's own id", exact=True)
_USER_ATTRIBUTES = (
    _attribute(
        "userName", "What the directory calls them", required=True, unique="server"
    ),
    _EXTERNAL,
    _attribute(
        "name",
        "The parts of the name",
        "complex",
        parts=tuple(_attribute(part, part) for part in ("formatted", "givenName", "familyName")),
    ),
    *(_attribute(name, name) for name in KEPT if name not in {"name", "phoneNumbers"}),
    _attribute(
        "emails", "Where notices are sent: the primary, else the first", "complex", many=True,
        parts=(_VALUE, _KIND, _PRIMARY),
    ),
    _attribute("phoneNumbers", "Kept as sent", "complex", many=True, parts=(_VALUE, _KIND)),
    _attribute("active", "Whether they are here; false lets them go", "boolean"),
    _attribute(
        "groups", "The directory's groups they are in", "complex", many=True,
        changes="readOnly", parts=(_VALUE, _DISPLAY),
    ),
)  # fmt: skip
_GROUP_ATTRIBUTES = (
    _attribute(
        "displayName",
        "The group's name, by which the settings map it",
        required=True,
        unique="server",
    ),
    _EXTERNAL,
    _attribute("members", "Who is in it", "complex", many=True, parts=(_VALUE, _DISPLAY, _KIND)),
)


def service_provider(base: str) -> dict[str, Any]:
    """What a directory may rely on."""
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": PAGE},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": False},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Service account",
                "description": "The token of a service account, as Authorization: Bearer",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base}/ServiceProviderConfig",
        },
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    """Users and groups."""
    return [
        {
            "schemas": [_TYPE],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "description": words,
            "schema": schema,
            "meta": {
                "resourceType": "ResourceType",
                "location": f"{base}/ResourceTypes/{name}",
            },
        }
        for name, schema, words in (
            ("User", USER, "A person of the platform"),
            ("Group", GROUP, "A group of the directory, which the settings map"),
        )
    ]


def schemas(base: str) -> list[dict[str, Any]]:
    """What users and groups consist of."""
    return [
        {
            "schemas": [_SCHEMA],
            "id": schema,
            "name": name,
            "description": f"{name}s",
            "attributes": list(attributes),
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema}"},
        }
        for name, schema, attributes in (
            ("User", USER, _USER_ATTRIBUTES),
            ("Group", GROUP, _GROUP_ATTRIBUTES),
        )
    ]
