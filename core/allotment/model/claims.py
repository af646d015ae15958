"""Claims: what one launch asks for, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from allotment.model.allotments import Allotment
from allotment.model.reasons import Reason
from allotment.model.tickets import Ticket


@dataclass(frozen=True, slots=True)
class Claim:
    """What one launch asks for.

    ``person`` and ``hub`` come from the hub, never from the request. ``group`` is the group that
    is to pay; None lets the record choose where there is no choice. ``token_hash`` is the SHA-256
    of the server's API token in hexadecimal: the server is known by it later. With ``wait`` a claim
    that could start later gets a ticket instead of a refusal. ``software`` is one of the profile's
    choices; empty: the one that it proposes.
    """

    hub: str
    person: str
    server: str
    profile: str
    group: str | None = None
    token_hash: str = ""
    display_name: str = ""
    note: str = ""
    wait: bool = False
    software: str = ""

    def __post_init__(self) -> None:
        """Replace NUL characters, which no database stores."""
        for name in ("server", "profile", "group", "display_name", "note", "software"):
            text = getattr(self, name)
            if text is not None and "\x00" in text:
                object.__setattr__(self, name, text.replace("\x00", "\ufffd"))


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim is granted; its devices are held from this moment."""

    allotment: Allotment


@dataclass(frozen=True, slots=True)
class Waits:
    """The claim could start later: only shares and free devices stand in the way."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The claim breaks rules that waiting does not mend. All of them are named."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Queued:
    """The claim waits: its ticket starts the server when its turn comes."""

    ticket: Ticket
    reasons: tuple[Reason, ...]


Outcome = Granted | Waits | Refused | Queued
