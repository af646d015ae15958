"""What the console says in words. Whatever comes from the record is escaped before it becomes a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from allotment.client import ControlPlaneAway
from allotment.model.amounts import counted
from allotment.model.documents import HeldDevice, Profile, ReasonDocument, Server
from allotment.model.profiles import PoolByModel
from allotment.model.reasons import Reason
from allotment.model.refusals import AllotmentError, RecordUnavailable, Refusal, RevisionStale

MINUTE, HOUR, DAY = 60, 3600, 86_400
MOST = 8
"""Names that are listed before the rest is counted."""


def listed(names: Iterable[str], most: int = MOST) -> str:
    """``a, b and c``, or ``a, b and 7 more``."""
    every = list(names)
    shown, rest = every[:most], len(every) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    if len(shown) > 1:
        return f"{', '.join(shown[:-1])} and {shown[-1]}"
    return "".join(shown)


def counted_as(number: int, one: str, many: str) -> str:
    """A number with its noun, where the noun's plural is not its own with an s."""
    return f"{number} {one if number == 1 else many}"


def bullets(lines: Sequence[str]) -> str:
    """Sentences as HTML: one as it is, several as a list."""
    if len(lines) <= 1:
        return "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def reason_lines(reasons: Iterable[Reason | ReasonDocument]) -> list[str]:
    """Each reason with what would help."""
    return [f"{reason.message} {reason.remedy}".strip() for reason in reasons]


def problem_lines(error: AllotmentError) -> list[str]:
    """What went wrong, and whether anything was changed, in sentences."""
    if isinstance(error, Refusal):
        return reason_lines(error.reasons)
    if isinstance(error, RevisionStale):
        return [
            "Somebody changed this meanwhile, so nothing was changed.",
            "Close this form, look at what is there now, and change it again.",
        ]
    if isinstance(error, ControlPlaneAway | RecordUnavailable):
        return [str(error), "Nothing is known to have changed; try again in a moment."]
    return [str(error)]


def problem_html(error: AllotmentError) -> str:
    """The same as a piece of a page that screen readers speak at once."""
    return f'<div class="reasons" role="alert">{bullets(problem_lines(error))}</div>'


def server_name(server: Server) -> str:
    """What a person calls a server."""
    return server.display_name or server.name or "default"


def server_words(server: Server) -> str:
    """Whose server, and which."""
    return f"{server.person}/{server.name or 'default'}"


def devices_words(devices: Sequence[HeldDevice]) -> str:
    """``dgx-1 gpu-3 and gpu-4``: devices by node."""
    by_node: dict[str, list[str]] = {}
    for device in devices:
        by_node.setdefault(device.node, []).append(device.id)
    return "; ".join(f"{node} {listed(names)}" for node, names in by_node.items())


def pool_words(profile: Profile) -> str:
    """Where a profile takes its devices from."""
    if not profile.devices:
        return ""
    if isinstance(profile.pool, PoolByModel):
        return f"a pool of {profile.pool.model}"
    return "any pool" if profile.pool == "any" else profile.pool


def will_happen(lines: Sequence[str]) -> str:
    """What a button will do, as a piece of a page."""
    return f'<div class="will">{bullets(lines)}</div>' if lines else ""


def ago(moment: datetime, now: datetime) -> str:
    """How long ago something was, in its largest unit: ``12 min ago``."""
    seconds = (now - moment).total_seconds()
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min ago"
    return f"{seconds // HOUR:.0f} h ago" if seconds < DAY else f"{seconds // DAY:.0f} d ago"


def moment_html(moment: datetime, now: datetime) -> str:
    """How long ago something was, and on hover exactly when."""
    exact = f"{moment:%d %b %Y %H:%M:%S} UTC"
    return f'<time datetime="{moment.isoformat()}" title="{exact}">{ago(moment, now)}</time>'


def devices_count(number: int) -> str:
    """``1 device``, ``3 devices``."""
    return counted(number, "device")
