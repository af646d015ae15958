"""Nobody gives away rights that they do not have: what RBAC refuses to who writes roles."""

from __future__ import annotations

import json
from collections.abc import Iterator

from . import kinds
from .access import Asked, Roles, User
from .kinds import Kind
from .statuses import Document, forbidden
from .store import Store


def check(roles: Roles, store: Store, user: User, kind: Kind, document: Document) -> None:
    """Refuse a role, or a binding to one, with more than its writer may.

    Raises:
        ApiError: 403.
    """
    namespace = document["metadata"].get("namespace", "")
    if kind in (kinds.ROLES, kinds.CLUSTER_ROLES):
        rules, verb, name = (
            document.get("rules") or [],
            "escalate",
            document["metadata"].get("name", ""),
        )
        resource = kind.plural
    elif kind in (kinds.ROLE_BINDINGS, kinds.CLUSTER_ROLE_BINDINGS):
        reference = {"kind": "", "name": ""} | (document.get("roleRef") or {})
        role = kinds.ROLES if reference["kind"] == "Role" else kinds.CLUSTER_ROLES
        found = store.find(role, namespace, reference["name"]) or {}
        rules, verb, name = found.get("rules") or [], "bind", reference["name"]
        resource = role.plural
    else:
        return
    if roles.may(user, Asked(verb, kinds.RBAC, resource, namespace, name)):
        return
    missing = [rule for rule in rules if not has(roles, user, namespace, rule)]
    if missing:
        listed = "\n".join(json.dumps(rule, sort_keys=True) for rule in missing)
        groups = json.dumps(list(user.groups))
        why = (
            f'user "{user.name}" (groups={groups}) is attempting to grant RBAC permissions not '
            f"currently held:\n{listed}"
        )
        raise forbidden(kind.group, kind.plural, document["metadata"].get("name", ""), why)


def has(roles: Roles, user: User, namespace: str, rule: Document) -> bool:
    """Whether a user may all that a rule allows."""
    return all(roles.may(user, asked) for asked in asked_by(rule, namespace))


def asked_by(rule: Document, namespace: str) -> Iterator[Asked]:
    """All that a rule allows, one by one."""
    for verb in rule.get("verbs") or []:
        for path in rule.get("nonResourceURLs") or []:
            yield Asked(verb, path=path)
        for group in rule.get("apiGroups") or []:
            for what in rule.get("resources") or []:
                resource, _, part = what.partition("/")
                for name in rule.get("resourceNames") or [""]:
                    yield Asked(verb, group, resource, namespace, name, part)
