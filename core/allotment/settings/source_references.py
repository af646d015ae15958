"""What declared sources say of the rest of a settings file: groups and people that must be in it."""

from __future__ import annotations

from collections.abc import Iterator

from allotment.settings.entries import Entry, Wrong, names_of, people_known
from allotment.settings.expectations import suggestion


def sources(top: Entry) -> Iterator[Wrong]:
    """Whom a source is shared with, and whose leads manage it."""
    groups = {name for _, name in names_of(top, "groups")}
    people = people_known(top)
    for source in top.entries("sources"):
        group = source.text("group")
        if group is not None and group not in groups:
            yield (*source.place, "group"), _unknown("group", group, groups)
        audience = source.inner("audience")
        for place, name in audience.texts("groups"):
            if name not in groups:
                yield place, _unknown("group", name, groups)
        for place, name in audience.texts("people"):
            if name not in people:
                yield place, _unknown("person", name, people)


def _unknown(what: str, name: str, known: set[str]) -> str:
    return f"this file names no {what} {name!r}; {suggestion(name, known)}".rstrip("; ")
