"""What a server's environment says about it. The server's own extension and its notebooks read it."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.model.allotments import Allotment
from allotment.model.devices import DEVICE_VARIABLES, SlotKind
from allotment.model.profiles import Profile
from allotment.model.software import Software

_OURS = ("ALLOTMENT_", "JUPYTERHUB_", "JPY_API_TOKEN", *DEVICE_VARIABLES)
"""What no profile may say: it would take another's identity, or another's devices."""
_SHOWN = ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_MIG_")
"""What shows devices of its node to a pod, whoever says it."""


def promised_software(allotment: Allotment) -> Software | None:
    """The software that was chosen; None where its profile leaves no choice."""
    chosen = allotment.terms.get("software")
    return None if chosen is None else Software.model_validate(chosen)


def promised_profile(allotment: Allotment) -> Profile:
    """The profile as it was when the allotment was admitted, with the software that was chosen."""
    profile = Profile.model_validate(allotment.terms["profile"])
    return profile.running(promised_software(allotment))


def server_environment(allotment: Allotment, api_url: str) -> dict[str, str]:
    """What every kind of server is told: who it is, what it holds, whom to ask."""
    return {
        **_from_profile(promised_profile(allotment)),
        "ALLOTMENT_ID": allotment.id,
        "ALLOTMENT_API_URL": api_url,
        "ALLOTMENT_DEVICES": ",".join(device.id for device in allotment.devices),
        "ALLOTMENT_PROFILE": allotment.profile,
        "ALLOTMENT_SOFTWARE": allotment.terms.get("software", {}).get("name", ""),
        "ALLOTMENT_GROUP": allotment.group or "",
        "ALLOTMENT_HUB": allotment.hub,
    }


def _from_profile(profile: Profile) -> dict[str, str]:
    """The profile's own variables, and how many threads numeric libraries should start."""
    own = {name: value for name, value in profile.environment.items() if not name.startswith(_OURS)}
    if profile.cpu is None:
        return own
    return {"OMP_NUM_THREADS": str(max(1, int(profile.cpu)))} | own


def local_environment(allotment: Allotment) -> dict[str, str]:
    """What a local process is told beside: its devices, in the order of ``ALLOTMENT_DEVICES``.

    CUDA obeys it. It is a word, not a wall: a process could open another device by other means.
    Programs that write their title over their environment (setproctitle, as Ray's workers do) are
    told not to: the server's processes are known by it.
    """
    devices = ",".join(device.uuid for device in allotment.devices)
    return {"CUDA_VISIBLE_DEVICES": devices, "SPT_NOENV": "1"}


def pod_environment(allotment: Allotment, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a pod, in which nobody's word says which devices it sees, not the deployer's either.

    A runtime that reads ``NVIDIA_VISIBLE_DEVICES`` shows whatever it names. A pod with devices is
    told by its node's device plugin, after this; one without sees none, whatever its image would like.
    Which ones a pod sees nobody knows before: ``ALLOTMENT_DEVICE_KINDS``, in the order of
    ``ALLOTMENT_DEVICES``, tells it which of them it can measure, and that it finds them by itself.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith(_SHOWN)}
    if not allotment.devices:
        return kept | {"NVIDIA_VISIBLE_DEVICES": "void"}
    kinds = (SlotKind.of(one.resource, one.isolation, one.model) for one in allotment.devices)
    return kept | {"ALLOTMENT_DEVICE_KINDS": ",".join(kinds)}


def with_program_folder(environment: Mapping[str, str], folder: str) -> dict[str, str]:
    """Let a server find the programs that were installed beside the hub's Python first."""
    path = environment.get("PATH", "")
    folders = [folder, *(part for part in path.split(":") if part and part != folder)]
    return {**environment, "PATH": ":".join(folders)}
