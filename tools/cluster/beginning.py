"""What is in every cluster from its first moment: namespaces, roles, priorities, a class of storage."""

from __future__ import annotations

from . import kinds
from .namespaces import add_namespace
from .registry import Registry
from .statuses import Document

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
READ = ["get", "list", "watch"]
WRITE = ["create", "delete", "deletecollection", "patch", "update"]
IMPERSONATE = ["impersonate"]
OBJECTS = [
    "pods",
    "pods/log",
    "pods/status",
    "configmaps",
    "events",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "services",
    "services/status",
    "serviceaccounts",
    "endpoints",
    "limitranges",
    "resourcequotas",
    "resourcequotas/status",
    "namespaces",
    "namespaces/status",
    "bindings",
]
WRITTEN = ["pods", "configmaps", "events", "persistentvolumeclaims", "services", "serviceaccounts"]
HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
DISCOVERY = [*HEALTH, "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]


def rule(groups: list[str], resources: list[str], verbs: list[str]) -> Document:
    """One rule of a role."""
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


VIEW = [
    rule([""], OBJECTS, READ),
    rule(["apps"], ["deployments", "deployments/status"], READ),
    rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], READ),
    rule(["policy"], ["poddisruptionbudgets"], READ),
]
EDIT = [
    *VIEW,
    rule([""], WRITTEN, WRITE),
    rule([""], ["secrets"], READ + WRITE),
    rule([""], ["pods/eviction", "serviceaccounts/token"], ["create"]),
    rule([""], ["serviceaccounts"], IMPERSONATE),
    rule(["apps"], ["deployments"], WRITE),
    rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], WRITE),
    rule(["coordination.k8s.io"], ["leases"], READ + WRITE),
]
ROLES: dict[str, list[Document]] = {
    "cluster-admin": [
        rule(["*"], ["*"], ["*"]),
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "admin": [
        *EDIT,
        rule([kinds.RBAC], ["roles", "rolebindings"], READ + WRITE),
        rule([kinds.AUTHORIZATION], ["localsubjectaccessreviews"], ["create"]),
    ],
    "edit": EDIT,
    "view": VIEW,
    "system:discovery": [{"nonResourceURLs": DISCOVERY, "verbs": ["get"]}],
    "system:public-info-viewer": [{"nonResourceURLs": HEALTH, "verbs": ["get"]}],
    "system:basic-user": [
        rule(
            [kinds.AUTHORIZATION],
            ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            ["create"],
        ),
        rule([kinds.AUTHENTICATION], ["selfsubjectreviews"], ["create"]),
    ],
    "system:auth-delegator": [
        rule([kinds.AUTHENTICATION], ["tokenreviews"], ["create"]),
        rule([kinds.AUTHORIZATION], ["subjectaccessreviews"], ["create"]),
    ],
}
BOUND = {
    "cluster-admin": ["system:masters"],
    "system:discovery": ["system:authenticated"],
    "system:public-info-viewer": ["system:authenticated", "system:unauthenticated"],
    "system:basic-user": ["system:authenticated"],
}
PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
STORAGE_CLASS: Document = {
    "metadata": {
        "name": "standard",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "folders.allotment.dev",
}


def begin(registry: Registry) -> None:
    """Furnish an empty cluster."""
    for name in NAMESPACES:
        add_namespace(registry, name)
    for name, rules in ROLES.items():
        registry.create(kinds.CLUSTER_ROLES, {"metadata": {"name": name}, "rules": rules})
    for name, groups in BOUND.items():
        subjects = [{"kind": "Group", "name": group} for group in groups]
        reference = {"kind": "ClusterRole", "name": name}
        binding = {"metadata": {"name": name}, "subjects": subjects, "roleRef": reference}
        registry.create(kinds.CLUSTER_ROLE_BINDINGS, binding)
    for name, value in PRIORITIES.items():
        registry.create(kinds.PRIORITY_CLASSES, {"metadata": {"name": name}, "value": value})
    registry.create(kinds.STORAGE_CLASSES, STORAGE_CLASS)
