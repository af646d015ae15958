"""Parts of the platform as rows, and what is new as a piece of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from allotment.model.documents import About, Part, Release
from allotment_widgets.columns import Column, State

PART_STATES = {
    "failing": State("Fails", "bad"),
    "warning": State("Look", "warn"),
    "unknown": State("Not known", "quiet"),
    "off": State("Off", "quiet"),
    "ok": State("Well", "ok"),
}
PART_COLUMNS = (
    Column("title", "Part", flex=1, width=128),
    Column("state", "State", kind="state", states=PART_STATES, width=132),
    Column("says", "How it is", flex=6, width=150, hover="says", hide_narrow=True),
    Column("at", "Last well", kind="time", width=120, hide_narrow=True),
)
NEWEST = 12
"""Notes that are shown of a version before somebody asks for all."""
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_STRESSED = re.compile(r"\*([^*]+)\*")


def part_row(part: Part) -> dict[str, object]:
    """One part as a row."""
    return {
        "id": part.name,
        "title": part.title,
        "state": part.state,
        "says": part.says,
        "at": part.at,
    }


def part_html(part: Part) -> str:
    """One part with all that is known of it."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in part.details)
    listed = f"<ul>{lines}</ul>" if lines else ""
    return (
        f"<div class=release><h3>{escape(part.title)}</h3><p>{escape(part.says)}</p>{listed}</div>"
    )


def about_html(about: About) -> str:
    """Which platform this is, as a table of facts."""
    rows = (
        ("Version", f"Allotment {about.version}"),
        ("Licence", f"{about.licence}. Open use needs no licence key."),
        ("Hub", about.hub),
        ("Running since", f"{about.started_at:%Y-%m-%d %H:%M} UTC"),
        ("Time zone", about.time_zone),
        ("Protection", about.trust),
    )
    said = "".join(
        f"<tr><th scope=row>{key}</th><td>{escape(what)}</td></tr>" for key, what in rows
    )
    return f'<h2>About</h2><table class="plain facts-table">{said}</table>'


def news_html(releases: Iterable[Release]) -> str:
    """What each version brought; of many notes the first are shown, the rest where somebody opens them."""
    each = "".join(_release_html(release) for release in releases)
    return f"<h2>What is new</h2>{each or '<p>This program came without its changelog.</p>'}"


def _release_html(release: Release) -> str:
    introduction = f"<p>{_marked(release.introduction)}</p>" if release.introduction else ""
    sections = "".join(
        f"<p><b>{escape(section.title)}</b></p>{_notes_html(section.notes)}"
        for section in release.sections
    )
    head = f"<h3>{escape(release.version)} <span class=quiet>{escape(release.released)}</span></h3>"
    return f"<div class=release>{head}{introduction}{sections}</div>"


def _notes_html(notes: tuple[str, ...]) -> str:
    items = [f"<li>{_marked(note)}</li>" for note in notes]
    first, rest = "".join(items[:NEWEST]), "".join(items[NEWEST:])
    more = f"<details><summary>{len(notes) - NEWEST} more</summary><ul>{rest}</ul></details>"
    return f"<ul>{first}</ul>{more if rest else ''}"


def _marked(text: str) -> str:
    """A sentence of the changelog as a piece of a page: code as code; links, whose pages are elsewhere, as their words."""
    said = _LINK.sub(r"\1", escape(text, quote=False))
    pieces = _CODE.split(said)
    return "".join(
        f"<code>{piece}</code>" if number % 2 else _STRESSED.sub(r"<em>\1</em>", piece)
        for number, piece in enumerate(pieces)
    )
