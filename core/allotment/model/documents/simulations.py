"""Replays that were asked for, how far they are, and what they found."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.simulation import LetInTable, Result, SimulationPolicy, SimulationQuestion


class SimulationState(StrEnum):
    """Where a replay stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self not in {SimulationState.WAITING, SimulationState.RUNNING}


class PresentPolicy(Document):
    """The platform's policy as a replay takes it; none where no pool has devices."""

    policy: SimulationPolicy | None


class Simulation(Document):
    """One replay. What it found is there once its state is done; lists leave it out."""

    id: str
    question: SimulationQuestion
    state: SimulationState
    progress: float = Field(description="0 to 1")
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None = None
    own: bool = Field(description="Of the platform's own history; else of a trace that was sent")
    begin: datetime | None = Field(default=None, description="The first moment that is replayed")
    end: datetime | None = None
    launches: int = Field(default=0, description="Launches in the trace")
    refused_otherwise: dict[str, int] = Field(
        default_factory=dict, description="Refusals that no device would have mended, by rule"
    )
    problem: str = Field(default="", description="Why it failed")
    present_policy: SimulationPolicy | None = None
    changed_policy: SimulationPolicy | None = None
    present: Result | None = None
    changed: Result | None = None
    let_in: LetInTable | None = None


class SimulationListing(Listing):
    """Replays that are kept, the newest first."""

    items: tuple[Simulation, ...]


__all__ = [
    "PresentPolicy",
    "Simulation",
    "SimulationListing",
    "SimulationQuestion",
    "SimulationState",
]
