"""The fields that an API server fills in where a document says nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import kinds
from .kinds import Kind
from .quantities import quantity
from .statuses import Document

FILE_MODE = 420
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def with_defaults(kind: Kind, document: Document) -> Document:
    """The document, completed."""
    fill = FILLED.get(kind.key)
    if fill is not None:
        fill(document)
    return document


def preset(document: Document, **values: Any) -> None:
    """Set what is not set."""
    for key, value in values.items():
        if document.get(key) is None:
            document[key] = value


def fill_pod(pod: Document) -> None:
    """A pod: what is not said about its end, its names, its containers."""
    spec = pod.setdefault("spec", {})
    preset(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
        enableServiceLinks=True,
    )
    if spec.get("serviceAccountName") or spec.get("serviceAccount"):
        account = spec.get("serviceAccountName") or spec.get("serviceAccount")
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in (spec.get("initContainers") or []) + (spec.get("containers") or []):
        fill_container(container)
    for volume in spec.get("volumes") or []:
        fill_volume(volume)
    status = pod.setdefault("status", {})
    preset(status, phase="Pending", qosClass=quality(spec))


def fill_container(container: Document) -> None:
    """One container."""
    image = container.get("image", "")
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    newest = "@" not in image and tag in ("", "latest")
    preset(
        container,
        imagePullPolicy="Always" if newest else "IfNotPresent",
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        resources={},
    )
    for port in container.get("ports") or []:
        preset(port, protocol="TCP")
    for variable in container.get("env") or []:
        if field := (variable.get("valueFrom") or {}).get("fieldRef"):
            preset(field, apiVersion="v1")
    for name in PROBES:
        if name in container:
            preset(container[name], **PROBE)
            if "httpGet" in container[name]:
                preset(container[name]["httpGet"], path="/", scheme="HTTP")
    resources = container["resources"]
    if resources.get("limits"):
        requests = resources.setdefault("requests", {})
        preset(requests, **resources["limits"])


def fill_volume(volume: Document) -> None:
    """One volume: an empty folder if nothing is said."""
    if len(volume) == 1:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if source in volume:
            preset(volume[source], defaultMode=FILE_MODE)
    if "hostPath" in volume:
        preset(volume["hostPath"], type="")


def quality(spec: Document) -> str:
    """Guaranteed, Burstable or BestEffort, by requests and limits of cpu and memory."""
    counted = [
        (
            container.get("resources", {}).get("requests") or {},
            container.get("resources", {}).get("limits") or {},
        )
        for container in (spec.get("containers") or []) + (spec.get("initContainers") or [])
    ]
    both = ("cpu", "memory")
    if not any(name in given for pair in counted for given in pair for name in both):
        return "BestEffort"
    same = all(
        name in limits and amount(requests.get(name)) == amount(limits[name])
        for requests, limits in counted
        for name in both
    )
    return "Guaranteed" if same else "Burstable"


def amount(text: str | None) -> Decimal | None:
    """A quantity, or none where it is none."""
    try:
        return None if text is None else quantity(text)
    except ValueError:
        return None


def fill_claim(claim: Document) -> None:
    """A claim of storage: files, pending."""
    preset(claim.setdefault("spec", {}), volumeMode="Filesystem")
    preset(claim.setdefault("status", {}), phase="Pending")


def fill_volume_of_cluster(volume: Document) -> None:
    """A volume: free, kept when its claim goes."""
    preset(volume.setdefault("spec", {}), persistentVolumeReclaimPolicy="Retain")
    preset(volume.setdefault("status", {}), phase="Available")


def fill_quota(quota: Document) -> None:
    """A quota: of nothing."""
    preset(quota, spec={}, status={})


def fill_node(node: Document) -> None:
    """A node: what it can give is what it has, unless told."""
    node.setdefault("spec", {})
    status = node.setdefault("status", {})
    if "capacity" in status:
        preset(status, allocatable=dict(status["capacity"]))


def fill_namespace(namespace: Document) -> None:
    """A namespace: in use, held by its own finalizer, labelled with its name."""
    preset(namespace.setdefault("spec", {}), finalizers=["kubernetes"])
    preset(namespace.setdefault("status", {}), phase="Active")
    labels = namespace["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = namespace["metadata"]["name"]


def fill_service(service: Document) -> None:
    """A service: inside the cluster, TCP, to the same port."""
    spec = service.setdefault("spec", {})
    preset(
        spec,
        type="ClusterIP",
        sessionAffinity="None",
        internalTrafficPolicy="Cluster",
        ipFamilies=["IPv4"],
        ipFamilyPolicy="SingleStack",
    )
    for port in spec.get("ports") or []:
        preset(port, protocol="TCP")
        if "port" in port:
            preset(port, targetPort=port["port"])
    service.setdefault("status", {"loadBalancer": {}})


def fill_secret(secret: Document) -> None:
    """A secret: opaque; plain text becomes data."""
    import base64  # noqa: PLC0415 - for this only

    preset(secret, type="Opaque")
    for key, text in (secret.pop("stringData", None) or {}).items():
        secret.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()


def fill_binding(binding: Document) -> None:
    """Who is bound: of which group."""
    for subject in binding.get("subjects") or []:
        if subject.get("kind") != "ServiceAccount":
            preset(subject, apiGroup=kinds.RBAC)
    preset(binding.setdefault("roleRef", {}), apiGroup=kinds.RBAC)


def fill_priority_class(one: Document) -> None:
    """A priority class: may displace."""
    preset(one, preemptionPolicy="PreemptLowerPriority")


def fill_storage_class(one: Document) -> None:
    """A storage class: volumes go with their claim, bound at once."""
    preset(one, reclaimPolicy="Delete", volumeBindingMode="Immediate")


FILLED: dict[str, Callable[[Document], None]] = {
    kinds.PODS.key: fill_pod,
    kinds.CLAIMS.key: fill_claim,
    kinds.VOLUMES.key: fill_volume_of_cluster,
    kinds.QUOTAS.key: fill_quota,
    kinds.NODES.key: fill_node,
    kinds.NAMESPACES.key: fill_namespace,
    kinds.SERVICES.key: fill_service,
    kinds.SECRETS.key: fill_secret,
    kinds.ROLE_BINDINGS.key: fill_binding,
    kinds.CLUSTER_ROLE_BINDINGS.key: fill_binding,
    kinds.PRIORITY_CLASSES.key: fill_priority_class,
    kinds.STORAGE_CLASSES.key: fill_storage_class,
}
