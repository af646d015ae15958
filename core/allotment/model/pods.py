"""What a server's pod says about itself: names of labels and annotations, so that ours are told from others'.

A label's value has at most 63 characters of few kinds, and pods are selected by labels: ids, hubs,
pools and groups fit. Names of people and servers do not, so they are annotations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LABEL_ALLOTMENT = "allotment.dev/allotment"
"""The allotment that the pod runs on. Every pod of a server has it, and nothing else of the platform."""
LABEL_HUB = "allotment.dev/hub"
LABEL_POOL = "allotment.dev/pool"
LABEL_GROUP = "allotment.dev/group"

ANNOTATION_PERSON = "allotment.dev/person"
ANNOTATION_SERVER = "allotment.dev/server"
ANNOTATION_PROFILE = "allotment.dev/profile"
ANNOTATION_DEVICES = "allotment.dev/devices"
"""The ids of the devices that it was admitted with, with commas between."""
ANNOTATION_TOKEN = "allotment.dev/token-sha256"  # noqa: S105 - the name of an annotation
"""The SHA-256 of the server's API token: the record knows a server by it."""

KUEUE_QUEUE = "kueue.x-k8s.io/queue-name"
"""The label by which Kueue knows which local queue a pod waits in."""
KUEUE_GATE = "kueue.x-k8s.io/admission"
"""The scheduling gate that Kueue puts on a pod until it admits it."""

NOTEBOOK = "notebook"
"""The container that is the server; KubeSpawner calls it so."""


@dataclass(frozen=True, slots=True)
class PodMark:
    """Which server a pod is, as its labels and annotations say."""

    allotment: str
    hub: str
    person: str
    server: str
    profile: str
    group: str | None
    pool: str | None
    devices: tuple[str, ...]
    token_hash: str

    @property
    def labels(self) -> dict[str, str]:
        """The labels; what there is none of has none."""
        found = {
            LABEL_ALLOTMENT: self.allotment,
            LABEL_HUB: self.hub,
            LABEL_POOL: self.pool or "",
            LABEL_GROUP: self.group or "",
        }
        return {name: value for name, value in found.items() if value}

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations."""
        return {
            ANNOTATION_PERSON: self.person,
            ANNOTATION_SERVER: self.server,
            ANNOTATION_PROFILE: self.profile,
            ANNOTATION_DEVICES: ",".join(self.devices),
            ANNOTATION_TOKEN: self.token_hash,
        }


def read_mark(labels: Mapping[str, str], annotations: Mapping[str, str]) -> PodMark | None:
    """The mark of a pod; None where it is no server of a platform's."""
    allotment, hub = labels.get(LABEL_ALLOTMENT), labels.get(LABEL_HUB)
    if not allotment or not hub:
        return None
    devices = annotations.get(ANNOTATION_DEVICES, "")
    return PodMark(
        allotment=allotment,
        hub=hub,
        person=annotations.get(ANNOTATION_PERSON, ""),
        server=annotations.get(ANNOTATION_SERVER, ""),
        profile=annotations.get(ANNOTATION_PROFILE, ""),
        group=labels.get(LABEL_GROUP),
        pool=labels.get(LABEL_POOL),
        devices=tuple(one for one in devices.split(",") if one),
        token_hash=annotations.get(ANNOTATION_TOKEN, ""),
    )
