"""Which version is meant by what somebody wrote: its number, a tag, or a time. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo

from allotment.model.names import NAME_RULE, check_name
from allotment.model.reasons import Reason, Rule
from allotment.model.versions import Version, VersionState

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_DAY = timedelta(days=1)


def find(
    versions: Iterable[Version], tags: Mapping[str, int], wanted: str, zone: tzinfo
) -> Version | None:
    """The committed version that is meant: by a tag, else its number, else the last one until a time.

    A month or a day stands for its end in the platform's time zone, a time without a zone is in it.
    None where there is no such version.
    """
    committed = {one.number: one for one in versions if one.state is VersionState.COMMITTED}
    if wanted in tags:
        return committed.get(tags[wanted])
    if wanted.isascii() and wanted.isdigit():
        return committed.get(int(wanted))
    until = end_of(wanted, zone)
    if until is None:
        return None
    earlier = [one for one in committed.values() if one.at < until]
    return max(earlier, key=lambda one: (one.at, one.number), default=None)


def end_of(text: str, zone: tzinfo) -> datetime | None:
    """The moment after a month (``2026-10``), a day (``2026-10-31``) or a time; None where it is none."""
    month = _MONTH.fullmatch(text)
    try:
        if month is not None:
            year, number = int(month[1]), int(month[2])
            last = date(year, number, monthrange(year, number)[1])
            return datetime.combine(last + _DAY, time(), zone)
        if len(text) == len("2026-10-31"):
            return datetime.combine(date.fromisoformat(text) + _DAY, time(), zone)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    at = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    # "As of" a moment includes it.
    return at + timedelta(microseconds=1)


def tag_reason(tag: str) -> Reason | None:
    """Why something cannot be a tag: it would be taken for a number."""
    try:
        check_name(tag)
    except ValueError:
        return Reason(
            Rule.DATA_VERSION, f"{tag[:80]!r} is no name of a tag.", remedy=f"It has {NAME_RULE}."
        )
    if not tag.isdigit():
        return None
    return Reason(
        Rule.DATA_VERSION,
        f"{tag!r} is a number, and versions have numbers.",
        remedy="Put a letter before it.",
    )


def disabled_reason(target: str) -> Reason:
    """Why nothing new is kept in a target that was disabled."""
    return Reason(
        Rule.DATA_ENABLED,
        f"The target {target!r} is disabled.",
        remedy="Ask an operator to enable it, or choose another.",
    )
