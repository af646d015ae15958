"""What a new proof of a source does to the one before it, and to who accepted that one. Pure."""

from __future__ import annotations

from dataclasses import replace

from allotment.model.sources import Proof, Verdict


def kept(before: Proof | None, found: Proof) -> Proof:
    """The proof that counts after another attempt.

    An attempt that could not be made (the source was away) shows nothing: what was shown before goes on,
    and says why it is not newer.
    """
    if found.verdict is not Verdict.UNPROVEN or before is None:
        return found
    if before.verdict is Verdict.UNPROVEN:
        return found
    return replace(before, problem=f"Not tried again on {found.at:%Y-%m-%d}: {found.problem}")


def still_accepted(before: Proof | None, now: Proof) -> bool:
    """Whether somebody who accepted the proof before has accepted this one: no more is possible by it."""
    if before is None or now.verdict is Verdict.READ_ONLY:
        return False
    return before.verdict is now.verdict and set(now.possible) <= set(before.possible)
