"""Mail that is to be sent: written with what it tells of, and kept until a mail server has taken it.

A notice is written in one transaction with how far events were read, so that none is lost and none
is written twice, wherever a process ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.model.mail import Mail, Notice
from allotment.record.engine import Reading, Writing
from allotment.record.ids import new_id
from allotment.record.schema import counters, mails, people

_READ = "mail"
"""The counter that says up to which event mail was written."""
_WAITING = (mails.c.sent_at.is_(None), mails.c.given_up_at.is_(None))


def notify(writing: Writing, notice: Notice) -> bool:
    """Write a notice, to be sent soon; False where its person was written to about this before.

    A person without an address, or whom nobody knows, is not written to.
    """
    known = sa.select(people.c.name).where(people.c.name == notice.person, people.c.email != "")
    about = notice.about[:300]
    told = sa.select(mails.c.id).where(mails.c.person == notice.person, mails.c.about == about)
    if writing.first(known) is None or writing.first(told) is not None:
        return False
    writing.run(mails.insert().values(**_row(writing, notice)))
    return True


def notify_all(writing: Writing, notices: Iterable[Notice]) -> int:
    """Write notices to people who are :func:`reached`, all at once. Returns how many."""
    rows = [_row(writing, notice) for notice in notices]
    if rows:
        writing.connection.execute(mails.insert(), rows)
    return len(rows)


def reached(reading: Reading, persons: Collection[str] | None, about: str) -> tuple[str, ...]:
    """Those of these people (None: of all who are on-boarded) who have an address and were not written about this."""
    told = sa.select(mails.c.person).where(mails.c.about == about[:300])
    statement = sa.select(people.c.name).where(
        people.c.email != "", people.c.onboarded_at.is_not(None), people.c.name.not_in(told)
    )
    names = (str(row.name) for row in reading.all(statement.order_by(people.c.name)))
    return tuple(name for name in names if persons is None or name in persons)


def _row(writing: Writing, notice: Notice) -> dict[str, Any]:
    return {
        "id": new_id(writing.now),
        "about": notice.about[:300],
        "person": notice.person,
        "kind": notice.kind,
        "subject": notice.subject[:300],
        "body": notice.body,
        "made_at": writing.now,
        "due_at": writing.now,
    }


def waiting(reading: Reading) -> int:
    """How many are to be sent still."""
    statement = sa.select(sa.func.count()).select_from(mails).where(*_WAITING)
    return int(reading.connection.execute(statement).scalar_one())


def due(reading: Reading, now: datetime, limit: int) -> tuple[Mail, ...]:
    """What is to be sent now, the oldest first, to where its person is reached today."""
    statement = (
        sa.select(mails, people.c.email)
        .join(people, people.c.name == mails.c.person)
        .where(*_WAITING, mails.c.due_at <= now, people.c.email != "")
        .order_by(mails.c.due_at, mails.c.id)
        .limit(limit)
    )
    return tuple(
        Mail(
            row.id,
            row.email,
            Notice(row.person, row.about, row.kind, row.subject, row.body),
            row.made_at,
            row.due_at,
            row.tries,
        )
        for row in reading.all(statement)
    )


def begin(writing: Writing, mail: Mail, again_at: datetime) -> bool:
    """Note that a mail is being sent, before it is; False where another process was faster.

    If nothing is heard of it, it is sent again at ``again_at``.
    """
    changed = writing.run(
        mails.update()
        .where(mails.c.id == mail.id, mails.c.tries == mail.tries, *_WAITING)
        .values(tries=mail.tries + 1, due_at=again_at)
    )
    return bool(changed.rowcount)


def sent(writing: Writing, mail: Mail) -> None:
    """The mail server has taken it."""
    writing.run(mails.update().where(mails.c.id == mail.id).values(sent_at=writing.now, problem=""))


def put_off(writing: Writing, mail: Mail, due_at: datetime, problem: str) -> None:
    """It could not be sent now; ``problem`` says why."""
    values = {"due_at": due_at, "problem": problem[:1000]}
    writing.run(mails.update().where(mails.c.id == mail.id, *_WAITING).values(values))


def give_up(writing: Writing, mail: Mail, problem: str) -> None:
    """It will never be sent: it was refused for good, or what it tells is long over."""
    values = {"given_up_at": writing.now, "problem": problem[:1000]}
    writing.run(mails.update().where(mails.c.id == mail.id, *_WAITING).values(values))


def forget(writing: Writing, before: datetime) -> int:
    """Remove mail that was made before then, sent or not. Returns how many."""
    return int(writing.run(mails.delete().where(mails.c.made_at < before)).rowcount)


def read_until(reading: Reading) -> int | None:
    """The event up to which mail was written; None: nobody has begun."""
    row = reading.first(sa.select(counters.c.value).where(counters.c.name == _READ))
    return None if row is None else int(row.value)


def note_read(writing: Writing, sequence: int | None) -> None:
    """Keep up to which event mail was written; None: begin anew where there is mail again."""
    writing.run(counters.delete().where(counters.c.name == _READ))
    if sequence is not None:
        writing.run(counters.insert().values(name=_READ, value=sequence))
