"""The step ``mail``: what people are to know is written to them, where a mail server is named.

Notices are written from events, in one transaction with how far events were read; a mail server
gets each of them until it takes it. One control plane at a time does so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, tzinfo
from smtplib import SMTP

from allotment.model.events import Event
from allotment.model.mail import Mail, Notice
from allotment.record import (
    Reading,
    Record,
    endings,
    events,
    leases,
    mails,
    memberships,
    people,
    platform,
)
from allotment.rules.telling import TOLD, Audience, Telling, telling
from allotment.settings.mail import MailServer
from allotment.work import post_office
from allotment.work.holders import known_to_be_gone
from allotment.work.post_office import MailRefused, MailServerAway
from allotment.work.software_mails import software_mails
from allotment.work.source_mails import source_mails

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two rounds."""
AFTER_FAILURE = 60.0
"""Seconds until a mail server that was away is asked again."""
LEASE = timedelta(seconds=15)
"""How long a process that died keeps others from its work. One that outlasts it sends nothing twice: each
mail is begun in the record before it is sent."""
AGAIN = timedelta(minutes=10)
"""When a mail is sent again of which nothing was heard, because its process ended."""
LATEST = timedelta(days=1)
"""Nothing older is told, and what could not be sent for so long is given up."""
KEPT = timedelta(days=30)
_EVENTS, _MAILS = 1000, 50
"""Events read and mails sent in one round, at most."""
_ACTOR = "mail"


class Mailing:
    """Writes and sends. Blocks; keep one per process."""

    def __init__(
        self, record: Record, server: Callable[[], MailServer | None], *, link: str, holder: str
    ) -> None:
        self._record, self._server, self._link, self._holder = record, server, link, holder
        self._idle_at: int | None = None
        self._forgot: datetime | None = None

    def round(self, now: datetime) -> str:
        """Write what happened to whom it concerns, then send what is due. Returns what was done.

        Raises:
            MailServerAway: the mail server cannot be used; mail waits.
        """
        server = self._server()
        if server is None:
            self._begin_anew(now)
            return ""
        if not self._nothing_new(now) and self._have_lease(now):
            self._write(now)
        with self._record.reading() as reading:
            waiting = mails.due(reading, now, _MAILS)
        if not waiting or not self._have_lease(now):
            return ""
        return self._send(server, waiting, now)

    def _begin_anew(self, now: datetime) -> None:
        """Without a mail server nobody is written to, later neither about what happens meanwhile."""
        with self._record.reading() as reading:
            begun = mails.read_until(reading) is not None
        if begun:
            with self._record.writing(_ACTOR, now, configuration=False) as writing:
                mails.note_read(writing, None)

    def _have_lease(self, now: datetime) -> bool:
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            return leases.take(writing, "mail", self._holder, LEASE, gone=known_to_be_gone)

    # Writing.

    def _nothing_new(self, now: datetime) -> bool:
        """Whether no event has come since the last look, which costs one small read."""
        with self._record.reading() as reading:
            newest = events.latest_sequence(reading)
        forgot_lately = self._forgot is not None and now - self._forgot < LATEST
        return newest == self._idle_at and forgot_lately

    def _write(self, now: datetime) -> None:
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            after = mails.read_until(writing)
            newest = events.latest_sequence(writing)
            if after is not None:
                found = events.after(writing, after, _EVENTS)
                newest = found[-1].sequence if len(found) == _EVENTS else newest
                for notice in _notices(writing, found, now):
                    mails.notify(writing, notice)
                mails.notify_all(writing, tuple(source_mails(writing, found, now)))
                for notice in software_mails(writing, found):
                    mails.notify(writing, notice)
            mails.note_read(writing, newest)
            mails.forget(writing, now - KEPT)
        self._idle_at, self._forgot = newest, now

    # Sending.

    def _send(self, server: MailServer, waiting: Iterable[Mail], now: datetime) -> str:
        number = 0
        with post_office.connected(server) as connection:
            for mail in waiting:
                number += self._send_one(connection, server, mail, now)
        return f"sent {number}" if number else ""

    def _send_one(self, connection: SMTP, server: MailServer, mail: Mail, now: datetime) -> bool:
        """Send one mail, noted before and after: what is cut off between the two is sent again."""
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            if now - mail.made_at > LATEST:
                mails.give_up(writing, mail, "It could not be sent for a day.")
                return False
            if not mails.begin(writing, mail, now + AGAIN):
                return False
        try:
            post_office.send(connection, mail, server, self._link)
        except MailRefused as refused:
            self._refused(mail, refused, now)
            return False
        except MailServerAway as away:
            self._put_off(mail, str(away), now)
            raise
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            mails.sent(writing, mail)
        return True

    def _refused(self, mail: Mail, refused: MailRefused, now: datetime) -> None:
        log.warning("a mail to %s was refused: %s", mail.notice.person, refused)
        if refused.final:
            with self._record.writing(_ACTOR, now, configuration=False) as writing:
                mails.give_up(writing, mail, str(refused))
        else:
            self._put_off(mail, str(refused), now)

    def _put_off(self, mail: Mail, problem: str, now: datetime) -> None:
        later = now + timedelta(minutes=min(60, 2 ** min(mail.tries, 6)))
        with self._record.writing(_ACTOR, now, configuration=False) as writing:
            mails.put_off(writing, mail, later, problem)


def _notices(reading: Reading, found: Iterable[Event], now: datetime) -> list[Notice]:
    """What these events have people written."""
    zone = platform.time_zone(reading)
    return [
        Notice(person, said.about, event.kind, said.subject, said.body)
        for event in found
        if event.kind in TOLD and now - event.at <= LATEST
        for said in [_said(reading, event, zone)]
        if said is not None
        for person in _readers(reading, said, now)
    ]


def _said(reading: Reading, event: Event, zone: tzinfo) -> Telling | None:
    """What an event says, unless it was taken back meanwhile."""
    if event.kind == "ending.said":
        still = endings.of_allotment(reading, event.subject)
        if all(str(one.cause) != (event.after or {}).get("cause") for one in still):
            return None
    return telling(event, zone)


def _readers(reading: Reading, said: Telling, now: datetime) -> tuple[str, ...]:
    if said.audience is Audience.PERSON:
        return (said.whose,)
    if said.audience is Audience.PERSON_AND_OPERATORS:
        return tuple(sorted({said.whose, *people.operators(reading)}))
    leads: set[str] = set()
    if said.audience is Audience.LEADS:
        leads = {
            one.person
            for one in memberships.all_memberships(reading, group=said.whose)
            if one.lead and (one.until is None or one.until > now)
        }
    # Who runs the platform hears of what has no lead.
    return tuple(sorted(leads or people.operators(reading)))
