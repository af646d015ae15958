"""What is new: the changelog that comes with the program, read into versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from allotment.model.documents import NewsSection, Release

_VERSION = re.compile(
    r"^## (?:(?P<unreleased>Unreleased): *)?\[?(?P<version>[^\]\s]+)\]?(?: *[-,(]* *(?P<date>[\d-]{10}))?.*$",
    re.MULTILINE,
)
_KIND = re.compile(r"^### +(.+?) *$", re.MULTILINE)
_NOTE = re.compile(r"^- +", re.MULTILINE)


@cache
def releases() -> tuple[Release, ...]:
    """Versions with what they brought, the newest first. Of a program without its changelog none."""
    return tuple(read(_text()))


def _text() -> str:
    """The changelog: in a wheel it lies in the package, in a checkout beside it."""
    packed = files("allotment") / "CHANGELOG.md"
    if packed.is_file():
        return packed.read_text(encoding="utf-8")
    beside = Path(__file__).parents[3] / "CHANGELOG.md"
    return beside.read_text(encoding="utf-8") if beside.is_file() else ""


def read(text: str) -> Iterator[Release]:
    """Read a changelog: versions by second headings, kinds of change by third, notes by dashes."""
    heads = list(_VERSION.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        introduction, sections = _sections(text[head.end() : end])
        yield Release(
            version=head["version"],
            released=head["date"] or "not released yet",
            introduction=introduction,
            sections=sections,
        )


def _sections(body: str) -> tuple[str, tuple[NewsSection, ...]]:
    first, *rest = _KIND.split(body)
    introduction, *notes = _NOTE.split(first)
    found = [NewsSection(title="Changed", notes=_lines(notes))] if notes else []
    for title, text in zip(rest[::2], rest[1::2], strict=True):
        found.append(NewsSection(title=title, notes=_lines(_NOTE.split(text)[1:])))
    return _line(introduction), tuple(found)


def _lines(notes: list[str]) -> tuple[str, ...]:
    return tuple(_line(note) for note in notes)


def _line(text: str) -> str:
    """One line: where the file breaks lines means nothing."""
    return " ".join(text.split())
