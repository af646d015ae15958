"""Mail about sources: who may use one that was added or changed is written so once it can be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from allotment.model.events import Event
from allotment.model.mail import Notice
from allotment.record import Reading, mails, source_news
from allotment.record.source_news import SourceNews

KINDS = frozenset({"source.proven", "source.accepted", "source.changed"})
"""Events after which a source may work otherwise than before, or for others."""


def source_mails(reading: Reading, found: Iterable[Event], now: datetime) -> Iterator[Notice]:
    """What these events have people written about sources. Nobody is written to twice about one change."""
    names = dict.fromkeys(event.subject for event in found if event.kind in KINDS)
    for name in names:
        for news in source_news.lately(reading, now, name):
            readers = mails.reached(reading, source_news.readers(reading, news, now), news.id)
            yield from (_notice(news, person) for person in readers)


def _notice(news: SourceNews, person: str) -> Notice:
    title = news.title or news.name
    done = "added" if news.added else "changed"
    return Notice(
        person,
        news.id,
        "source",
        f"The data source {title} was {done}",
        f"The data source {title} ({news.name}) was {done}, and you may use it.\n\n"
        "Test it from your server: by the button in the notice above JupyterLab, or in a cell:\n\n"
        f'    allotment.test("{news.name}")',
    )
