"""Sources as an export writes them: with what opens them, and with where their secrets are to be put."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from allotment.data.forms import asked_for, with_defaults
from allotment.data.opening import known_kind
from allotment.model.sources import Audience, Source
from allotment.record import Reading, declared, people, sources
from allotment.settings.parts.sources import Sources, audience_words


def exported_sources(reading: Reading) -> list[dict[str, Any]]:
    """Every source as a settings file declares it. Of a secret only the place is written.

    That is where the settings read it, or a variable named after the source, to be set by whoever
    applies the file.
    """
    remembered = {
        name: document.get("secrets", {})
        for (kind, name), document in declared.all_declared(reading).items()
        if kind == Sources.kind
    }
    names = _Names(
        place["variable"]
        for places in remembered.values()
        for place in places.values()
        if "variable" in place
    )
    onboarded = {one.name for one in people.all_people(reading) if one.onboarded}
    return [
        _exported(
            replace(one, audience=_of(onboarded, one.audience)),
            remembered.get(one.name, {}),
            names,
        )
        for one in sources.all_sources(reading)
    ]


def _of(onboarded: Collection[str], audience: Audience) -> Audience:
    """An audience without people whom the file does not name."""
    return replace(audience, people=tuple(one for one in audience.people if one in onboarded))


def _exported(
    source: Source, places: Mapping[str, Mapping[str, str]], names: _Names
) -> dict[str, Any]:
    form = known_kind(source.kind).fields
    values = with_defaults(form, source.fields)
    asked = [one for one in asked_for(form, source.fields) if one.type != "secret"]
    left_out = {one.name: one.default if one.default is not None else "" for one in asked}
    fields = {
        one.name: values[one.name]
        for one in asked
        if one.required or values[one.name] not in {left_out[one.name], ""}
    }
    secrets = {
        name: dict(places[name]) if name in places else {"variable": names.of(source.name, name)}
        for name in source.secrets
    }
    return {
        "name": source.name,
        "kind": str(source.kind),
        "title": source.title,
        "description": source.description,
        "fields": fields,
        **({"secrets": secrets} if secrets else {}),
        "audience": audience_words(source.audience),
        "group": source.group,
        "enabled": source.enabled,
    }


class _Names:
    """Variables for secrets that no settings file has named: each for one secret only."""

    def __init__(self, taken: Iterator[str]) -> None:
        self._taken = set(taken)

    def of(self, source: str, field: str) -> str:
        """A variable of this secret's own: two that shared one would show a secret to another's address."""
        wanted = re.sub(r"[^A-Za-z0-9]+", "_", f"{source}_{field}").strip("_").upper()
        wanted = wanted if not wanted[:1].isdigit() else f"SOURCE_{wanted}"
        number, name = 1, wanted
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name
