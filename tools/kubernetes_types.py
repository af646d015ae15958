"""Manifests checked against Kubernetes' own types, as its generated client knows them.

The client reads leniently: it passes over keys that it does not know, and says nothing of a number
where a text belongs. This walks a document beside the types and says what an API server would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubernetes_asyncio.client import models

_SCALARS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "object": object,
    "datetime": str,
}
_VERSION = {
    ("v1", kind): f"V1{kind}"
    for kind in (
        "ConfigMap",
        "Namespace",
        "PersistentVolumeClaim",
        "Pod",
        "Secret",
        "Service",
        "ServiceAccount",
    )
}


def misfits(document: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a manifest, each with its path; nothing where an API server would take it."""
    kind = str(document.get("kind"))
    version = str(document.get("apiVersion")).rpartition("/")[2]
    model = getattr(models, _VERSION.get((version, kind), f"{version.capitalize()}{kind}"), None)
    if model is None:
        yield f"{kind}: no kind of apiVersion {document.get('apiVersion')}"
        return
    yield from _object(model, document, kind)


def value_misfits(kind: str, value: Any, path: str) -> Iterator[str]:
    """What is wrong with a part of a manifest; ``kind`` is its type as the client names it: ``list[V1Volume]``."""
    yield from _value(kind, value, path)


def _object(model: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: expected an object"
        return
    names = {written: own for own, written in model.attribute_map.items()}
    for key, inner in value.items():
        if key in names:
            yield from _value(model.openapi_types[names[key]], inner, f"{path}.{key}")
        else:
            yield f"{path}.{key}: unknown"
    try:
        model(**{names[key]: True for key in value if key in names})  # it looks for what is needed
    except ValueError as error:
        yield f"{path}: {error}"


def _value(kind: str, value: Any, path: str) -> Iterator[str]:
    found = re.fullmatch(r"(list|dict)[\[(](?:str, )?(.+)[\])]", kind)
    if found and found[1] == "list":
        if not isinstance(value, list):
            yield f"{path}: expected a list"
            return
        for number, each in enumerate(value):
            yield from _value(found[2], each, f"{path}[{number}]")
    elif found:
        if not isinstance(value, dict):
            yield f"{path}: expected an object"
            return
        for key, each in value.items():
            yield from _value(found[2], each, f"{path}.{key}")
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (kind == "int" and isinstance(value, bool)):
            yield f"{path}: expected {kind}, found {value!r}"
    else:
        yield from _object(getattr(models, kind), value, path)
