"""How long what an object store lends lasts: it cannot be taken back, so its end is what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allotment.data.kinds.kind import FormField

MINUTE, QUARTER, HOUR = "minute", "quarter", "hour"
LASTS = FormField(
    "lasts",
    "What is lent lasts",
    "Servers are lent it anew for as long as they may read. What they hold when it is revoked, or when "
    "somebody leaves a group, works until its time is over. A longer time lets them read on while the "
    "control plane is away. A key or signature that is lent itself never ends.",
    type="choice",
    default=MINUTE,
    choices=(
        (MINUTE, "1 minute: revoking ends it"),
        (QUARTER, "15 minutes"),
        (HOUR, "1 hour: reads go on while the control plane is away"),
    ),
)
"""The field that every kind of object store has in its form."""
_TIMES = {
    MINUTE: timedelta(minutes=1),
    QUARTER: timedelta(minutes=15),
    HOUR: timedelta(hours=1),
}
UNTRIED = timedelta(minutes=15)
"""What is lent before anything has shown that shorter ones work: every store that ends it sooner takes this."""


def chosen(fields: Mapping[str, Any]) -> timedelta:
    """How long what is lent of a source should last, as its form says."""
    return _TIMES[str(fields.get(LASTS.name) or LASTS.default)]


def lasting(fields: Mapping[str, Any], ends_within: int | None) -> timedelta:
    """How long what is lent of a source lasts: as its form says, or as long as its store can do no less.

    Args:
        fields: what was entered for the source.
        ends_within: what its last proof has found, in seconds; None: nothing.
    """
    least = UNTRIED if ends_within is None else timedelta(seconds=ends_within)
    return max(chosen(fields), least)
