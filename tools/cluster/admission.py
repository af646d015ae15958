"""What an API server does between a request and its store: priority, service account, quota."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal

from . import kinds
from .kinds import Kind
from .quantities import alike, quantity
from .statuses import ApiError, Document, forbidden, named, not_found
from .store import Store

TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
NODE_TROUBLE = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
PATIENCE = 300
LETTERS = "bcdfghjklmnpqrstvwxz2456789"
SYSTEM_PRIORITIES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


class Admission:
    """The plugins of admission that matter to pods, claims and namespaces."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._addresses = 0
        # What mutating webhooks do to new documents.
        self.webhooks: list[Callable[[Kind, Document], None]] = []

    def check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        """Nothing is made in a namespace that is not there, or ends.

        Raises:
            ApiError: 404 or 403.
        """
        found = self._store.find(kinds.NAMESPACES, "", namespace)
        if found is None:
            raise not_found("", "namespaces", namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            refusal = forbidden(kind.group, kind.plural, name, why)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            refusal.details["causes"] = [cause]
            raise refusal

    def admit_new(self, kind: Kind, document: Document) -> Document:
        """Complete a new document, or refuse it.

        Raises:
            ApiError: 403.
        """
        if kind is kinds.PODS:
            self._give_account(document)
            self._give_priority(document)
            self._give_patience(document)
        elif kind is kinds.SERVICES:
            self._give_address(document)
        elif kind is kinds.CLAIMS:
            self._give_storage_class(document)
            document["metadata"].setdefault("finalizers", []).append("kubernetes.io/pvc-protection")
        for webhook in self.webhooks:
            webhook(kind, document)
        return document

    def admit_change(self, kind: Kind, before: Document, after: Document) -> None:
        """A priority cannot be written, nor an account changed; the rest is for validation."""
        if kind is kinds.PODS:
            for field in ("priority", "preemptionPolicy", "serviceAccountName", "serviceAccount"):
                if field in before["spec"]:
                    after["spec"].setdefault(field, before["spec"][field])

    def _give_account(self, pod: Document) -> None:
        spec, metadata = pod["spec"], pod["metadata"]
        name = spec.setdefault("serviceAccountName", "default")
        spec["serviceAccount"] = name
        account = self._store.find(kinds.SERVICE_ACCOUNTS, metadata["namespace"], name)
        if account is None:
            where = f"{metadata['namespace']}/{name}"
            why = f'error looking up service account {where}: serviceaccount "{name}" not found'
            raise forbidden("", "pods", metadata["name"], why)
        if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
            spec["imagePullSecrets"] = account["imagePullSecrets"]
        wanted = spec.get("automountServiceAccountToken")
        if wanted is None:
            wanted = account.get("automountServiceAccountToken", True)
        if wanted:
            mount_token(spec)

    def _give_priority(self, pod: Document) -> None:
        spec, name = pod["spec"], pod["spec"].get("priorityClassName", "")
        found: Document | None = None
        if name in SYSTEM_PRIORITIES:
            found = {"value": SYSTEM_PRIORITIES[name]}
        elif name:
            found = self._store.find(kinds.PRIORITY_CLASSES, "", name)
            if found is None:
                why = f"no PriorityClass with name {name} was found"
                raise forbidden("", "pods", pod["metadata"]["name"], why)
        else:
            found = self._default_priority()
            if "metadata" in found:
                spec["priorityClassName"] = found["metadata"]["name"]
        value = found.get("value", 0)
        if spec.get("priority", value) != value:
            why = (
                f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name"
            )
            raise forbidden("", "pods", pod["metadata"]["name"], why)
        spec["priority"] = value
        spec.setdefault("preemptionPolicy", found.get("preemptionPolicy", "PreemptLowerPriority"))

    def _default_priority(self) -> Document:
        marked = [
            one for one in self._store.all(kinds.PRIORITY_CLASSES) if one.get("globalDefault")
        ]
        return min(marked, key=lambda one: int(one.get("value", 0)), default={"value": 0})

    def _give_patience(self, pod: Document) -> None:
        """A pod stays five minutes on a node that is in trouble, unless it says otherwise."""
        tolerations = pod["spec"].setdefault("tolerations", [])
        for key in NODE_TROUBLE:
            told = any(
                one.get("key") in (key, None) and one.get("effect") in ("NoExecute", None)
                for one in tolerations
            )
            if not told:
                tolerations.append(
                    {
                        "key": key,
                        "operator": "Exists",
                        "effect": "NoExecute",
                        "tolerationSeconds": PATIENCE,
                    }
                )

    def _give_address(self, service: Document) -> None:
        spec = service["spec"]
        if spec["type"] == "ExternalName":
            return
        if not spec.get("clusterIP"):
            self._addresses += 1
            spec["clusterIP"] = f"10.96.{self._addresses // 254}.{self._addresses % 254 + 1}"
        spec["clusterIPs"] = [spec["clusterIP"]]

    def _give_storage_class(self, claim: Document) -> None:
        if "storageClassName" in claim["spec"]:
            return
        default = "storageclass.kubernetes.io/is-default-class"
        for one in self._store.all(kinds.STORAGE_CLASSES):
            if (one["metadata"].get("annotations") or {}).get(default) == "true":
                claim["spec"]["storageClassName"] = one["metadata"]["name"]

    def check_quota(self, kind: Kind, document: Document) -> None:
        """Refuse what a ResourceQuota of the namespace does not leave room for.

        Raises:
            ApiError: 403.
        """
        if kind.group or not kind.namespaced:
            return
        namespace, name = document["metadata"]["namespace"], document["metadata"]["name"]
        asked = used_by(kind, document)
        for quota in self._store.all(kinds.QUOTAS, namespace):
            hard = {key: quantity(text) for key, text in quota["spec"].get("hard", {}).items()}
            counted = {key: asked[key] for key in hard if key in asked}
            self._check_named(kind, quota, hard, asked, name)
            used = self.usage(quota)
            over = sorted(
                key for key in counted if used[key] + counted[key] > hard[key] and counted[key]
            )
            if over:
                texts = quota["spec"]["hard"]
                shown = [
                    ",".join(f"{key}={alike(amounts[key], texts[key])}" for key in over)
                    for amounts in (counted, used, hard)
                ]
                raise exceeded(kind, name, quota["metadata"]["name"], *shown)

    def _check_named(
        self,
        kind: Kind,
        quota: Document,
        hard: dict[str, Decimal],
        asked: dict[str, Decimal],
        name: str,
    ) -> None:
        """A quota of cpu or memory demands that each pod names how much it wants."""
        if kind is not kinds.PODS:
            return
        must = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
        missing = sorted(key for key in hard if key in must and key not in asked)
        if missing:
            why = f"failed quota: {quota['metadata']['name']}: must specify {','.join(missing)}"
            raise forbidden(kind.group, kind.plural, name, why)

    def usage(self, quota: Document) -> dict[str, Decimal]:
        """What is used of what a quota limits."""
        namespace = quota["metadata"]["namespace"]
        used = dict.fromkeys(quota["spec"].get("hard", {}), Decimal(0))
        for kind in COUNTED:
            for document in self._store.all(kind, namespace):
                for key, amount in used_by(kind, document).items():
                    if key in used:
                        used[key] += amount
        return used


COUNTED = (
    kinds.PODS,
    kinds.CLAIMS,
    kinds.SERVICES,
    kinds.SECRETS,
    kinds.CONFIG_MAPS,
    kinds.QUOTAS,
)


def used_by(kind: Kind, document: Document) -> dict[str, Decimal]:
    """What a document counts for in quotas. A pod that has ended counts no more, but as an object."""
    used = {f"count/{kind.plural}": Decimal(1)}
    if kind is kinds.PODS:
        if document["status"].get("phase") in ("Succeeded", "Failed"):
            return used
        return used | {"pods": Decimal(1)} | pod_usage(document["spec"])
    if kind in COUNTED:
        used[kind.plural] = Decimal(1)
    if kind is kinds.CLAIMS:
        storage = quantity(
            (document["spec"].get("resources") or {}).get("requests", {}).get("storage", "0")
        )
        used["requests.storage"] = storage
        if class_ := document["spec"].get("storageClassName"):
            used[f"{class_}.storageclass.storage.k8s.io/requests.storage"] = storage
            used[f"{class_}.storageclass.storage.k8s.io/persistentvolumeclaims"] = Decimal(1)
    return used


def pod_usage(spec: Document) -> dict[str, Decimal]:
    """What a pod counts for: ``cpu`` is ``requests.cpu``; devices only have ``requests.``."""
    used: dict[str, Decimal] = {}
    for name, amount in pod_requests(spec).items():
        used[f"requests.{name}"] = amount
        if "/" not in name:
            used[name] = amount
    for container in spec.get("containers") or []:
        for name, text in (container["resources"].get("limits") or {}).items():
            if "/" not in name:
                used[f"limits.{name}"] = used.get(f"limits.{name}", Decimal(0)) + quantity(text)
    return used


def pod_requests(spec: Document) -> dict[str, Decimal]:
    """What a pod asks of a node: the sum of its containers, or what an init container asks if more."""
    total: dict[str, Decimal] = {}
    for container in spec.get("containers") or []:
        for name, text in (container["resources"].get("requests") or {}).items():
            total[name] = total.get(name, Decimal(0)) + quantity(text)
    for container in spec.get("initContainers") or []:
        for name, text in (container["resources"].get("requests") or {}).items():
            total[name] = max(total.get(name, Decimal(0)), quantity(text))
    for name, text in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, Decimal(0)) + quantity(text)
    return total


def exceeded(kind: Kind, name: str, quota: str, asked: str, used: str, limited: str) -> ApiError:
    """403 by a quota."""
    why = f"exceeded quota: {quota}, requested: {asked}, used: {used}, limited: {limited}"
    refusal = forbidden(kind.group, kind.plural, name, why)
    refusal.details = named(kind.group, kind.plural, name)
    return refusal


def mount_token(spec: Document) -> None:
    """The volume with the pod's own token, as the service account admission adds it."""
    name = "kube-api-access-" + "".join(secrets.choice(LETTERS) for _ in range(5))
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    authority = {
        "configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    }
    field = {
        "path": "namespace",
        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
    }
    sources = [token, authority, {"downwardAPI": {"items": [field]}}]
    volume = {"name": name, "projected": {"sources": sources, "defaultMode": 420}}
    unmounted = [
        one
        for one in (spec.get("containers") or []) + (spec.get("initContainers") or [])
        if all(mount.get("mountPath") != TOKEN_MOUNT for mount in one.get("volumeMounts") or [])
    ]
    if unmounted:
        spec.setdefault("volumes", []).append(volume)
    for container in unmounted:
        mount = {"name": name, "readOnly": True, "mountPath": TOKEN_MOUNT}
        container.setdefault("volumeMounts", []).append(mount)
