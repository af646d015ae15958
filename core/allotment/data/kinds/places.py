"""Places in an object store or a folder: prefixes, and what lies below them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.sources import Entry, Part

PAGE = 1_000
"""The most entries that stores give in one page."""


def prefix_of(text: str) -> str:
    """A prefix as it is used: empty for everything, else without a leading ``/`` and with one at its end.

    Raises:
        SourceProblem: it climbs, or has signs that mean something else in a provider's policies.
    """
    prefix = text.strip().lstrip("/")
    if not prefix:
        return ""
    prefix = prefix if prefix.endswith("/") else f"{prefix}/"
    strange = sorted(set("*?$'\"\\") & set(prefix))
    if strange or not prefix.isprintable():
        raise _refused(
            prefix, f"holds {' '.join(strange) or 'odd characters'}, which cannot be kept to"
        )
    if {"", ".", ".."} & set(prefix[:-1].split("/")):
        raise _refused(prefix, "has a part that is empty or climbs")
    return prefix


def below(prefix: str, path: tuple[str, ...]) -> str:
    """The prefix of a place that is browsed, from the root of its source.

    Raises:
        SourceProblem: the path climbs.
    """
    for part in path:
        if part in {"", ".", ".."} or "/" in part or "\0" in part:
            raise _refused("/".join(path), "is no place below this source")
    return prefix + "".join(f"{part}/" for part in path)


def parts_of(prefix: str, within: Iterable[Part]) -> tuple[Part, ...]:
    """What is lent of a source: these parts, or all below its prefix where none is named.

    Those that lie within another are left out.

    Raises:
        SourceProblem: one lies outside the prefix.
    """
    named = tuple(dict.fromkeys(within))
    for one in named:
        if not one.key.startswith(prefix):
            raise _refused(one.key, f"lies outside of what the source shares, {prefix}")
    starts = {one.key for one in named if not one.exact}
    lengths = sorted({len(start) for start in starts})

    def is_held(one: Part) -> bool:
        return any(
            one.key[:length] in starts
            for length in lengths
            if length < len(one.key) or (one.exact and length == len(one.key))
        )

    return tuple(one for one in named if not is_held(one)) or (Part(prefix),)


def merged(prefix: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Fewer parts that hold all of these: those that lie deepest are covered by their folders.

    Nothing above the prefix is taken; once that is all, the same comes back.
    """
    deepest = max(one.key.rstrip("/").count("/") for one in parts)
    wider = [
        Part(max(_folder(one.key), prefix, key=len))
        if one.key.rstrip("/").count("/") == deepest
        else one
        for one in parts
    ]
    return parts_of(prefix, wider)


def _folder(key: str) -> str:
    """The folder that a key or folder lies in; empty at the root."""
    return key[: key.rstrip("/").rfind("/") + 1]


def entries(
    path: tuple[str, ...],
    at: str,
    prefixes: Iterable[str],
    files: Iterable[tuple[str, int | None, datetime | None]],
) -> tuple[Entry, ...]:
    """What a page of a listing at a prefix shows, by name.

    Args:
        path: the place that is browsed.
        at: its prefix.
        prefixes: full names of prefixes below it, each ending in ``/``.
        files: full name, bytes and time of change of the files in it.
    """
    found = []
    for full in prefixes:
        name = full[len(at) :].rstrip("/")
        if name not in {"", ".", ".."}:
            found.append(Entry(name, "prefix", (*path, name), holds=True))
    for full, size, changed_at in files:
        name = full[len(at) :]
        # A file of the prefix's own name, which some programs leave as the mark of a folder.
        if name:
            found.append(Entry(name, "file", (*path, name), size=size, changed_at=changed_at))
    return tuple(sorted(found, key=lambda entry: entry.name))


def page(limit: int) -> int:
    """A page's size as stores take it."""
    return max(1, min(limit, PAGE))


def _refused(text: str, why: str) -> SourceProblem:
    shown = text[:200].encode("unicode_escape").decode() if not text.isprintable() else text[:200]
    return SourceProblem(f"{shown!r} {why}.", remedy="Choose another place.", rule=Rule.DATA_PATH)
