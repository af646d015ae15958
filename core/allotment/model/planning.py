"""How what was promised of a pool fits what is there."""

from __future__ import annotations

from enum import StrEnum


class Fit(StrEnum):
    """The worst that holds of a pool is told."""

    OVERCOMMITTED = "overcommitted"
    """More devices are guaranteed than can be given out."""
    FULL = "full"
    """All that can be given out was held at once."""
    LENT = "lent"
    """The ceilings add up to more than is there: they count on lending."""
    FITS = "fits"

    @property
    def words(self) -> str:
        """What it means, in a few words."""
        return _WORDS[self]


_WORDS = {
    Fit.OVERCOMMITTED: "Over-committed",
    Fit.FULL: "Full at its peak",
    Fit.LENT: "Counts on lending",
    Fit.FITS: "Fits",
}
