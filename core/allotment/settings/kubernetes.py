"""The cluster that people's servers run on, as the settings say it. With this section servers are pods."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from allotment.model.durations import Duration
from allotment.model.names import Name
from allotment.model.pod_settings import (
    DnsLabel,
    DnsName,
    MountPath,
    NodeSelector,
    Size,
    Toleration,
)
from allotment.model.profiles import Priority
from allotment.settings.kubeconfigs import Kubeconfigs
from allotment.settings.kubernetes_pools import DeclaredAccelerator, ResourceName

Image = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^\S+$")]


def _url(text: str) -> str:
    found = urlsplit(text)
    if found.scheme not in {"http", "https"} or not found.hostname:
        message = f"expected an address such as http://hub.example.org:8081, found {text[:80]!r}"
        raise ValueError(message)
    return text.rstrip("/")


Url = Annotated[str, AfterValidator(_url)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PodPlacement(_Section):
    """Where pods go: labels that their nodes must have, and taints that they put up with."""

    node_selector: NodeSelector = Field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()


class PodHome(_Section):
    """The home of a person's servers: a claim of storage that outlives them, or nothing that does.

    ``size`` is in bytes. A person whose limit of storage is lower gets a claim of that. ``per`` says
    whose it is: left out, a person's where pods of several nodes may mount it, else a server's.
    ``groups`` is a claim that is there already, in which each group has a folder that its people
    share: pods of several nodes mount it. ``group_writers`` says who may write there.
    """

    kind: Literal["claim", "none"] = "claim"
    size: Size = Field(default=10 * 2**30, description="an amount of storage such as 10GiB")
    storage_class: DnsName | None = None
    access_modes: tuple[Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"], ...] = Field(
        default=("ReadWriteOnce",), min_length=1
    )
    path: MountPath = "/home/jovyan"
    per: Literal["person", "server"] | None = None
    groups: DnsName | None = None
    group_writers: Literal["members", "leads"] = "members"

    @property
    def shared(self) -> bool:
        """Whether a person's servers share one claim: said, or possible because many nodes may mount it."""
        if self.per is not None:
            return self.per == "person"
        return "ReadWriteMany" in self.access_modes


class Kueue(_Section):
    """The queues of Kueue that pods wait in, by group. ``default`` is the queue of all others.

    Where a pod has a queue, Kueue decides when it may start; it is given ``patience`` for that.
    """

    queues: dict[Name, DnsLabel] = Field(default_factory=dict)
    default: DnsLabel | None = None
    patience: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))

    def queue_of(self, group: str | None) -> str:
        """The local queue that a group's pods wait in; empty: none."""
        return self.queues.get(group or "", self.default or "")


class KubernetesSettings(_Section):
    """The cluster, and how pods are made on it.

    ``kubeconfig`` left out: the cluster that the hub itself runs in, else what ``KUBECONFIG`` or
    ``~/.kube/config`` say. ``image`` is that of profiles which name none. ``hub_url`` and
    ``public_url`` are the hub and the platform as pods reach them. ``pending`` is how long a pod may
    find no node, ``starting`` how long it may take from then on until its server answers.
    ``gone_clusters`` are those, by the uid of their namespace kube-system, that are gone for good.
    """

    namespace: DnsLabel
    image: Image
    kubeconfig: Path | None = None
    context: Annotated[str, StringConstraints(min_length=1, max_length=253)] | None = None
    hub_url: Url | None = None
    public_url: Url | None = None
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    pull_secrets: tuple[DnsName, ...] = ()
    service_account: DnsName | None = None
    placement: PodPlacement = PodPlacement()
    pools: dict[Name, PodPlacement] = Field(default_factory=dict)
    priority_classes: dict[Priority, DnsName] = Field(default_factory=dict)
    home: PodHome = PodHome()
    pending: Duration = Field(default=timedelta(minutes=10), gt=timedelta(0))
    starting: Duration = Field(default=timedelta(minutes=10), gt=timedelta(0))
    kueue: Kueue | None = None
    gone_clusters: tuple[Annotated[str, StringConstraints(min_length=1, max_length=64)], ...] = ()
    kubeconfigs: Kubeconfigs | None = None
    accelerators: dict[ResourceName, DeclaredAccelerator] = Field(default_factory=dict)

    def beside(self, folder: Path) -> KubernetesSettings:
        """The same, with its files looked for from a folder: that of the settings."""
        own = None if self.kubeconfig is None else folder / self.kubeconfig
        given = None if self.kubeconfigs is None else self.kubeconfigs.beside(folder)
        return self.model_copy(update={"kubeconfig": own, "kubeconfigs": given})

    def placement_of(self, pool: str | None) -> PodPlacement:
        """Where pods of a pool go: what is said for all of them, and for its own beside."""
        own = self.pools.get(pool or "", PodPlacement())
        return PodPlacement(
            node_selector={**self.placement.node_selector, **own.node_selector},
            tolerations=(*self.placement.tolerations, *own.tolerations),
        )

    @property
    def longest_start(self) -> timedelta:
        """How long a start can take at most, until it is given up."""
        waits = self.kueue.patience if self.kueue else timedelta(0)
        return waits + self.pending + self.starting
