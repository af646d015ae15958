"""The three patches of the API: JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge."""

from __future__ import annotations

from typing import Any

from .statuses import ApiError, Document, bad_request, unsupported_media_type
from .store import clone

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

# By what the entries of a list are told apart, by the list's name; other lists are replaced whole.
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "secrets": "name",
    "conditions": "type",
    "ownerReferences": "uid",
    "hostAliases": "ip",
    "schedulingGates": "name",
    "resourceClaims": "name",
    "podIPs": "ip",
    "hostIPs": "ip",
    "addresses": "type",
    "topologySpreadConstraints": "topologyKey",
}
PORTS = {"containerPort", "port"}
# Lists of plain values that are joined instead of replaced.
JOINED = {"finalizers", "podCIDRs"}


def patched(document: Document, patch: Any, content_type: str) -> Document:
    """A document with a patch applied.

    Raises:
        ApiError: 400 or 422, the patch does not apply; 415, not a kind of patch.
    """
    if content_type == JSON_PATCH:
        return json_patched(document, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map")
    if content_type == MERGE_PATCH:
        return dict(merged(document, patch))
    if content_type == STRATEGIC:
        return strategic(document, patch)
    raise unsupported_media_type([JSON_PATCH, MERGE_PATCH, APPLY, STRATEGIC])


def merged(document: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return clone(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def strategic(document: Any, patch: Document) -> Document:
    """Like a merge, but lists with known keys are merged entry by entry."""
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if key.startswith("$"):
            directive(result, key, value)
        elif value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = strategic(result.get(key), value)
        elif isinstance(value, list):
            result[key] = merged_list(key, result.get(key) or [], value)
        else:
            result[key] = value
    return result


def directive(result: Document, key: str, value: Any) -> None:
    """``$deleteFromPrimitiveList/finalizers``, ``$retainKeys``; orders of lists are not kept."""
    if key.startswith("$deleteFromPrimitiveList/"):
        name = key.partition("/")[2]
        result[name] = [one for one in result.get(name) or [] if one not in value]
    elif key == "$retainKeys":
        for name in [name for name in result if name not in value]:
            del result[name]


def merged_list(name: str, have: list[Any], given: list[Any]) -> list[Any]:
    """Merge a list by its key, join it, or replace it."""
    if name in JOINED:
        return have + [one for one in given if one not in have]
    key = MERGE_KEYS.get(name) or port_key(name, given)
    if key is None or any(one == {"$patch": "replace"} for one in given):
        return [one for one in given if one != {"$patch": "replace"}]
    result = list(have)
    for one in given:
        merge_entry(result, key, one)
    return result


def port_key(name: str, given: list[Any]) -> str | None:
    """Ports of containers and of services have keys of different names."""
    if name != "ports":
        return None
    return next((key for key in PORTS for one in given if key in one), None)


def merge_entry(result: list[Any], key: str, one: Document) -> None:
    """Put an entry in the place of the one with its key, or behind all."""
    if key not in one:
        raise bad_request(f"map: {one} does not contain declared merge key: {key}")
    at = next((index for index, old in enumerate(result) if old.get(key) == one[key]), None)
    if one.get("$patch") == "delete":
        if at is not None:
            del result[at]
    elif at is None:
        result.append(strategic({}, one))
    else:
        result[at] = strategic(result[at], one)


def json_patched(document: Document, operations: Any) -> Document:
    """RFC 6902."""
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch"
        )
    result: Any = clone(document)
    for operation in operations:
        try:
            result = operated(result, operation)
        except (KeyError, IndexError, ValueError, TypeError) as problem:
            raise refused(operation, problem) from problem
    return dict(result)


def refused(operation: Document, problem: Exception) -> ApiError:
    """422, as the server says it."""
    path, name = operation.get("path", ""), operation.get("op", "")
    if isinstance(problem, AssertionError):
        why = f"testing value {path} failed: test failed"
    else:
        why = f"{name} operation does not apply: doc is missing path: {path}: missing value"
    return ApiError(
        422, "Invalid", f"the server rejected our request due to an error in our request: {why}"
    )


def operated(document: Any, operation: Document) -> Any:
    """One operation."""
    name, path = operation["op"], steps(operation["path"])
    if name == "add":
        put(document, path, clone(operation["value"]), insert=True)
    elif name == "replace":
        at(document, path)
        put(document, path, clone(operation["value"]), insert=False)
    elif name == "remove":
        take(document, path)
    elif name == "test":
        if at(document, path) != operation["value"]:
            raise ValueError(operation["path"])
    elif name in ("move", "copy"):
        source = steps(operation["from"])
        value = take(document, source) if name == "move" else clone(at(document, source))
        put(document, path, value, insert=True)
    else:
        raise ValueError(name)
    return document


def steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def at(document: Any, path: list[str]) -> Any:
    """The value at a pointer."""
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def put(document: Any, path: list[str], value: Any, *, insert: bool) -> None:
    """Set the value at a pointer; into a list it is inserted, or replaces."""
    holder, last = at(document, path[:-1]), path[-1]
    if not isinstance(holder, list):
        holder[last] = value
    elif insert:
        holder.insert(len(holder) if last == "-" else int(last), value)
    else:
        holder[int(last)] = value


def take(document: Any, path: list[str]) -> Any:
    """Remove the value at a pointer, and return it."""
    holder, last = at(document, path[:-1]), path[-1]
    return holder.pop(int(last) if isinstance(holder, list) else last)
