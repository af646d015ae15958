"""Answers given under an Idempotency-Key: the same request again gets the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from allotment.record.engine import Reading, Writing
from allotment.record.schema import answers


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given. ``digest`` is the SHA-256 of the request."""

    digest: str
    status: int
    body: Any


def recall(reading: Reading, caller: str, key: str) -> Answer | None:
    """The answer given to this caller under this key, if any."""
    row = reading.first(sa.select(answers).where(answers.c.caller == caller, answers.c.key == key))
    return None if row is None else Answer(row.digest, row.status, row.body)


def remember(writing: Writing, caller: str, key: str, answer: Answer) -> None:
    """Keep an answer, in the transaction that did what it tells."""
    writing.run(
        answers.insert().values(
            caller=caller,
            key=key,
            digest=answer.digest,
            status=answer.status,
            body=answer.body,
            at=writing.now,
        )
    )


def forget_before(writing: Writing, moment: datetime) -> int:
    """Forget older answers; returns how many."""
    return writing.run(answers.delete().where(answers.c.at < moment)).rowcount
