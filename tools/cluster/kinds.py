"""The kinds of document that the cluster keeps, by the addresses at which they are served."""

from __future__ import annotations

from dataclasses import dataclass

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CREATE = ("create",)


@dataclass(frozen=True)
class Kind:
    """One resource of the API: ``model`` is its class in the generated client, or none (custom)."""

    group: str
    version: str
    plural: str
    kind: str
    model: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL
    subresources: tuple[str, ...] = ()
    stored_as: str = ""
    returns_deleted: bool = False

    @property
    def api_version(self) -> str:
        """``v1``, ``coordination.k8s.io/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> str:
        """Where its documents are kept: two kinds may show the same documents (events)."""
        return self.stored_as or (f"{self.group}/{self.plural}" if self.group else self.plural)


def core(plural: str, kind: str, **other: object) -> Kind:
    """A kind of the core group."""
    return Kind("", "v1", plural, kind, f"V1{kind}", **other)  # type: ignore[arg-type]  # the fields of Kind


def grouped(group: str, plural: str, kind: str, **other: object) -> Kind:
    """A kind of another group, in its first version."""
    return Kind(group, "v1", plural, kind, f"V1{kind}", **other)  # type: ignore[arg-type]  # likewise


RBAC = "rbac.authorization.k8s.io"
AUTHORIZATION = "authorization.k8s.io"
AUTHENTICATION = "authentication.k8s.io"
STREAMED = ("attach", "exec", "portforward", "proxy")
POD_PARTS = ("binding", "eviction", "log", "status", *STREAMED)

PODS = core("pods", "Pod", short=("po",), subresources=POD_PARTS, returns_deleted=True)
NODES = core("nodes", "Node", namespaced=False, short=("no",), subresources=("status",))
NAMESPACES = core(
    "namespaces",
    "Namespace",
    namespaced=False,
    short=("ns",),
    verbs=tuple(verb for verb in ALL if verb != "deletecollection"),
    subresources=("finalize", "status"),
)
EVENTS = Kind("", "v1", "events", "Event", "CoreV1Event", short=("ev",))
NEW_EVENTS = Kind(
    "events.k8s.io", "v1", "events", "Event", "EventsV1Event", short=("ev",), stored_as="events"
)
SERVICES = core("services", "Service", short=("svc",), subresources=("status",))
SECRETS = core("secrets", "Secret")
CONFIG_MAPS = core("configmaps", "ConfigMap", short=("cm",))
CLAIMS = core(
    "persistentvolumeclaims",
    "PersistentVolumeClaim",
    short=("pvc",),
    subresources=("status",),
    returns_deleted=True,
)
VOLUMES = core(
    "persistentvolumes",
    "PersistentVolume",
    namespaced=False,
    short=("pv",),
    subresources=("status",),
    returns_deleted=True,
)
SERVICE_ACCOUNTS = core(
    "serviceaccounts",
    "ServiceAccount",
    short=("sa",),
    subresources=("token",),
    returns_deleted=True,
)
QUOTAS = core(
    "resourcequotas",
    "ResourceQuota",
    short=("quota",),
    subresources=("status",),
    returns_deleted=True,
)
PRIORITY_CLASSES = grouped(
    "scheduling.k8s.io", "priorityclasses", "PriorityClass", namespaced=False, short=("pc",)
)
STORAGE_CLASSES = grouped(
    "storage.k8s.io", "storageclasses", "StorageClass", namespaced=False, short=("sc",)
)
LEASES = grouped("coordination.k8s.io", "leases", "Lease")
ROLES = grouped(RBAC, "roles", "Role")
ROLE_BINDINGS = grouped(RBAC, "rolebindings", "RoleBinding")
CLUSTER_ROLES = grouped(RBAC, "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDINGS = grouped(RBAC, "clusterrolebindings", "ClusterRoleBinding", namespaced=False)
BUDGETS = grouped(
    "policy",
    "poddisruptionbudgets",
    "PodDisruptionBudget",
    short=("pdb",),
    subresources=("status",),
)

STORED = (
    PODS,
    NODES,
    NAMESPACES,
    EVENTS,
    NEW_EVENTS,
    SERVICES,
    SECRETS,
    CONFIG_MAPS,
    CLAIMS,
    VOLUMES,
    SERVICE_ACCOUNTS,
    QUOTAS,
    PRIORITY_CLASSES,
    STORAGE_CLASSES,
    LEASES,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    BUDGETS,
    core("limitranges", "LimitRange", short=("limits",)),
    core("endpoints", "Endpoints", short=("ep",)),
    grouped("apps", "deployments", "Deployment", short=("deploy",), subresources=("status",)),
    grouped("networking.k8s.io", "networkpolicies", "NetworkPolicy", short=("netpol",)),
    grouped("networking.k8s.io", "ingresses", "Ingress", short=("ing",), subresources=("status",)),
)
# Served once Kueue is installed.
WORKLOADS = Kind(
    "kueue.x-k8s.io",
    "v1beta2",
    "workloads",
    "Workload",
    "",
    short=("wl",),
    subresources=("status",),
)
# Asked and answered, not kept.
REVIEWS = (
    grouped(AUTHENTICATION, "tokenreviews", "TokenReview", namespaced=False, verbs=CREATE),
    grouped(
        AUTHENTICATION, "selfsubjectreviews", "SelfSubjectReview", namespaced=False, verbs=CREATE
    ),
    grouped(
        AUTHORIZATION,
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
        namespaced=False,
        verbs=CREATE,
    ),
    grouped(
        AUTHORIZATION,
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
        namespaced=False,
        verbs=CREATE,
    ),
    grouped(
        AUTHORIZATION,
        "subjectaccessreviews",
        "SubjectAccessReview",
        namespaced=False,
        verbs=CREATE,
    ),
    grouped(AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=CREATE),
)
