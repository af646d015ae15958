"""What an API server refuses about a document: 422, with every cause."""

from __future__ import annotations

import json
from typing import Any

from . import kinds, pod_validation
from .admission import SYSTEM_PRIORITIES
from .kinds import Kind
from .names import wrong_label, wrong_qualified, wrong_service, wrong_subdomain, wrong_value
from .pod_validation import wrong_quantities
from .statuses import Cause, Document

INVALID, REQUIRED, IMMUTABLE = "FieldValueInvalid", "FieldValueRequired", "FieldValueForbidden"
HIGHEST_PRIORITY = 1_000_000_000
ANNOTATIONS_LIMIT = 256 * 1024
LABEL_NAMES = {kinds.NAMESPACES.key}


def shown(value: Any) -> str:
    """A value as messages show it."""
    return json.dumps(value) if isinstance(value, str | dict | list) else str(value).lower()


def wrong(field: str, value: Any, why: str) -> Cause:
    """A value that may not be."""
    return Cause(INVALID, field, f"Invalid value: {shown(value)}: {why}")


def required(field: str, why: str = "") -> Cause:
    """A value that must be."""
    return Cause(REQUIRED, field, f"Required value: {why}" if why else "Required value")


def problems(kind: Kind, document: Document) -> list[Cause]:
    """All that is wrong with a new document."""
    found = wrong_metadata(kind, document["metadata"])
    if kind is kinds.PODS:
        found += pod_validation.problems(document)
    elif kind is kinds.CLAIMS:
        found += wrong_claim(document)
    elif kind is kinds.NODES:
        for field in ("capacity", "allocatable"):
            given = document["status"].get(field) or {}
            found += wrong_quantities(f"status.{field}", given)
        found += wrong_taints(document)
    elif kind is kinds.QUOTAS:
        found += wrong_quantities("spec.hard", (document.get("spec") or {}).get("hard") or {})
    elif kind is kinds.SERVICES:
        found += wrong_service_ports(document)
    elif kind is kinds.PRIORITY_CLASSES:
        found += wrong_priority(document)
    elif kind in (kinds.ROLE_BINDINGS, kinds.CLUSTER_ROLE_BINDINGS):
        found += wrong_binding(document)
    return found


def wrong_metadata(kind: Kind, metadata: Document) -> list[Cause]:
    """Names, labels, annotations."""
    name = metadata["name"]
    check = wrong_label if kind.key in LABEL_NAMES else wrong_subdomain
    check = wrong_service if kind is kinds.SERVICES else check
    found = []
    if kind.group == kinds.RBAC:
        if "/" in name or "%" in name or name in (".", ".."):
            found.append(wrong("metadata.name", name, "may not contain '/' or '%'"))
    else:
        found += [wrong("metadata.name", name, why) for why in check(name)]
    for key, value in (metadata.get("labels") or {}).items():
        found += [wrong("metadata.labels", key, why) for why in wrong_qualified(key)]
        found += [wrong("metadata.labels", value, why) for why in wrong_value(value)]
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        found += [wrong("metadata.annotations", key, why) for why in wrong_qualified(key.lower())]
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > ANNOTATIONS_LIMIT:
        why = f"Too long: may not be more than {ANNOTATIONS_LIMIT} bytes"
        found.append(Cause("FieldValueTooLong", "metadata.annotations", why))
    return found


def wrong_taints(node: Document) -> list[Cause]:
    """A taint has a key and an effect."""
    found = []
    for index, taint in enumerate(node["spec"].get("taints") or []):
        at = f"spec.taints[{index}]"
        if not taint.get("key"):
            found.append(required(f"{at}.key"))
        if taint.get("effect") not in pod_validation.EFFECTS:
            found.append(
                pod_validation.unsupported(
                    f"{at}.effect", taint.get("effect", ""), pod_validation.EFFECTS
                )
            )
    return found


def wrong_claim(claim: Document) -> list[Cause]:
    """A claim of storage says how it is mounted and how much it is."""
    spec = claim["spec"]
    found = []
    if not spec.get("accessModes"):
        found.append(required("spec.accessModes", "at least 1 access mode is required"))
    known = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
    for mode in spec.get("accessModes") or []:
        if mode not in known:
            supported = ", ".join(f'"{one}"' for one in sorted(known))
            why = f'Unsupported value: "{mode}": supported values: {supported}'
            found.append(Cause("FieldValueNotSupported", "spec.accessModes", why))
    requests = (spec.get("resources") or {}).get("requests") or {}
    if "storage" not in requests:
        found.append(required("spec.resources[storage]"))
    return found + wrong_quantities("spec.resources.requests", requests)


def wrong_service_ports(service: Document) -> list[Cause]:
    """A service has ports, unless it has no address."""
    spec = service["spec"]
    if not spec.get("ports") and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        return [required("spec.ports")]
    return []


def wrong_priority(class_: Document) -> list[Cause]:
    """The highest priorities, and the names of the system's, are the system's."""
    name, value = class_["metadata"]["name"], class_.get("value", 0)
    if name.startswith("system-"):
        if name in SYSTEM_PRIORITIES:
            return []
        why = (
            "Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
            "error: only [system-node-critical system-cluster-critical] are allowed"
        )
        return [Cause(IMMUTABLE, "metadata.name", why)]
    if value > HIGHEST_PRIORITY:
        why = f"Forbidden: maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}"
        return [Cause(IMMUTABLE, "value", why)]
    return []


def wrong_binding(binding: Document) -> list[Cause]:
    """A binding names one role, and who gets it."""
    found = []
    role = binding["roleRef"]
    if role.get("kind") not in ("Role", "ClusterRole"):
        why = f'Unsupported value: {shown(role.get("kind", ""))}: supported values: "ClusterRole", "Role"'
        found.append(Cause("FieldValueNotSupported", "roleRef.kind", why))
    if not role.get("name"):
        found.append(required("roleRef.name"))
    for index, subject in enumerate(binding.get("subjects") or []):
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            found.append(required(f"subjects[{index}].namespace"))
    return found


def problems_of_change(kind: Kind, before: Document, after: Document, part: str) -> list[Cause]:
    """All that is wrong with a change, above all what may not change."""
    found = [] if part == "status" and kind is not kinds.NODES else problems(kind, after)
    if part:
        return found
    if kind is kinds.PODS:
        found += pod_validation.problems_of_change(before, after)
    elif kind is kinds.CLAIMS:
        found += changed_claim(before, after)
    elif kind.plural in ("rolebindings", "clusterrolebindings"):
        if before["roleRef"] != after["roleRef"]:
            found.append(wrong("roleRef", after["roleRef"], "cannot change roleRef"))
    elif kind is kinds.PRIORITY_CLASSES and before.get("value") != after.get("value"):
        found.append(Cause(IMMUTABLE, "value", "Forbidden: may not be changed in an update."))
    elif before.get("immutable") and before.get("data") != after.get("data"):
        found.append(
            Cause(IMMUTABLE, "data", "Forbidden: field is immutable when `immutable` is set")
        )
    return found


def changed_claim(before: Document, after: Document) -> list[Cause]:
    """Of a claim only the asked storage of a bound one may grow."""
    old, new = dict(before["spec"]), dict(after["spec"])
    asked = old.pop("resources", None) != new.pop("resources", None)
    if not old.get("volumeName"):
        # What binds it.
        new.pop("volumeName", None)
    bound = (before.get("status") or {}).get("phase") == "Bound"
    if old != new or (asked and not bound):
        why = (
            "Forbidden: spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims"
        )
        return [Cause(IMMUTABLE, "spec", why)]
    return []
