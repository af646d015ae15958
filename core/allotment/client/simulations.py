"""Replays."""

from __future__ import annotations

from allotment.client.connection import Connection
from allotment.client.paths import segment
from allotment.client.usage import Day, words
from allotment.model.documents import (
    PresentPolicy,
    Simulation,
    SimulationListing,
    SimulationQuestion,
)
from allotment.model.simulation import SimulationPolicy


class Simulations:
    """``client.simulations``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> SimulationListing:
        """Replays that are kept, the newest first, without what they found."""
        return self._connection.read_all(SimulationListing, "/simulations")

    def get(self, simulation: str, *, wait: float = 0) -> Simulation:
        """One replay: how far it is; what it found, once it is done.

        With ``wait`` (seconds, at most 10) the answer comes as soon as it has ended.
        """
        path = f"/simulations/{segment(simulation)}"
        return self._connection.read(Simulation, path, wait=wait or None)

    def present_policy(self) -> SimulationPolicy | None:
        """The platform's policy as a replay takes it; None where no pool has devices."""
        return self._connection.read(PresentPolicy, "/simulations/policy").policy

    def begin(
        self,
        question: SimulationQuestion = SimulationQuestion.COMPARE,
        *,
        begin: Day = None,
        end: Day = None,
        trace: str | None = None,
        present: SimulationPolicy | None = None,
        changed: SimulationPolicy | None = None,
    ) -> Simulation:
        """Begin a replay of own history, the last 7 days unless said, or of a trace (CSV).

        ``present`` None is the platform's present policy. Read it again with :meth:`get` until its
        state has ended.
        """
        body = {
            "question": str(question),
            "begin": words(begin),
            "end": words(end),
            "trace": trace,
            "present": None if present is None else present.model_dump(mode="json"),
            "changed": None if changed is None else changed.model_dump(mode="json"),
        }
        return self._connection.send(Simulation, "POST", "/simulations", body)

    def end(self, simulation: str) -> None:
        """End a replay that waits or runs."""
        self._connection.delete(f"/simulations/{segment(simulation)}")
