"""Proving that people cannot write to sources: after each change, daily, and when somebody asks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allotment.data.opening import Opening
from allotment.data.problems import SourceProblem
from allotment.model.refusals import NotFound, RevisionStale
from allotment.model.sources import Proof, Source, Verdict
from allotment.record import Record, sources

DAILY = timedelta(hours=24)
AGAIN_AFTER = timedelta(minutes=10)
"""How long after an attempt that showed nothing the next is made."""
EVERY = 60.0
"""Seconds between two looks for proofs that are due."""
_ACTOR = "proof"


@dataclass
class Proving:
    """Tries to write to sources with what users get, and keeps what that has shown."""

    record: Record
    opening: Opening
    _tried: dict[str, datetime] = field(default_factory=dict)

    def prove(self, name: str, actor: str, now: datetime) -> Proof:
        """Try a source now, and keep what that has shown. Where it shows nothing, the proof of before stays.

        Raises:
            NotFound: there is none of that name.
        """
        with self.record.reading() as reading:
            source = sources.get(reading, name)
        proof = self._attempt(source, now)
        # One that was changed meanwhile is proven by whoever changed it.
        with (
            suppress(RevisionStale, NotFound),
            self.record.writing(actor, now) as writing,
        ):
            sources.proven(writing, name, proof, source.revision, source.created_at)
        return proof

    def _attempt(self, source: Source, now: datetime) -> Proof:
        self._tried[source.name] = now
        try:
            with self.record.reading() as reading:
                opened = self.opening.source(reading, source)
            return self.opening.kind(source).prove(opened, self.opening.door, now)
        except SourceProblem as problem:
            return Proof(now, Verdict.UNPROVEN, problem=str(problem))

    def round(self, now: datetime) -> str:
        """Prove what is due. Returns in words what was found."""
        with self.record.reading() as reading:
            known = sources.all_sources(reading)
        self._tried = {one.name: self._tried[one.name] for one in known if one.name in self._tried}
        said = []
        for source in known:
            if self._due(source, now):
                said += self._said(source.name, now)
        return "; ".join(said)

    def _due(self, source: Source, now: datetime) -> bool:
        if not source.enabled:
            return False
        tried = self._tried.get(source.name)
        if tried is not None and now - tried < AGAIN_AFTER:
            return False
        proof = source.proof
        return proof is None or proof.verdict is Verdict.UNPROVEN or now - proof.at >= DAILY

    def _said(self, name: str, now: datetime) -> list[str]:
        try:
            proof = self.prove(name, _ACTOR, now)
        except NotFound:
            return []
        return [f"{name}: {proof.verdict}{f' ({proof.problem})' if proof.problem else ''}"]
