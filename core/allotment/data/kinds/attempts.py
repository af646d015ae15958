"""A proof in the making: what was tried, what was refused, and what a user could have written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from allotment.model.sources import Proof, Verdict

SHOWN = 50
"""How many lines of each list are kept: a superuser could write into every table there is."""


@dataclass(slots=True)
class Attempts:
    """Collects the outcomes of attempts to write, and judges them at the end."""

    tried: list[str] = field(default_factory=list)
    possible: list[str] = field(default_factory=list)
    refusals: int = 0
    gaps: list[str] = field(default_factory=list)

    def refused(self, what: str) -> None:
        """An attempt was refused for want of rights, as it should be."""
        self.refusals += 1
        self.tried.append(f"{what}: refused")

    def succeeded(self, what: str) -> None:
        """An attempt went through: users could do the same."""
        self.tried.append(f"{what}: possible")
        self.possible.append(what)

    def undecided(self, what: str, why: str) -> None:
        """An attempt failed for another reason than rights, so it shows nothing."""
        self.tried.append(f"{what}: not decided ({why})")

    def missed(self, what: str, why: str) -> None:
        """Something had to be looked at and could not be: without it nothing is proven read-only."""
        self.gaps.append(f"{what} could not be looked at ({why})")

    def holds(self, what: str) -> None:
        """A privilege to write was read where the source tells its privileges."""
        self.possible.append(what)

    def remark(self, text: str) -> None:
        """Something a reader of the proof should know."""
        self.tried.append(text)

    def proof(self, at: datetime, *, shared: bool = False, ends_within: int | None = None) -> Proof:
        """What all of it shows: one possible write is enough, and no refusal at all shows nothing."""
        tried, possible = _cut(self.tried), _cut(self.possible)
        if possible:
            return Proof(
                at, Verdict.WRITABLE, tried, possible, shared=shared, ends_within=ends_within
            )
        if not self.refusals or self.gaps:
            untried = "No write could be tried, so nothing is proven."
            problem = "; ".join(_cut(self.gaps)) or untried
            return Proof(at, Verdict.UNPROVEN, tried, problem=problem, shared=shared)
        return Proof(at, Verdict.READ_ONLY, tried, shared=shared, ends_within=ends_within)


def unproven(at: datetime, problem: str, *, shared: bool = False) -> Proof:
    """Nothing could be tried, and why."""
    return Proof(at, Verdict.UNPROVEN, problem=problem, shared=shared)


def _cut(lines: list[str]) -> tuple[str, ...]:
    distinct = list(dict.fromkeys(lines))
    if len(distinct) <= SHOWN:
        return tuple(distinct)
    return (*distinct[:SHOWN], f"and {len(distinct) - SHOWN} more")
