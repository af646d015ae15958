"""What a narrowed token opens: a credential access boundary, in Google's words."""

from __future__ import annotations

from typing import Any

from allotment.data.kinds.kind import Opened
from allotment.data.kinds.places import merged, parts_of, prefix_of
from allotment.model.sources import Part

MOST_RULES = 10
"""Rules that a boundary may have."""
_VIEWER = "inRole:roles/storage.objectViewer"
_LISTED = "api.getAttribute('storage.googleapis.com/objectListPrefix', '')"


def boundary(source: Opened, within: tuple[Part, ...] = ()) -> dict[str, Any]:
    """View objects of what is lent, list it, and nothing else.

    Parts that are too many for a boundary are covered by the folders that hold them.

    Args:
        source: the source.
        within: what of it is lent; empty for all below its prefix.

    Raises:
        SourceProblem: a part lies outside the source's prefix.
    """
    bucket = str(source.fields["bucket"])
    rules = [_rule(bucket, one) for one in opened_parts(source, within)]
    return {"accessBoundary": {"accessBoundaryRules": rules}}


def opened_parts(source: Opened, within: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts that a boundary opens: those that are lent, or the folders that hold them."""
    prefix = prefix_of(str(source.fields["prefix"]))
    parts = parts_of(prefix, within)
    while len(parts) > MOST_RULES and (fewer := merged(prefix, parts)) != parts:
        parts = fewer
    return parts


def _rule(bucket: str, part: Part) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "availablePermissions": [_VIEWER],
        "availableResource": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
    }
    name = _quoted(f"projects/_/buckets/{bucket}/objects/{part.key}")
    if part.exact:
        return {**rule, "availabilityCondition": {"expression": f"resource.name == {name}"}}
    if not part.key:
        return rule
    lists = f"{_LISTED}.startsWith({_quoted(part.key)})"
    expression = f"resource.name.startsWith({name}) || {lists}"
    return {**rule, "availabilityCondition": {"expression": expression}}


def _quoted(text: str) -> str:
    """A text in Google's language of conditions."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
