"""The shapes of documents, as the generated client of Kubernetes 1.36 knows them.

An API server drops fields that it does not know, treats null as absent, leaves out what is empty, and
refuses values of another type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kubernetes_asyncio import client

from .statuses import Document, bad_request

LIST = re.compile(r"^list\[(.*)\]$")
MAP = re.compile(r"^dict\(str, (.*)\)$")
SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "datetime": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}
GO = {"str": "string", "int": "int64", "float": "float64", "bool": "bool", "datetime": "Time"}
JSON = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
# Quantities may be written as numbers.
QUANTITIES = {"limits", "requests", "capacity", "allocatable", "hard", "used", "overhead"}
QUANTITY_FIELDS = {"sizeLimit", "divisor"}
# Pointers in Kubernetes' own types: an empty text has a meaning of its own.
EMPTY_MEANS = {"storageClassName"}
# Never left out, although empty.
KEPT_EMPTY = {"rules", "items", "hosts"}


@dataclass
class Reading:
    """What was met while a document was read."""

    kind: str
    unknown: list[str] = field(default_factory=list)


@cache
def fields_of(model: str) -> dict[str, str]:
    """The fields of a class of the client, as in JSON, with their types."""
    known = getattr(client, model)
    return {known.attribute_map[name]: type_ for name, type_ in known.openapi_types.items()}


def read(document: Document, model: str, kind: str) -> tuple[Document, list[str]]:
    """A document as the server keeps it, and the unknown fields that it had.

    Raises:
        ApiError: 400, a value has the wrong type.
    """
    reading = Reading(kind)
    return read_object(document, model, "", reading), reading.unknown


def read_object(value: Any, model: str, path: str, reading: Reading) -> Document:
    """Read the fields of an object of the client's class."""
    if not isinstance(value, dict):
        raise wrong_type(value, model.removeprefix("V1"), path, reading)
    known = fields_of(model)
    kept = {}
    for name, given in value.items():
        at = f"{path}.{name}" if path else name
        if name not in known:
            reading.unknown.append(at)
        elif given is not None:
            read_value = read_field(given, known[name], at, reading)
            if not left_out(name, read_value, known[name]):
                kept[name] = read_value
    return kept


def left_out(name: str, value: Any, type_: str) -> bool:
    """Whether an empty value is as good as none."""
    if value == "":
        return name not in EMPTY_MEANS
    if value in ({}, []):
        return name not in KEPT_EMPTY and (type_.startswith(("list[", "dict(")))
    return False


def read_field(value: Any, type_: str, path: str, reading: Reading) -> Any:
    """Read a value of a type of the client."""
    if match := LIST.match(type_):
        return read_list(value, match[1], path, reading)
    if match := MAP.match(type_):
        return read_map(value, match[1], path, reading)
    if type_ == "object":
        return value
    if type_ in SCALARS:
        return read_scalar(value, type_, path, reading)
    return read_object(value, type_, path, reading)


def read_list(value: Any, type_: str, path: str, reading: Reading) -> list[Any]:
    """Read each of a list."""
    if not isinstance(value, list):
        raise wrong_type(value, f"[]{GO.get(type_, type_.removeprefix('V1'))}", path, reading)
    return [read_field(one, type_, f"{path}[{index}]", reading) for index, one in enumerate(value)]


def read_map(value: Any, type_: str, path: str, reading: Reading) -> Document:
    """Read each value of a map."""
    if not isinstance(value, dict):
        raise wrong_type(value, f"map[string]{GO.get(type_, type_)}", path, reading)
    if path.rpartition(".")[2] in QUANTITIES:
        value = {key: as_quantity(one) for key, one in value.items()}
    return {key: read_field(one, type_, f"{path}.{key}", reading) for key, one in value.items()}


def as_quantity(value: Any) -> Any:
    """A number as the text that a quantity is kept as."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def read_scalar(value: Any, type_: str, path: str, reading: Reading) -> Any:
    """A text, number or truth value."""
    if path.rpartition(".")[2] in QUANTITY_FIELDS:
        value = as_quantity(value)
    fits = isinstance(value, SCALARS[type_]) and (type_ == "bool") is isinstance(value, bool)
    if not fits:
        raise wrong_type(value, GO[type_], path, reading)
    return value


def wrong_type(value: Any, wanted: str, path: str, reading: Reading) -> Exception:
    """400, in the words of Go's decoder."""
    given = JSON.get(type(value), "null")
    place = re.sub(r"\[\d+\]", "", path)
    return bad_request(
        f'{reading.kind} in version "v1" cannot be handled as a {reading.kind}: json: cannot '
        f"unmarshal {given} into Go struct field {reading.kind}.{place} of type {wanted}"
    )
