"""``allotment.commit``: a version is begun, and waited for."""

from __future__ import annotations

import threading

from allotment.client import AllotmentClient
from allotment.model.documents import Version
from allotment.model.versions import VersionState
from allotment.notebook.problems import DataProblem
from allotment.notebook.progress import Progress, carry_out

LOOK_EVERY = 0.5
"""Seconds between two looks at a commit under way."""


def commit_and_wait(client: AllotmentClient, dataset: str, message: str) -> Version:
    """Begin a version and wait until it is kept. An interruption ends the waiting, not the commit."""
    begun = client.versions.commit(dataset, message)
    progress = Progress(f"Keeping version {begun.number} of {dataset}", total=begun.total or None)
    stop = threading.Event()
    progress.cancel.append(stop.set)

    def wait() -> Version:
        version = begun
        while version.state is VersionState.COMMITTING and not stop.wait(LOOK_EVERY):
            version = client.versions.get(dataset, begun.number)
            progress.done, progress.total = version.done, version.total or None
        return version

    version = carry_out(wait, progress)
    if version.state is VersionState.FAILED:
        words = f"Version {version.number} of {dataset} was not kept: {version.problem} Run it again when that is mended."
        raise DataProblem(words)
    return version
