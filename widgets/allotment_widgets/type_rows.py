"""Instance types and quotas as rows, and what is wrong with them in sentences."""

from __future__ import annotations

from html import escape

from allotment.model.documents import InstanceType, InstanceTypeListing, Quota
from allotment.model.instance_types import NEAR
from allotment_widgets.columns import State
from allotment_widgets.sentences import counted_as

TYPE_STATES = {
    "enabled": State("Enabled", "ok"),
    "near": State("Near its limit", "warn"),
    "full": State("At its limit", "bad"),
    "disabled": State("Disabled", "quiet"),
}
QUOTA_STATES = {
    "well": State("Read", "ok"),
    "near": State("Mostly used", "warn"),
    "away": State("Not read", "bad"),
}


def type_state(one: InstanceType) -> str:
    """The state that a row shows."""
    if not one.enabled:
        return "disabled"
    if one.most is None:
        return "enabled"
    if one.held >= one.most:
        return "full"
    return "near" if one.percent >= NEAR else "enabled"


def type_row(one: InstanceType) -> dict[str, object]:
    """One instance type as a row."""
    return {
        "id": one.name,
        "title": one.title or None,
        "price": one.price,
        "used": (one.held, one.most),
        "origin": _origin(one),
        "source": "" if one.most is None else one.source,
        "profiles": ", ".join(one.profiles) or None,
        "state": type_state(one),
        "warning": one.warning,
    }


def _origin(one: InstanceType) -> str | None:
    if one.most is None:
        return None
    return "typed in" if one.most == one.limit else "AWS quota"


def quota_row(one: Quota) -> dict[str, object]:
    """One quota as a row."""
    state = "away" if one.problem else "near" if one.warning else "well"
    return {
        "id": one.code,
        "title": one.title or one.code,
        "used": None if one.used is None else (one.used, one.value),
        "held": one.held,
        "unit": one.unit,
        "read_at": one.read_at,
        "state": state,
        "warning": one.warning,
    }


def reading_html(listing: InstanceTypeListing) -> str:
    """Where the quotas come from."""
    region = listing.region or next((one.region for one in listing.quotas), "")
    if listing.region is None:
        return escape(f"AWS, {region}, as it was read last.")
    return escape(f"AWS, {region}. Read every five minutes.")


def warnings_html(listing: InstanceTypeListing) -> str:
    """Everything that should be known, one line each; nothing where there is nothing."""
    lines = [one.warning for one in listing.items if one.warning and one.enabled]
    lines += [one.warning for one in listing.quotas if one.warning and not one.problem]
    away = [one for one in listing.quotas if one.problem]
    if away:
        lines.append(away[0].warning)
    lines += listing.warnings
    if not lines:
        return ""
    items = "".join(f"<li>{escape(each)}</li>" for each in lines)
    number = counted_as(len(lines), "thing to look at", "things to look at")
    return f'<div class="reasons" role="status"><b>{number}</b><ul>{items}</ul></div>'
