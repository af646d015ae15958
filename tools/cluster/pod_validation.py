"""What an API server refuses about a pod, and about a change of one."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from .names import VARIABLE, wrong_label, wrong_qualified, wrong_subdomain
from .quantities import quantity
from .statuses import Cause, Document
from .store import clone

NATIVE = ("cpu", "memory", "ephemeral-storage", "storage")
POLICIES = ("Always", "Never", "OnFailure")
EFFECTS = ("NoExecute", "NoSchedule", "PreferNoSchedule")
OPERATORS = ("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn")
CHANGEABLE = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to "
    "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was "
    "previously negative)"
)


def wrong(field: str, value: Any, why: str) -> Cause:
    """A value that may not be."""
    return Cause("FieldValueInvalid", field, f"Invalid value: {json.dumps(value)}: {why}")


def required(field: str, why: str = "") -> Cause:
    """A value that must be."""
    message = f"Required value: {why}" if why else "Required value"
    return Cause("FieldValueRequired", field, message)


def unsupported(field: str, value: Any, known: tuple[str, ...]) -> Cause:
    """A value that is not among those that are."""
    supported = ", ".join(json.dumps(one) for one in known)
    message = f"Unsupported value: {json.dumps(value)}: supported values: {supported}"
    return Cause("FieldValueNotSupported", field, message)


def problems(pod: Document) -> list[Cause]:
    """All that is wrong with a pod."""
    spec = pod["spec"]
    found: list[Cause] = []
    volumes = wrong_volumes(spec, found)
    if not spec.get("containers"):
        found.append(required("spec.containers"))
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or []):
            found += wrong_container(container, f"spec.{field}[{index}]", volumes, names)
    if spec["restartPolicy"] not in POLICIES:
        found.append(unsupported("spec.restartPolicy", spec["restartPolicy"], POLICIES))
    found += wrong_scheduling(spec)
    if account := spec.get("serviceAccountName"):
        found += [
            wrong("spec.serviceAccountName", account, why) for why in wrong_subdomain(account)
        ]
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is not None and seconds < 1:
        found.append(
            wrong(
                "spec.activeDeadlineSeconds", seconds, "must be between 1 and 2147483647, inclusive"
            )
        )
    return found


def wrong_volumes(spec: Document, found: list[Cause]) -> set[str]:
    """Note what is wrong with the volumes; their names."""
    names: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or []):
        at = f"spec.volumes[{index}]"
        name = volume.get("name", "")
        if not name:
            found.append(required(f"{at}.name"))
        else:
            found += [wrong(f"{at}.name", name, why) for why in wrong_label(name)]
        if name in names:
            found.append(
                Cause("FieldValueDuplicate", f"{at}.name", f"Duplicate value: {json.dumps(name)}")
            )
        names.add(name)
        if len(volume) > 2:  # noqa: PLR2004 - its name and one source
            found.append(
                Cause(
                    "FieldValueForbidden", at, "Forbidden: may not specify more than 1 volume type"
                )
            )
        if "persistentVolumeClaim" in volume and not volume["persistentVolumeClaim"].get(
            "claimName"
        ):
            found.append(required(f"{at}.persistentVolumeClaim.claimName"))
    return names


def wrong_container(
    container: Document, at: str, volumes: set[str], names: set[str]
) -> list[Cause]:
    """What is wrong with one container."""
    found = []
    name = container.get("name", "")
    if not name:
        found.append(required(f"{at}.name"))
    else:
        found += [wrong(f"{at}.name", name, why) for why in wrong_label(name)]
    if name in names:
        found.append(
            Cause("FieldValueDuplicate", f"{at}.name", f"Duplicate value: {json.dumps(name)}")
        )
    names.add(name)
    if not container.get("image"):
        found.append(required(f"{at}.image"))
    for index, port in enumerate(container.get("ports") or []):
        number = port.get("containerPort")
        if number is None:
            found.append(required(f"{at}.ports[{index}].containerPort"))
        elif not 0 < number < 65536:  # noqa: PLR2004 - the ports there are
            why = "must be between 1 and 65535, inclusive"
            found.append(wrong(f"{at}.ports[{index}].containerPort", number, why))
    found += wrong_variables(container, at)
    found += wrong_mounts(container, at, volumes)
    return found + wrong_resources(container["resources"], f"{at}.resources")


def wrong_variables(container: Document, at: str) -> list[Cause]:
    """What is wrong with the environment of a container."""
    found = []
    for index, variable in enumerate(container.get("env") or []):
        name = variable.get("name", "")
        if not name:
            found.append(required(f"{at}.env[{index}].name"))
        elif not VARIABLE.match(name):
            why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            found.append(wrong(f"{at}.env[{index}].name", name, why))
        if variable.get("value") and variable.get("valueFrom"):
            why = "may not be specified when `value` is not empty"
            found.append(wrong(f"{at}.env[{index}].valueFrom", "", why))
    return found


def wrong_mounts(container: Document, at: str, volumes: set[str]) -> list[Cause]:
    """What is wrong with where volumes are mounted."""
    found, paths = [], set()
    for index, mount in enumerate(container.get("volumeMounts") or []):
        name, path = mount.get("name", ""), mount.get("mountPath", "")
        if name not in volumes:
            field = f"{at}.volumeMounts[{index}].name"
            found.append(Cause("FieldValueNotFound", field, f"Not found: {json.dumps(name)}"))
        if not path:
            found.append(required(f"{at}.volumeMounts[{index}].mountPath"))
        if path in paths:
            found.append(wrong(f"{at}.volumeMounts[{index}].mountPath", path, "must be unique"))
        paths.add(path)
    return found


def wrong_quantities(at: str, given: Document) -> list[Cause]:
    """What is wrong with amounts of resources."""
    found = []
    for name, text in given.items():
        found += [wrong(at, name, why) for why in wrong_qualified(name)]
        try:
            amount = quantity(text)
        except ValueError as problem:
            found.append(wrong(f"{at}[{name}]", text, str(problem)))
            continue
        if amount < 0:
            found.append(wrong(f"{at}[{name}]", text, "must be greater than or equal to 0"))
    return found


def wrong_resources(resources: Document, at: str) -> list[Cause]:
    """What is wrong with requests and limits."""
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    found = wrong_quantities(f"{at}.limits", limits) + wrong_quantities(f"{at}.requests", requests)
    if found:
        return found
    for field, given in (("limits", limits), ("requests", requests)):
        for name, text in given.items():
            found += wrong_resource_name(name, text, f"{at}.{field}")
    for name, text in requests.items():
        found += wrong_request(name, text, limits, at)
    return found


def wrong_resource_name(name: str, text: str, at: str) -> list[Cause]:
    """A resource is the platform's own or has a vendor; a vendor's is counted whole."""
    if "/" not in name:
        if name in NATIVE or name.startswith("hugepages-"):
            return []
        return [wrong(at, name, "must be a standard resource type or fully qualified")]
    if quantity(text) != quantity(text).to_integral_value():
        return [wrong(f"{at}[{name}]", text, "must be an integer")]
    return []


def wrong_request(name: str, text: str, limits: Document, at: str) -> list[Cause]:
    """A request is no more than its limit; for devices they are one."""
    field = f"{at}.requests"
    extended = "/" in name
    if name in limits:
        limit: Decimal = quantity(limits[name])
        if extended and quantity(text) != limit:
            return [wrong(field, text, f"must be equal to {name} limit of {limits[name]}")]
        if quantity(text) > limit:
            return [
                wrong(field, text, f"must be less than or equal to {name} limit of {limits[name]}")
            ]
    elif extended:
        return [required(f"{at}.limits", "Limit must be set for non overcommitable resources")]
    return []


def wrong_scheduling(spec: Document) -> list[Cause]:
    """What is wrong with where a pod wants to run."""
    found = []
    for index, toleration in enumerate(spec.get("tolerations") or []):
        at = f"spec.tolerations[{index}]"
        operator = toleration.get("operator", "Equal")
        if not toleration.get("key") and operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            found.append(wrong(f"{at}.operator", operator, why))
        if operator == "Exists" and toleration.get("value"):
            why = "value must be empty when `operator` is 'Exists'"
            found.append(wrong(f"{at}.operator", toleration["value"], why))
        if toleration.get("effect") and toleration["effect"] not in EFFECTS:
            found.append(unsupported(f"{at}.effect", toleration["effect"], EFFECTS))
    at = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    wanted = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if wanted is not None and not wanted.get("nodeSelectorTerms"):
        found.append(
            required(f"{at}.nodeSelectorTerms", "must have at least one node selector term")
        )
    for index, term in enumerate((wanted or {}).get("nodeSelectorTerms") or []):
        for number, one in enumerate(term.get("matchExpressions") or []):
            field = f"{at}.nodeSelectorTerms[{index}].matchExpressions[{number}]"
            found += wrong_expression(one, field)
        for number, one in enumerate(term.get("matchFields") or []):
            field = f"{at}.nodeSelectorTerms[{index}].matchFields[{number}]"
            found += wrong_field(one, field)
    return found


def wrong_field(one: Document, at: str) -> list[Cause]:
    """What is wrong with one field of a node selector: only its name, one in each."""
    operator = one.get("operator", "")
    if operator not in ("In", "NotIn"):
        return [wrong(f"{at}.operator", operator, "not a valid selector operator")]
    if len(one.get("values") or []) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        return [required(f"{at}.values", why)]
    if one.get("key") != "metadata.name":
        return [wrong(f"{at}.key", one.get("key", ""), "not a valid field selector key")]
    return []


def wrong_expression(one: Document, at: str) -> list[Cause]:
    """What is wrong with one expression of a node selector."""
    operator, values = one.get("operator", ""), one.get("values") or []
    if operator not in OPERATORS:
        return [wrong(f"{at}.operator", operator, "not a valid selector operator")]
    if operator in ("In", "NotIn") and not values:
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        return [required(f"{at}.values", why)]
    if operator in ("Exists", "DoesNotExist") and values:
        why = "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [Cause("FieldValueForbidden", f"{at}.values", why)]
    return []


def problems_of_change(before: Document, after: Document) -> list[Cause]:
    """Of a pod only images, deadline, added tolerations and gates taken away may change."""
    old, new = comparable(before["spec"]), comparable(after["spec"])
    gates = {gate["name"] for gate in before["spec"].get("schedulingGates") or []}
    added = [
        gate for gate in after["spec"].get("schedulingGates") or [] if gate["name"] not in gates
    ]
    if added:
        why = "Forbidden: only deletion is allowed, but found new scheduling gate " + repr(
            added[0]["name"]
        )
        return [Cause("FieldValueForbidden", "spec.schedulingGates", why)]
    kept = before["spec"].get("tolerations") or []
    missing = [one for one in kept if one not in (after["spec"].get("tolerations") or [])]
    if missing:
        why = "Forbidden: existing toleration can not be modified except its tolerationSeconds"
        return [Cause("FieldValueForbidden", "spec.tolerations", why)]
    if gates:
        for spec in (old, new):
            spec.pop("nodeSelector", None)
            spec.pop("affinity", None)
    return [] if old == new else [Cause("FieldValueForbidden", "spec", CHANGEABLE)]


def comparable(spec: Document) -> Document:
    """A spec without what may change."""
    kept = clone(spec)
    for container in (kept.get("containers") or []) + (kept.get("initContainers") or []):
        container.pop("image", None)
    for field in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        kept.pop(field, None)
    return kept
