"""Label selectors and field selectors, as they stand in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .statuses import Document, bad_request

Labels = Mapping[str, str]
SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
EQUAL = re.compile(
    r"^\s*(?P<key>[^\s!=,()<>]+)\s*(?P<operator>==|!=|=|>|<)\s*(?P<value>[^\s,()=!]*)\s*$"
)
EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s!=,()<>]+)\s*$")
OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")


def label_selector(text: str) -> Callable[[Labels], bool]:
    """Whether labels are meant by a selector.

    Raises:
        ApiError: 400, it cannot be read.
    """
    wanted = [requirement(part, text) for part in OUTSIDE_BRACKETS.split(text) if part.strip()]
    return lambda labels: all(one(labels) for one in wanted)


def requirement(part: str, text: str) -> Callable[[Labels], bool]:
    """One of the terms of a selector."""
    if match := SET.match(part):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["operator"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := EQUAL.match(part):
        return comparison(match["key"], match["operator"], match["value"])
    if match := EXISTS.match(part):
        key, unwanted = match["key"], bool(match["not"])
        return lambda labels: (key in labels) is not unwanted
    raise bad_request(
        f'unable to parse requirement: found "{part}", expected: selector in "{text}"'
    )


def comparison(key: str, operator: str, value: str) -> Callable[[Labels], bool]:
    """``key=value``, ``key!=value``, ``key>1``, ``key<1``."""
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator in "<>":
        return lambda labels: ordered(labels.get(key), operator, value)
    return lambda labels: labels.get(key) == value


def ordered(have: str | None, operator: str, than: str) -> bool:
    """Compare whole numbers; what is none is never more nor less."""
    try:
        return int(have or "") > int(than) if operator == ">" else int(have or "") < int(than)
    except ValueError:
        return False


def expression(labels: Labels, term: Document) -> bool:
    """Whether labels meet a matchExpression of a document: In, NotIn, Exists, DoesNotExist, Gt, Lt."""
    key, values = term["key"], term.get("values") or []
    found = {
        "In": lambda: labels.get(key) in values,
        "NotIn": lambda: labels.get(key) not in values,
        "Exists": lambda: key in labels,
        "DoesNotExist": lambda: key not in labels,
        "Gt": lambda: ordered(labels.get(key), ">", values[0]),
        "Lt": lambda: ordered(labels.get(key), "<", values[0]),
    }
    return found[term["operator"]]()


def selected(labels: Labels, selector: Document | None) -> bool:
    """Whether a LabelSelector document means these labels; none means nothing, an empty one all."""
    if selector is None:
        return False
    equal = all(
        labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()
    )
    return equal and all(
        expression(labels, term) for term in selector.get("matchExpressions") or []
    )


ANYWHERE = ("metadata.name", "metadata.namespace")
# What the API server allows to be selected, by kind; all else is refused.
FIELDS = {
    "Pod": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "Node": ("spec.unschedulable",),
    "Namespace": ("status.phase", "name"),
    "Secret": ("type",),
    "Service": ("spec.clusterIP", "spec.type"),
}
NEW_EVENT_FIELDS = {
    "regarding.kind": "involvedObject.kind",
    "regarding.namespace": "involvedObject.namespace",
    "regarding.name": "involvedObject.name",
    "regarding.uid": "involvedObject.uid",
    "regarding.apiVersion": "involvedObject.apiVersion",
    "regarding.resourceVersion": "involvedObject.resourceVersion",
    "regarding.fieldPath": "involvedObject.fieldPath",
    "reportingController": "reportingComponent",
}
FALSE_IF_MISSING = {"spec.unschedulable", "spec.hostNetwork"}


def field_selector(text: str, kind: str, *, new_events: bool = False) -> Callable[[Document], bool]:
    """Whether a document is meant by a selector of fields.

    Raises:
        ApiError: 400, it cannot be read, or names a field that cannot be selected.
    """
    wanted = []
    for part in filter(None, text.split(",")):
        match = EQUAL.match(part)
        if match is None or match["operator"] in "<>":
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        field = match["key"]
        field = NEW_EVENT_FIELDS.get(field, field) if new_events else field
        if field not in (*ANYWHERE, *FIELDS.get(kind, ())):
            raise bad_request(f"field label not supported: {field}")
        wanted.append((field, match["operator"] != "!=", match["value"]))
    return lambda document: all(
        (field_of(document, field) == value) is equal for field, equal, value in wanted
    )


def field_of(document: Document, path: str) -> str:
    """The text at a path of a document; empty where there is nothing."""
    if path in ("source", "reportingComponent"):
        source = (document.get("source") or {}).get("component", "")
        return str(document.get("reportingComponent") or source)
    if path == "name":
        path = "metadata.name"
    value: Any = document
    for step in path.split("."):
        value = (value or {}).get(step)
    if path in FALSE_IF_MISSING:
        return "true" if value else "false"
    return str(value or "")
