"""What commands say of waiting: by when a server starts, and what would be sooner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from allotment.cli.output import Output, ago
from allotment.model.documents import Way


def ahead(moment: datetime | None, now: datetime | None = None) -> str:
    """How long until something is expected: ``in 25 min``; empty where nobody can say."""
    if moment is None:
        return ""
    now = now or datetime.now(UTC)
    return "now" if moment <= now else f"in {ago(now, moment)}"


def starts_words(half: datetime | None, most: datetime | None) -> str:
    """By when a server starts, with both confidences; empty where nobody can say."""
    if half is None:
        return ""
    words = f"starts {_by(half)} with 50 %"
    return words if most is None else f"{words}, {_by(most)} with 90 %"


def _by(moment: datetime) -> str:
    return f"by {moment:%Y-%m-%d %H:%M} UTC ({ahead(moment)})"


def show_ways(out: Output, ways: Iterable[Way]) -> None:
    """What would be sooner, each with its effect; nothing where there is nothing."""
    found = tuple(ways)
    if not found:
        return
    out.say("What would be sooner:")
    for way in found:
        effect = (
            "starts at once"
            if way.starts_at_once
            else starts_words(way.starts_half, way.starts_most)
        )
        out.say(f"  {way.words}: {effect}")
