"""Filters of SCIM (RFC 7644, 3.4.2.2): read once, asked of each resource."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from allotment.api.scim.problems import ScimProblem

Question = Callable[[Mapping[str, Any]], bool]
LONGEST = 2000
"""Characters of a filter."""
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]"]+))"""
)
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, asked: found == asked,
    "ne": lambda found, asked: found != asked,
    "co": lambda found, asked: asked in found,
    "sw": lambda found, asked: found.startswith(asked),
    "ew": lambda found, asked: found.endswith(asked),
    "gt": lambda found, asked: found > asked,
    "ge": lambda found, asked: found >= asked,
    "lt": lambda found, asked: found < asked,
    "le": lambda found, asked: found <= asked,
}
_OF_TEXT = frozenset({"co", "sw", "ew"})
_OF_ORDER = frozenset({"gt", "ge", "lt", "le"})
_EXACT = frozenset({"id", "externalid"})
"""Attributes in which upper and lower case differ (RFC 7643: caseExact)."""
_MOST_DEPTH = 20


def read_filter(text: str) -> Question:
    """Understand a filter.

    Raises:
        ScimProblem: it cannot be understood.
    """
    if len(text) > LONGEST:
        raise _misread(f"it is longer than {LONGEST} characters")
    reader = _Reader(_tokens(text))
    question = reader.either(0)
    if reader.left:
        raise _misread(f"{reader.peek!r} is too much")
    return question


def _misread(why: str) -> ScimProblem:
    return ScimProblem(400, f"The filter cannot be understood: {why}.", "invalidFilter")


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise _misread(f"{stripped[at : at + 20]!r} is no word of one")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def left(self) -> bool:
        return self._at < len(self._tokens)

    @property
    def peek(self) -> str:
        return self._tokens[self._at] if self.left else ""

    def take(self) -> str:
        if not self.left:
            raise _misread("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def expect(self, mark: str) -> None:
        if self.take() != mark:
            raise _misread(f"{mark!r} is missing")

    def either(self, depth: int) -> Question:
        """``a or b``."""
        if depth > _MOST_DEPTH:
            raise _misread("it is nested too deeply")
        parts = [self._both(depth)]
        while self.peek.lower() == "or":
            self.take()
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda one: any(part(one) for part in parts)

    def _both(self, depth: int) -> Question:
        parts = [self._one(depth)]
        while self.peek.lower() == "and":
            self.take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda one: all(part(one) for part in parts)

    def _one(self, depth: int) -> Question:
        if self.peek.lower() == "not":
            self.take()
            inner = self._grouped(depth)
            return lambda one: not inner(one)
        if self.peek == "(":
            return self._grouped(depth)
        return self._comparison(depth)

    def _grouped(self, depth: int) -> Question:
        self.expect("(")
        inner = self.either(depth + 1)
        self.expect(")")
        return inner

    def _comparison(self, depth: int) -> Question:
        path = self.take()
        if self.peek == "[":
            self.take()
            inner = self.either(depth + 1)
            self.expect("]")
            return lambda one: any(
                inner(each) for each in values_of(one, path) if isinstance(each, Mapping)
            )
        operator = self.take().lower()
        if operator == "pr":
            return lambda one: _present(one, path)
        compare = _COMPARISONS.get(operator)
        if compare is None:
            raise _misread(f"{operator!r} is no comparison")
        return _asking(path, operator, compare, _literal(self.take()))


def _literal(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        raise _misread(f"{text!r} is no value; texts stand in double quotes") from None
    if isinstance(value, list | dict):
        raise _misread(f"{text!r} is no single value")
    return value


def _asking(path: str, operator: str, compare: Callable[[Any, Any], bool], asked: Any) -> Question:
    exact = path.rpartition(":")[2].lower() in _EXACT
    wanted = asked if exact or not isinstance(asked, str) else asked.lower()
    if operator in _OF_TEXT and not isinstance(asked, str):
        raise _misread(f"{operator} compares texts")
    if operator in _OF_ORDER and (
        isinstance(asked, bool) or not isinstance(asked, str | int | float)
    ):
        raise _misread(f"{operator} compares texts and numbers")
    if asked is None:  # what is null is what has no value (RFC 7643, 2.5)
        return lambda one: _present(one, path) is (operator == "ne")

    def question(one: Mapping[str, Any]) -> bool:
        found = _plain(one, path)
        if operator == "ne":
            return all(_folded(value, exact=exact) != wanted for value in found)
        return any(
            compare(_folded(value, exact=exact), wanted)
            for value in found
            if isinstance(value, type(asked))
        )

    return question


def _present(one: Mapping[str, Any], path: str) -> bool:
    """Whether a path leads to any value that is not empty."""
    return any(value is not None and value not in ("", [], {}) for value in _plain(one, path))


def _folded(value: Any, *, exact: bool) -> Any:
    return value.lower() if isinstance(value, str) and not exact else value


def _plain(one: Mapping[str, Any], path: str) -> list[Any]:
    """The values of a path; of something with parts, its ``value``."""
    return [
        each.get("value") if isinstance(each, Mapping) else each for each in values_of(one, path)
    ]


def values_of(one: Mapping[str, Any], path: str) -> list[Any]:
    """Every value that a path leads to; names are compared without regard to case."""
    found: list[Any] = [one]
    for part in without_schema(path).split("."):
        found = [value for each in found for value in _part(each, part)]
    return found


def without_schema(path: str) -> str:
    """A path without the schema that may stand before it."""
    return path.rpartition(":")[2] if path.lower().startswith("urn:") else path


def _part(each: Any, part: str) -> Iterable[Any]:
    if not isinstance(each, Mapping):
        return ()
    value = next((value for key, value in each.items() if key.lower() == part.lower()), None)
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
