"""Everything that the control plane has to do with data: opening, proving and lending it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from allotment.data.datasets.footers_cache import FootersCache
from allotment.data.door import Door
from allotment.data.opening import Opening
from allotment.data.vault import Vault
from allotment.record import Record
from allotment.work import committing, proving, sources_told, withdrawing
from allotment.work.arrivals import Arrivals
from allotment.work.cleaning import Cleaning
from allotment.work.committing import Committing
from allotment.work.lending import Lending
from allotment.work.loop import Step
from allotment.work.outside import Outside
from allotment.work.proving import Proving
from allotment.work.sources_told import SourcesTold
from allotment.work.target_ends import TargetEnds


@dataclass(frozen=True, slots=True)
class DataWork:
    """The parts.

    ``told`` remembers whom to tell of sources that changed, ``footers`` what was read of files that
    have not; ``folder`` is the control plane's own.
    """

    opening: Opening
    proving: Proving
    lending: Lending
    committing: Committing
    cleaning: Cleaning
    told: SourcesTold
    footers: FootersCache
    folder: Path
    outside: Outside = field(default_factory=Outside)
    target_ends: TargetEnds = field(default_factory=TargetEnds)
    arrivals: Arrivals = field(default_factory=Arrivals)

    @classmethod
    def of(
        cls,
        record: Record,
        vault: Vault,
        door: Door,
        folder: Path,
        clock: Callable[[], datetime],
    ) -> DataWork:
        """Put the parts together. ``folder`` is where the control plane keeps files of its own."""
        opening = Opening(vault, door)
        committing = Committing(record, opening, folder, clock)
        return cls(
            opening=opening,
            proving=Proving(record, opening),
            lending=Lending(record, opening),
            committing=committing,
            cleaning=Cleaning(record, opening, committing, clock, folder),
            told=SourcesTold(record),
            footers=FootersCache(folder / "footers.sqlite"),
            folder=folder,
        )

    @property
    def attachments(self) -> Path:
        """The folder of documents beside datasets."""
        return self.folder / "attachments"

    def steps(self) -> tuple[Step, ...]:
        """The periodic work of it."""
        return (
            Step("lending", withdrawing.EVERY, self.lending.round),
            Step("versions", committing.EVERY, self.committing.round),
            Step("proving", proving.EVERY, self.proving.round),
            Step("source notices", sources_told.EVERY, self.told.look, everywhere=True),
        )

    def close(self) -> None:
        """Begin nothing further."""
        self.committing.close()
