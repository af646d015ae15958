"""The form with which people register files of their own, in their own server: as in the console, for own groups."""

from __future__ import annotations

from collections.abc import Callable
from glob import escape as literal
from html import escape
from typing import Any

from allotment.model.documents import Source
from allotment.model.refusals import AllotmentError
from allotment.notebook.sessions import Session
from allotment.notebook.source_paths import OpenedStore, SourcePath
from allotment_widgets.asking import Slot
from allotment_widgets.backend import Backend
from allotment_widgets.desk import Desk
from allotment_widgets.fields import put, stack, words
from allotment_widgets.frame import Tone
from allotment_widgets.panels.dataset_forms import registering
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.reading import read
from allotment_widgets.sentences import problem_lines
from allotment_widgets.source_rows import DATABASES

_NEEDED = (Topic.ME, Topic.SOURCES, Topic.TARGETS)
Place = tuple[Source, tuple[str, ...], bool]
"""What is looked at: a source, the way down, and whether more lies below."""


class _Said:
    """What was done, read out where it is shown."""

    def __init__(self) -> None:
        self.view = words()

    def say(self, text: str, tone: Tone = "ok") -> None:
        """Say it, until something else is said."""
        kind = "bad" if tone == "bad" else "warn" if tone == "warn" else ""
        note = f'<div class="note {kind}" role="status">{escape(text)}</div>'
        put(self.view, note if text else "")


class OwnRegistering:
    """Where the form opens. ``again`` is called when something may have been registered.

    Used in the backend's thread only.
    """

    def __init__(self, session: Session, backend: Backend, again: Callable[[], None]) -> None:
        self._session, self._backend = session, backend
        self._said = _Said()
        self._desk = Desk(session.client, backend, Picture(), self._said, lambda *_: again())
        self._slot = Slot(self._desk)
        self.view: Any = stack(self._said.view, self._slot.view)

    async def open(self, place: Place | None) -> None:
        """Open the form, with what is looked at filled in."""
        try:
            for topic in _NEEDED:
                await read(topic, self._session.client, self._backend, self._desk.picture)
            uris = await self._backend.call(self._uris, place)
        except AllotmentError as error:
            self._said.say(" ".join(problem_lines(error)), "bad")
            return
        source = place[0].name if uris and place else ""
        registering(self._desk, self._slot, uris, source).open()

    def _uris(self, place: Place | None) -> tuple[str, ...]:
        """Where files lie that are looked at, as a dataset is registered by it; it blocks."""
        if place is None or place[0].kind in DATABASES or not place[0].usable:
            return ()
        source, parts, holds = place
        uri = SourcePath(OpenedStore(source.name, self._session.lender), parts).uri
        # A place is itself, whatever signs its name has.
        return (literal(uri.rstrip("/")) + ("/" if holds else ""),)
