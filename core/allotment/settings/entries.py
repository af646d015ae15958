"""A settings file as it was written, whatever is wrong with it: what checks of its references read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from allotment.settings.document import Place
from allotment.settings.sign_on import LOCAL, SignIn

Wrong = tuple[Place, str]
"""A place, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A mapping somewhere in the document. Whatever is not of the type asked for is left out."""

    place: Place
    value: dict[str, Any]

    def text(self, key: str) -> str | None:
        """The text of a key."""
        found = self.value.get(key)
        return found if isinstance(found, str) else None

    def number(self, key: str) -> int | None:
        """The whole number of a key."""
        found = self.value.get(key)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def texts(self, key: str) -> Iterator[tuple[Place, str]]:
        """The texts in a list, and the names of the mappings in it."""
        found = self.value.get(key)
        for index, item in enumerate(found if isinstance(found, list) else ()):
            word = item.get("name") if isinstance(item, dict) else item
            if isinstance(word, str):
                yield (*self.place, key, index), word

    def entries(self, key: str) -> Iterator[Entry]:
        """The mappings in a list."""
        found = self.value.get(key)
        for index, item in enumerate(found if isinstance(found, list) else ()):
            if isinstance(item, dict):
                yield Entry((*self.place, key, index), item)

    def inner(self, key: str) -> Entry:
        """The mapping of a key; an empty one where there is none."""
        found = self.value.get(key)
        return Entry((*self.place, key), found if isinstance(found, dict) else {})


def repeated(named: Iterable[tuple[Place, str]], what: str) -> Iterator[Wrong]:
    """Names that are given a second time; ``what`` has such a name."""
    seen: set[str] = set()
    for place, name in named:
        if name in seen:
            yield place, f"{what} {name!r} is given twice"
        seen.add(name)


def names_of(top: Entry, section: str, key: str = "name") -> Iterator[tuple[Place, str]]:
    """The names of what a section lists."""
    for entry in top.entries(section):
        name = entry.text(key)
        if name is not None:
            yield (*entry.place, key), name


def operators_of(top: Entry) -> set[str]:
    """Who runs the platform."""
    sign_in = top.inner("sign_in")
    if "operators" not in sign_in.value and sign_in.value.get("kind", LOCAL) == LOCAL:
        return set(SignIn().operators)
    return {name for key in ("operators", "local") for _, name in sign_in.texts(key)}


def people_known(top: Entry) -> set[str]:
    """Everybody whom the file names."""
    known = operators_of(top) | set(top.inner("people").value)
    for group in top.entries("groups"):
        known |= {name for key in ("members", "leads") for _, name in group.texts(key)}
    return known
