"""Mail: notices that reach people who look at no page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

LONGEST_ADDRESS = 254
"""Characters, as SMTP allows (RFC 5321, erratum 1690)."""
_ADDRESS = re.compile(r"[^@\s<>()\[\],;:\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def check_address(text: str) -> str:
    """An e-mail address as people have one: ``name@host``, nothing quoted, on one line.

    Raises:
        ValueError: it is none.
    """
    address = text.strip()
    printable = address.isprintable() and address.isascii()
    if len(address) > LONGEST_ADDRESS or not printable or not _ADDRESS.fullmatch(address):
        message = f"expected an e-mail address such as ann@example.org, found {text[:60]!r}"
        raise ValueError(message)
    return address


@dataclass(frozen=True, slots=True)
class Notice:
    """What one person is to be told. ``about`` is what it tells of: nobody is written to twice about one thing."""

    person: str
    about: str
    kind: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A notice on its way. ``tries`` counts the times that somebody began to send it."""

    id: str
    address: str
    notice: Notice
    made_at: datetime
    due_at: datetime
    tries: int = 0
