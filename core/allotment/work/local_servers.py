"""The servers of one hub that run as processes of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from allotment.inventory import processes
from allotment.inventory.processes import MarkedProcess
from allotment.model.allotments import Allotment
from allotment.record.adopting import RunningServer


@dataclass(frozen=True, slots=True)
class LocalServers:
    """Found by their mark, which names the hub; ``hub_url`` tells two hubs of one name apart.

    ``hub_url`` is the hub's API as its servers are told it (``JUPYTERHUB_API_URL``). ``grace`` and
    ``patience`` are in seconds: see :func:`allotment.inventory.processes.end`.
    """

    hub: str
    hub_url: str
    grace: float = 3.0
    patience: float = 5.0

    def running(self) -> tuple[RunningServer, ...]:
        """One entry an allotment, with its oldest process. Blocks."""
        oldest: dict[str, MarkedProcess] = {}
        for one in processes.marked():
            if (one.hub, one.hub_url) == (self.hub, self.hub_url):
                oldest.setdefault(one.allotment, one)
        return tuple(_running(one) for one in oldest.values())

    def end(self, allotment: Allotment) -> str | None:
        """End every process of an allotment, and prove that none is left. Blocks.

        Of a pod nothing is known here: it is not gone because it has no process.
        """
        if allotment.pod is not None:
            return None
        if processes.end(allotment.id, allotment.process, grace=self.grace, patience=self.patience):
            return None
        return processes.prove_gone(allotment.id, allotment.process)


def _running(one: MarkedProcess) -> RunningServer:
    return RunningServer(
        allotment=one.allotment,
        hub=one.hub,
        person=one.person,
        server=one.server,
        profile=one.profile,
        group=one.group,
        devices=one.devices,
        place=one.process,
        token_hash=one.token_hash,
    )
