"""Patterns of paths: ``*`` stays in its folder, ``**`` crosses folders, ``?`` is one sign, ``[*]`` a star."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

_ESCAPED = re.compile(r"\[([*?[])\]")
"""A sign that stands for itself, as Python's ``glob.escape`` writes it."""
_STEP = re.compile(r"\[[*?[]\]|\*\*/?|.", re.DOTALL)


def is_pattern(path: str) -> bool:
    """Whether a path has wildcards."""
    return any(map(_is_wild, _STEP.findall(path)))


def unescaped(path: str) -> str:
    """A path without wildcards, each sign as it is."""
    return _ESCAPED.sub(r"\1", path)


def beginning(path: str) -> str:
    """A pattern up to its first wildcard, each sign as it is."""
    return unescaped("".join(takewhile(lambda step: not _is_wild(step), _STEP.findall(path))))


def _is_wild(step: str) -> bool:
    return step[0] in "*?"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as a machine that is in several places of it at once: a bit for each place.

    A regular expression would try every way in which its stars can share a path: with a dozen of them
    that takes hours, during which nothing else runs. Here each sign is looked at once.

    ``follows`` are, by sign, the places that it leads on from, ``any`` those where ``?`` stands for one;
    at ``crosses`` and ``stays`` there is a ``**`` or a ``*``, which take a sign and stay.
    """

    follows: Mapping[str, int]
    any: int
    crosses: int
    stays: int
    end: int

    @classmethod
    def of(cls, pattern: str) -> Pattern:
        """Read a pattern: ``*`` stays in its folder, ``**`` and what follows does not, ``[*]`` is a star."""
        follows: dict[str, int] = {}
        any_sign = crosses = stays = 0
        place = 1
        for step in _STEP.findall(pattern):
            if step.startswith("**"):
                crosses |= place
            elif step == "*":
                stays |= place
            else:
                if step == "?":
                    any_sign |= place
                else:
                    sign = unescaped(step)
                    follows[sign] = follows.get(sign, 0) | place
                place <<= 1
        return cls(follows, any_sign, crosses, stays, place)

    def matches(self, path: str) -> bool:
        """Whether the whole path is meant."""
        places = 1
        for sign in path:
            leads, stay = self.follows.get(sign, 0), self.crosses
            if sign != "/":
                leads, stay = leads | self.any, stay | self.stays
            places = (places & leads) << 1 | places & stay
            if not places:
                return False
        return bool(places & self.end)


pattern = lru_cache(256)(Pattern.of)
"""A pattern, read once."""
