"""Who asks, by their token, and what they may (RBAC)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from . import kinds
from .statuses import ApiError, Document, forbidden, unauthorized
from .store import Store

ADMINISTRATORS = "system:masters"
EVERYBODY = "system:authenticated"
NOBODY = "system:unauthenticated"


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: dict[str, list[str]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", (NOBODY,))
ADMINISTRATOR = User("kubernetes-admin", (ADMINISTRATORS, EVERYBODY))


@dataclass(frozen=True)
class Asked:
    """What is asked for: a verb on a resource, or on a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    path: str = ""

    @property
    def what(self) -> str:
        """``pods``, ``pods/log``."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True)
class Token:
    """A token that was given out, to whom, until when, and for which pod (uid) if for one."""

    user: User
    until: datetime | None = None
    namespace: str = ""
    account_uid: str = ""
    pod: str = ""
    pod_uid: str = ""
    audiences: tuple[str, ...] = ()


def account_user(namespace: str, name: str, uid: str = "") -> User:
    """A service account as a user."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", EVERYBODY)
    return User(f"system:serviceaccount:{namespace}:{name}", groups, uid)


class Tokens:
    """The tokens that are known."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, Token] = {}

    def give(self, token: Token) -> str:
        """A new text for a token."""
        text = secrets.token_urlsafe(32)
        self._known[text] = token
        return text

    def revoke(self, text: str) -> None:
        """No longer know a token."""
        self._known.pop(text, None)

    def read(self, header: str, now: datetime) -> User:
        """Who sends an Authorization header.

        Raises:
            ApiError: 401, a token that is not known, has ended, or whose account or pod is gone.
        """
        if not header:
            return ANONYMOUS
        token = self.find(header.partition(" ")[2], now)
        if token is None:
            raise unauthorized()
        return token.user

    def find(self, text: str, now: datetime) -> Token | None:
        """What is known of a token that holds."""
        token = self._known.get(text)
        if token is None or (token.until is not None and token.until <= now):
            return None
        return token if self._holds(token) else None

    def _holds(self, token: Token) -> bool:
        if not token.account_uid:
            return True
        name = token.user.name.rpartition(":")[2]
        account = self._store.find(kinds.SERVICE_ACCOUNTS, token.namespace, name)
        if account is None or account["metadata"]["uid"] != token.account_uid:
            return False
        if not token.pod:
            return True
        pod = self._store.find(kinds.PODS, token.namespace, token.pod)
        return pod is not None and pod["metadata"]["uid"] == token.pod_uid


class Roles:
    """What users may, by roles and bindings (RBAC)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[tuple[str, Asked]] = []

    def require(self, user: User, asked: Asked) -> None:
        """Let a user do what a role allows.

        Raises:
            ApiError: 403.
        """
        self.calls.append((user.name, asked))
        if not self.may(user, asked):
            raise self._refusal(user, asked)

    def may(self, user: User, asked: Asked) -> bool:
        """Whether any role of a user allows what is asked."""
        if ADMINISTRATORS in user.groups:
            return True
        return any(allows(rule, asked) for rule in self.rules(user, asked.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Document]:
        """The rules that hold for a user, everywhere and in a namespace."""
        for binding in self._store.all(kinds.CLUSTER_ROLE_BINDINGS):
            if names(binding, user):
                yield from self._rules_of(binding, "")
        if namespace:
            for binding in self._store.all(kinds.ROLE_BINDINGS, namespace):
                if names(binding, user):
                    yield from self._rules_of(binding, namespace)

    def _rules_of(self, binding: Document, namespace: str) -> list[Document]:
        reference = binding["roleRef"]
        kind = kinds.ROLES if reference["kind"] == "Role" else kinds.CLUSTER_ROLES
        role = self._store.find(kind, namespace, reference["name"])
        return (role or {}).get("rules") or []

    def _refusal(self, user: User, asked: Asked) -> ApiError:
        if asked.path:
            why = f'User "{user.name}" cannot {asked.verb} path "{asked.path}"'
            return ApiError(403, "Forbidden", f"forbidden: {why}", {})
        scope = (
            f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
        )
        why = (
            f'User "{user.name}" cannot {asked.verb} resource "{asked.what}" '
            f'in API group "{asked.group}" {scope}'
        )
        return forbidden(asked.group, asked.resource, asked.name, why)


def names(binding: Document, user: User) -> bool:
    """Whether a binding is for a user."""
    for subject in binding.get("subjects") or []:
        kind, name = subject["kind"], subject["name"]
        if kind == "ServiceAccount":
            name = f"system:serviceaccount:{subject['namespace']}:{name}"
        if (kind == "Group" and name in user.groups) or (kind != "Group" and name == user.name):
            return True
    return False


def allows(rule: Document, asked: Asked) -> bool:
    """Whether one rule allows what is asked."""
    if not among(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(path_fits(path, asked.path) for path in rule.get("nonResourceURLs") or [])
    if not among(rule.get("apiGroups"), asked.group):
        return False
    resources = rule.get("resources") or []
    any_part = f"*/{asked.subresource}" if asked.subresource else "*"
    if not ({"*", asked.what, any_part} & set(resources)):
        return False
    wanted = rule.get("resourceNames") or []
    return not wanted or asked.name in wanted


def among(given: list[str] | None, value: str) -> bool:
    """Whether a value is named, or all are."""
    return value in (given or []) or "*" in (given or [])


def path_fits(allowed: str, path: str) -> bool:
    """``/healthz``, ``/api/*``."""
    if allowed.endswith("*"):
        return path.startswith(allowed[:-1])
    return path == allowed
