"""YAML files read with the place of every value, so that each problem can be named with its line.

What a file may do to us is bounded: its size, its depth, and the values that its aliases expand to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

Place = tuple[str | int, ...]
"""The way to a value: keys of mappings and indexes of lists, from the top."""

MOST_BYTES = 2 * 2**20
"""The largest settings file: enough for tens of thousands of people."""
MOST_DEPTH = 20
MOST_VALUES = 200_000
"""Values in one file, with every alias counted as often as it is used."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a file. ``line`` counts from 1; ``key`` is empty for the whole file."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        """The problem as one line: ``file:line: key: what was expected``."""
        key = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {key}{self.message}"


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says, in plain values, with the line of each."""

    file: str
    value: dict[str, Any]
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...] = ()

    def nearest(self, place: Place) -> Place:
        """The longest beginning of a place that the file has."""
        while place and place not in self.lines:
            place = place[:-1]
        return place

    def problem(self, place: Place, message: str) -> Problem:
        """A problem at a place, or at the nearest thing above it that the file has."""
        return Problem(self.file, self.lines.get(self.nearest(place), 1), key_words(place), message)


def key_words(place: Place) -> str:
    """Write a place as people do: ``groups[0].shares``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part[:80]}"
    return text


def read_document(path: Path, *, name: str | None = None, most_bytes: int = MOST_BYTES) -> Document:
    """Read a YAML file, called ``name`` in what is said of it.

    What is wrong with it comes back as problems, all at once.
    """
    name = name or str(path)
    try:
        if not path.is_file():
            return _only(name, "there is no such file" if not path.exists() else "is not a file")
        with path.open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except OSError as error:
        return _only(name, f"cannot be read: {error.strerror}")
    return parse_document(content, name, most_bytes=most_bytes)


def parse_document(content: bytes, name: str, *, most_bytes: int = MOST_BYTES) -> Document:
    """Read YAML from bytes, as :func:`read_document` does; ``name`` stands for the file."""
    if len(content) > most_bytes:
        return _only(name, f"is larger than {most_bytes // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _only(name, "is not UTF-8 text", content.count(b"\n", 0, error.start) + 1)
    try:
        root = _compose(text)
    except YAMLError as error:
        line, message = _syntax(error, text)
        return _only(name, message, line)
    return _Builder(name).build(root)


def _only(name: str, message: str, line: int = 1) -> Document:
    return Document(name, {}, {}, (Problem(name, line, "", message),))


def _compose(text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MOST_DEPTH
    yaml.composer.warn_double_anchors = False  # legal YAML: the later one counts
    root: Node | None = yaml.compose(text)
    return root


def _syntax(error: YAMLError, text: str) -> tuple[int, str]:
    """The line in which a text stops being YAML that we read, and why."""
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return line, f"has the character U+{error.character:04X}, which YAML forbids"
    if not isinstance(error, MarkedYAMLError):
        return 1, f"is no YAML: {str(error)[:200]}"
    mark = error.problem_mark or error.context_mark
    line = 1 if mark is None else int(mark.line) + 1
    if isinstance(error, MaxDepthExceededError):
        return line, f"is nested deeper than {MOST_DEPTH} levels"
    problem = str(error.problem or error.context or "it cannot be parsed")
    if "'\\t'" in problem:
        problem = "a tab cannot indent; use spaces"
    if "another document" in problem:
        problem = "expected one document, found a second one after ---"
    return line, f"is no YAML: {problem}"


class _TooManyValuesError(Exception):
    """The aliases of a file expand to more than a settings file can need."""


class _Builder:
    """Turns YAML nodes into plain values, and notes the line of each and what is wrong."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[Place, int] = {}
        self._problems: list[Problem] = []
        self._open: set[int] = set()
        self._count = 0
        self._construct = YAML(typ="safe", pure=True).constructor

    def build(self, root: Node | None) -> Document:
        if root is None:  # an empty file: everything as it comes
            return Document(self._name, {}, {(): 1})
        try:
            value = self._value(root, ())
        except _TooManyValuesError:
            return _only(
                self._name, f"has more than {MOST_VALUES} values, with its aliases expanded"
            )
        if not isinstance(value, dict):
            if value is not None:
                self._wrong((), root, "expected keys and values, such as 'pools: [...]'")
            value = {}
        return Document(self._name, value, self._lines, tuple(self._problems))

    def _wrong(self, place: Place, node: Node, message: str) -> None:
        line = node.start_mark.line + 1
        self._problems.append(Problem(self._name, line, key_words(place), message))

    def _value(self, node: Node, place: Place) -> Any:
        self._count += 1
        if self._count > MOST_VALUES:
            raise _TooManyValuesError
        self._lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        if id(node) in self._open:
            self._wrong(place, node, "refers to itself")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return [self._value(item, (*place, index)) for index, item in enumerate(node.value)]
            return self._mapping(node, place) if isinstance(node, MappingNode) else None
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, place)
            if key is None:
                continue
            here = (*place, key)
            if key in result:
                first = self._lines[here]
                self._wrong(here, key_node, f"is given twice; the first is in line {first}")
                continue
            self._lines[here] = key_node.start_mark.line + 1
            result[key] = self._value(value_node, here)
        return result

    def _key(self, node: Node, place: Place) -> str | None:
        if _kind(node) == "merge":
            self._wrong(place, node, "'<<' is not understood here; write the keys out")
            return None
        if not isinstance(node, ScalarNode) or _kind(node) not in {"str", "timestamp"}:
            shown = f" {node.value[:60]}" if isinstance(node, ScalarNode) else ""
            self._wrong(place, node, f"expected text as a key, found{shown or ' a list or keys'}")
            return None
        return str(node.value)

    def _scalar(self, node: ScalarNode, place: Place) -> Any:
        kind = _kind(node)
        if kind in {"str", "timestamp"}:
            return str(node.value)
        if kind not in {"int", "float", "bool", "null"}:
            self._wrong(place, node, f"expected a plain value, found the YAML type {node.tag}")
            return None
        try:
            value = getattr(self._construct, f"construct_yaml_{kind}")(node)
        except (ValueError, OverflowError, KeyError):
            value = math.nan
        if isinstance(value, float) and not math.isfinite(value):
            self._wrong(place, node, f"expected {_EXPECTED[kind]}, found {node.value[:60]}")
            return None
        return value


_EXPECTED = {
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
    "null": "nothing",
}


def _kind(node: Node) -> str:
    """The last word of a node's type: ``int`` of ``tag:yaml.org,2002:int``."""
    tag = str(node.tag)
    return tag.rpartition(":")[2] if tag.startswith("tag:yaml.org,2002:") else tag
