"""Patches of SCIM (RFC 7644, 3.5.2): operations on a resource, which is not changed itself."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from allotment.api.scim.filtering import read_filter, without_schema
from allotment.api.scim.problems import ScimProblem

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST = 1000
"""Operations of one request."""
_FEW = 8
_PATH = re.compile(r"^(?P<name>[^\[\].]+)(?:\[(?P<filter>.*)\])?(?:\.(?P<part>[^\[\].]+))?$")
READ_ONLY = frozenset({"id", "meta", "groups", "schemas"})


def patched(resource: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The resource after all operations of a request, or none.

    Raises:
        ScimProblem: an operation cannot be understood, or changes what is read-only.
    """
    operations = _field(document, "Operations")
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST:
        message = f"A patch has 1 to {MOST} Operations."
        raise ScimProblem(400, message, "invalidSyntax")
    result = copy.deepcopy(dict(resource))
    for operation in operations:
        if not isinstance(operation, Mapping):
            raise ScimProblem(400, "An operation is an object.", "invalidSyntax")
        _operate(result, operation)
    return result


def _operate(result: dict[str, Any], operation: Mapping[str, Any]) -> None:
    kind = str(_field(operation, "op") or "").lower()
    path, value = _field(operation, "path"), _field(operation, "value")
    if kind not in {"add", "replace", "remove"}:
        raise ScimProblem(400, f"{kind[:40]!r} is no operation.", "invalidSyntax")
    if path:
        _at(result, kind, str(path), value)
        return
    if kind == "remove":
        raise ScimProblem(400, "To remove something takes its path.", "noTarget")
    if not isinstance(value, Mapping):
        raise ScimProblem(400, "Without a path the value names what changes.", "invalidValue")
    for name, each in value.items():
        _at(result, kind, name, each)


def _at(result: dict[str, Any], kind: str, path: str, value: Any) -> None:
    match = _PATH.match(without_schema(path) if "[" not in path else _short(path))
    if match is None:
        raise ScimProblem(400, f"The path {path[:80]!r} cannot be understood.", "invalidPath")
    name = _key(result, match["name"])
    if name.lower() in READ_ONLY:
        if (
            match["name"].lower() in {"schemas", "id", "meta"}
            and kind != "remove"
            and not match["part"]
        ):
            return  # what directories send along, and nothing changes by
        raise ScimProblem(400, f"{name} is read-only.", "mutability")
    if match["filter"] is not None:
        _matching(result, kind, name, match["filter"], match["part"], value)
    elif match["part"]:
        holder = result.get(name)
        inner = dict(holder) if isinstance(holder, Mapping) else {}
        _one(inner, kind, _key(inner, match["part"]), value)
        result[name] = inner
    else:
        _one(result, kind, name, value)


def _short(path: str) -> str:
    """A path with a filter, without the schema before its first name."""
    head, bracket, rest = path.partition("[")
    return without_schema(head) + bracket + rest


def _one(holder: dict[str, Any], kind: str, name: str, value: Any) -> None:
    if kind == "remove":
        # Some directories name the values that go in the operation's value.
        kept = _without(holder.get(name), value) if isinstance(value, list) else None
        if kept:
            holder[name] = kept
        else:
            holder.pop(name, None)
        return
    known = holder.get(name)
    if kind == "add" and isinstance(known, list):
        more = value if isinstance(value, list) else [value]
        holder[name] = [*known, *_new(known, more)]
    elif isinstance(known, Mapping) and isinstance(value, Mapping):
        holder[name] = {**known, **value}
    else:
        holder[name] = value


def _new(known: list[Any], more: list[Any]) -> list[Any]:
    """Those of several values that are not there yet. Of many, without comparing each with each."""
    if len(more) < _FEW:
        return [each for each in more if each not in known]
    there = {_canonical(each) for each in known}
    return [each for each in more if _canonical(each) not in there]


def _without(known: Any, gone: Iterable[Any]) -> list[Any]:
    ids = {_canonical(_value(each)) for each in gone}
    values = known if isinstance(known, list) else []
    return [each for each in values if _canonical(_value(each)) not in ids]


def _value(each: Any) -> Any:
    return each.get("value") if isinstance(each, Mapping) else each


def _canonical(value: Any) -> str:
    """A text that is the same for equal values, so that values without a hash can be looked up."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _matching(
    result: dict[str, Any], kind: str, name: str, condition: str, part: str | None, value: Any
) -> None:
    question = read_filter(condition)
    known = result.get(name)
    values: list[Any] = list(known) if isinstance(known, list) else []
    met = [isinstance(each, Mapping) and question(each) for each in values]
    if kind == "remove" and part is None:
        result[name] = [each for each, is_met in zip(values, met, strict=True) if not is_met]
        return
    if not any(met):
        if kind == "remove":
            return
        values, met = [*values, _from_condition(condition)], [*met, True]
    for index, is_met in enumerate(met):
        if is_met:
            each = dict(values[index])
            if part is not None:
                _one(each, kind, _key(each, part), value)
            elif isinstance(value, Mapping):
                each = each | dict(value)
            else:
                raise ScimProblem(400, f"{name} takes objects.", "invalidValue")
            values[index] = each
    result[name] = values


_SIMPLE = re.compile(r'^\s*([A-Za-z]+)\s+eq\s+"([^"\\]*)"\s*$')


def _from_condition(condition: str) -> dict[str, Any]:
    """What ``emails[type eq "work"]`` names where there is none yet: one of that type."""
    match = _SIMPLE.match(condition)
    if match is None:
        raise ScimProblem(400, "Nothing matches the path's filter.", "noTarget")
    return {match[1]: match[2]}


def _key(holder: Mapping[str, Any], name: str) -> str:
    return next((key for key in holder if key.lower() == name.lower()), name)


def _field(document: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)
