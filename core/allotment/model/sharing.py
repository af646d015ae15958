"""How a pool is shared: what groups lend one another, and how it comes back."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from allotment.model.durations import Duration, format_duration


class PoolPolicy(BaseModel):
    """How a pool deals with those who wait for it. All times are durations.

    ``sharing`` lets low-priority servers borrow what other groups do not use, up to their own group's
    ceiling. ``minimum_runtime`` is what a borrower gets before it may be reclaimed, ``grace`` the time
    between the notice and the stop. A ticket that has waited longer than ``protect_after`` is not
    overtaken any more by what would delay it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sharing: bool = False
    minimum_runtime: Duration = Field(
        default=timedelta(minutes=30), ge=timedelta(0), json_schema_extra={"default": "30m"}
    )
    grace: Duration = Field(
        default=timedelta(minutes=5), ge=timedelta(0), json_schema_extra={"default": "5m"}
    )
    protect_after: Duration = Field(
        default=timedelta(minutes=10), ge=timedelta(0), json_schema_extra={"default": "10m"}
    )

    @property
    def sentence(self) -> str:
        """The policy in words."""
        protected = (
            f"Who has waited {format_duration(self.protect_after)} is not overtaken any more."
        )
        if not self.sharing:
            return f"Groups keep what they are guaranteed; nothing is lent. {protected}"
        return (
            "Low-priority servers borrow what other groups do not use. It is reclaimed after "
            f"{format_duration(self.minimum_runtime)} at the earliest, "
            f"{format_duration(self.grace)} after a notice. {protected}"
        )


HALF_LIFE = timedelta(days=7)
"""After this long, use counts half in the fair share."""
OFFER_LASTS = timedelta(minutes=10)
"""An offer ends when its server has not been placed by then; the next in the queue gets the devices."""
