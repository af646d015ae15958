"""What an address and a method ask for, as the API server reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .access import Asked
from .kinds import Kind
from .statuses import method_not_allowed, no_such_path

SINGLE = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
MANY = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
TRUE = ("true", "1", "t", "True", "TRUE")


@dataclass(frozen=True)
class Address:
    """A verb on a kind; no kind where there is none (``/version``)."""

    kind: Kind | None
    asked: Asked

    @property
    def verb(self) -> str:
        """``get``, ``list``, ``watch`` and their like."""
        return self.asked.verb


def address_of(method: str, path: str, query: Mapping[str, str], catalogue: list[Kind]) -> Address:
    """Read an address.

    Raises:
        ApiError: 404, it serves nothing; 405, not by this method.
    """
    parts = [part for part in path.split("/") if part]
    group, version, rest = split(parts)
    if not rest:
        return Address(None, Asked(method.lower(), path=path))
    watch = rest[0] == "watch"
    rest = rest[1:] if watch else rest
    namespace, rest = namespace_of(rest)
    if not rest:
        raise no_such_path()
    resource, name, part = (*rest, "", "")[:3]
    verb = verb_of(method, name, part)
    if verb in ("list", "get") and (watch or (query.get("watch", "") in TRUE and not name)):
        verb = "watch"
    kind = kind_of(catalogue, group, version, resource)
    if kind is not None and not served(kind, namespace, name, part):
        kind = None
    if kind is not None and kind.namespaced and not namespace and method == "POST":
        raise method_not_allowed()
    return Address(kind, Asked(verb, group, resource, namespace, name, part))


def served(kind: Kind, namespace: str, name: str, part: str) -> bool:
    """Whether a kind has such an address."""
    if namespace and not kind.namespaced and kind.plural != "namespaces":
        return False
    if kind.namespaced and name and not namespace:
        return False
    return not part or part in kind.subresources


def split(parts: list[str]) -> tuple[str, str, list[str]]:
    """Group, version and the rest, where an address is of a resource."""
    if parts[:1] == ["api"] and len(parts) > 2:  # noqa: PLR2004 - /api/v1/pods
        return "", parts[1], parts[2:]
    if parts[:1] == ["apis"] and len(parts) > 3:  # noqa: PLR2004 - /apis/group/v1/leases
        return parts[1], parts[2], parts[3:]
    return "", "", []


def namespace_of(rest: list[str]) -> tuple[str, list[str]]:
    """The namespace, and what is asked in it; a namespace itself is in itself."""
    if rest[:1] != ["namespaces"] or len(rest) == 1:
        return "", rest
    if len(rest) == 2 or rest[2] in ("finalize", "status"):  # noqa: PLR2004 - namespaces/NAME
        return rest[1], rest
    return rest[1], rest[2:]


def kind_of(catalogue: list[Kind], group: str, version: str, plural: str) -> Kind | None:
    """The kind that is served there."""
    for kind in catalogue:
        if (kind.group, kind.version, kind.plural) == (group, version, plural):
            return kind
    return None


def verb_of(method: str, name: str, part: str) -> str:
    """The verb of a method."""
    if part and method == "POST":
        return "create"
    verbs = SINGLE if name else MANY
    if method not in verbs:
        raise method_not_allowed()
    return verbs[method]
