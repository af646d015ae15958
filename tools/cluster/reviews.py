"""Questions about access: who am I, may I, whose is this token."""

from __future__ import annotations

from .access import Asked, Roles, Tokens, User
from .kinds import Kind
from .registry import Registry
from .statuses import Document


class Reviews:
    """Answers reviews; nothing of them is kept."""

    def __init__(self, registry: Registry, tokens: Tokens, roles: Roles) -> None:
        self._registry = registry
        self._tokens = tokens
        self._roles = roles

    def review(self, kind: Kind, user: User, document: Document, namespace: str) -> Document:
        """A review, with its status."""
        spec = document.get("spec") or {}
        if kind.kind == "TokenReview":
            status = self._token(spec)
        elif kind.kind == "SelfSubjectReview":
            status = {"userInfo": shown(user)}
        elif kind.kind == "SelfSubjectRulesReview":
            status = self._rules(user, spec.get("namespace", ""))
        else:
            status = self._access(kind, user, spec, namespace)
        answered = {"kind": kind.kind, "apiVersion": kind.api_version}
        metadata = {"creationTimestamp": None} | (document.get("metadata") or {})
        spec = {"spec": spec} if spec else {}
        return answered | {"metadata": metadata} | spec | {"status": status}

    def _token(self, spec: Document) -> Document:
        token = self._tokens.find(spec.get("token", ""), self._registry.clock())
        audiences = spec.get("audiences") or []
        if token is None:
            why = "[invalid bearer token, token lookup failed]"
            return {"user": {}, "error": why}
        if audiences and token.audiences and not set(audiences) & set(token.audiences):
            return {"user": {}, "error": "[invalid bearer token, token audiences are invalid]"}
        status: Document = {"authenticated": True, "user": shown(token.user)}
        return status | ({"audiences": audiences} if audiences else {})

    def _access(self, kind: Kind, user: User, spec: Document, namespace: str) -> Document:
        if kind.kind != "SelfSubjectAccessReview":
            user = User(spec.get("user", ""), tuple(spec.get("groups") or ()))
        allowed = self._roles.may(user, asked_of(spec, namespace))
        return {"allowed": allowed} | ({} if allowed else {"reason": ""})

    def _rules(self, user: User, namespace: str) -> Document:
        rules = list(self._roles.rules(user, namespace))
        paths = [rule for rule in rules if rule.get("nonResourceURLs")]
        return {
            "resourceRules": [rule for rule in rules if rule.get("resources")],
            "nonResourceRules": paths,
            "incomplete": False,
        }


def asked_of(spec: Document, namespace: str) -> Asked:
    """What a review is about."""
    if "nonResourceAttributes" in spec:
        given = spec["nonResourceAttributes"]
        return Asked(given.get("verb", ""), path=given.get("path", ""))
    given = spec.get("resourceAttributes") or {}
    return Asked(
        given.get("verb", ""),
        given.get("group", ""),
        given.get("resource", ""),
        given.get("namespace", namespace),
        given.get("name", ""),
        given.get("subresource", ""),
    )


def shown(user: User) -> Document:
    """A user as reviews show them."""
    document: Document = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        document["uid"] = user.uid
    if user.extra:
        document["extra"] = user.extra
    return document
