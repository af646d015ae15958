"""Lists: selected, cut into pages, with the version that they are true at."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping

from . import kinds
from .access import Asked
from .events import as_new_event
from .kinds import Kind
from .selectors import field_selector, label_selector
from .statuses import (
    Cause,
    Document,
    bad_request,
    expired,
    invalid,
    too_large,
    whole_number,
)
from .store import Store, address

EXPIRED_PAGE = (
    "The provided continue parameter is too old to display a consistent list result. You can start a "
    "new list without the continue parameter, or use the continue token in this response to retrieve "
    "the remainder of the results. Continuing with the provided token results in an inconsistent list "
    "- objects that were created, modified, or deleted between the time the first chunk was returned "
    "and now may show up in the list."
)
MATCHES = ("Exact", "NotOlderThan")


def selection(kind: Kind, asked: Asked, query: Mapping[str, str]) -> Callable[[Document], bool]:
    """Whether a document is meant by namespace and selectors.

    Raises:
        ApiError: 400, a selector cannot be read.
    """
    labelled = label_selector(query.get("labelSelector", ""))
    fielded = field_selector(
        query.get("fieldSelector", ""), kind.kind, new_events=kind is kinds.NEW_EVENTS
    )
    namespace = asked.namespace if kind.namespaced else ""
    name = asked.name

    def meant(document: Document) -> bool:
        metadata = document["metadata"]
        if namespace and metadata.get("namespace") != namespace:
            return False
        if name and metadata["name"] != name:
            return False
        return labelled(metadata.get("labels") or {}) and fielded(document)

    return meant


def version_of(store: Store, query: Mapping[str, str]) -> int:
    """The resourceVersion that is asked for; 0 where any will do.

    Raises:
        ApiError: 400, it is no number; 504, it has not come yet.
    """
    text = query.get("resourceVersion", "") or "0"
    if not text.isdecimal():
        cause = Cause(
            "FieldValueInvalid",
            "resourceVersion",
            f'Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax',
        )
        raise invalid("meta.k8s.io", "ListOptions", "", [cause])
    if int(text) > store.version:
        raise too_large(int(text), store.version)
    return int(text)


def listed(store: Store, kind: Kind, asked: Asked, query: Mapping[str, str]) -> Document:
    """A list, or a page of one.

    Raises:
        ApiError: 400, 410 or 504.
    """
    check_match(query)
    wanted = version_of(store, query)
    if query.get("resourceVersionMatch") == "Exact" and wanted < store.compacted:
        raise expired("The resourceVersion for the provided list is too old.")
    meant = selection(kind, asked, query)
    limit = whole_number(query, "limit")
    found = [one for one in store.all(kind) if meant(one)]
    metadata: Document = {"resourceVersion": str(store.version)}
    if query.get("continue"):
        version, start = read_page(query["continue"])
        if version < store.compacted:
            raise expired(EXPIRED_PAGE, {"continue": page(0, start)})
        metadata["resourceVersion"] = str(version or store.version)
        found = [one for one in found if address(one) > start]
    if 0 < limit < len(found):
        metadata["continue"] = page(int(metadata["resourceVersion"]), address(found[limit - 1]))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(found) - limit
        found = found[:limit]
    shown = [item(kind, one) for one in found]
    return {
        "kind": f"{kind.kind}List",
        "apiVersion": kind.api_version,
        "metadata": metadata,
        "items": shown,
    }


def item(kind: Kind, document: Document) -> Document:
    """A document in a list: its kind stands above."""
    shown = as_new_event(document) if kind is kinds.NEW_EVENTS else document
    if not kind.model:
        return shown
    return {key: value for key, value in shown.items() if key not in ("kind", "apiVersion")}


def check_match(query: Mapping[str, str]) -> None:
    """How a version is to be matched needs a version.

    Raises:
        ApiError: 422.
    """
    match = query.get("resourceVersionMatch")
    if match is None:
        return
    field = "resourceVersionMatch"
    if query.get("continue"):
        why = "Forbidden: resourceVersionMatch is forbidden when continue is provided"
    elif not query.get("resourceVersion"):
        why = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
    elif match not in MATCHES:
        why = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
    elif match == "Exact" and query["resourceVersion"] == "0":
        why = 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
    else:
        return
    raise invalid("meta.k8s.io", "ListOptions", "", [Cause("FieldValueForbidden", field, why)])


def page(version: int, after: tuple[str, str]) -> str:
    """The text that asks for what comes after."""
    kept = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": after})
    return base64.urlsafe_b64encode(kept.encode()).decode().rstrip("=")


def read_page(text: str) -> tuple[int, tuple[str, str]]:
    """Version and last address of a page before.

    Raises:
        ApiError: 400, it was not given out here.
    """
    try:
        kept = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        namespace, name = kept["start"]
        return int(kept["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError, binascii.Error) as problem:
        raise bad_request(f"continue key is not valid: {problem}") from problem
