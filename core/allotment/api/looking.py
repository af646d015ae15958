"""Looking at what the record does not know: hub, proxy, cluster, disks. Blocks, for seconds where something is away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from allotment.api.plane import ControlPlane
from allotment.model.refusals import AllotmentError

_PATIENCE = 3.0
"""Seconds that the proxy may take."""


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody answered: ``found`` is its version or what it says; where it did not, ``problem`` says why."""

    found: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system and what lies there. In bytes."""

    holds: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Around:
    """What a control plane finds around it. None: there is no such thing, or nobody said where it is."""

    hub: Look
    proxy: Look | None
    cluster: Look | None
    disks: tuple[Disk, ...]


def look_around(plane: ControlPlane) -> Around:
    """Look now."""
    return Around(
        hub=_asked(plane.hub.version),
        proxy=_proxy(plane),
        cluster=None if plane.cluster is None else _asked(plane.cluster),
        disks=tuple(_disks(plane)),
    )


def _asked(question: Callable[[], str]) -> Look:
    try:
        return Look(found=question())
    except AllotmentError as error:
        return Look(problem=str(error))


def _proxy(plane: ControlPlane) -> Look | None:
    """Ask the hub for its health as people reach it: through the proxy."""
    origin = plane.environment.public_origin
    if not origin:
        return None
    url = f"{origin}{plane.environment.hub_path}health"
    try:
        response = httpx.get(url, timeout=_PATIENCE, trust_env=False, follow_redirects=False)
    except httpx.HTTPError as error:
        return Look(problem=f"{origin} does not answer ({type(error).__name__}).")
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return Look(problem=f"{origin} answers for the hub with HTTP {response.status_code}.")
    return Look(found=origin)


def _disks(plane: ControlPlane) -> Iterator[Disk]:
    """The file systems of what the platform keeps in files here, each once."""
    environment = plane.environment
    places = (
        ("the record", _sqlite_folder(environment.record_url)),
        ("its state", environment.state),
        ("homes", environment.homes),
    )
    holds: dict[int, tuple[list[str], Path]] = {}
    for name, folder in places:
        if folder is not None and folder.is_dir():
            holds.setdefault(folder.stat().st_dev, ([], folder))[0].append(name)
    for names, folder in holds.values():
        use = shutil.disk_usage(folder)
        yield Disk(" and ".join(names), use.total, use.free)


def _sqlite_folder(url: str) -> Path | None:
    scheme, _, file = url.partition(":///")
    return Path(file).parent if scheme.startswith("sqlite") and file else None
