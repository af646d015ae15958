"""Kinds as everybody but their own tests calls them: what nobody foresaw is told without its words.

A library's exception may hold an address with a password in it, or what it was asked with. It would stand
in the log, in a trace, and in what the periodic work says of itself.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from allotment.data.door import Door
from allotment.data.kinds.kind import Borrower, FormField, Kind, Opened
from allotment.data.problems import SourceProblem
from allotment.model.refusals import AllotmentError
from allotment.model.sources import Browsed, Credential, Proof

log = logging.getLogger(__name__)


class Careful:
    """A kind whose every failure is a refusal in words, or names only its class."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.kind, self.title = kind.kind, kind.title
        self.lends, self.holds_files = kind.lends, kind.holds_files

    @property
    def fields(self) -> tuple[FormField, ...]:
        """The form."""
        return self._kind.fields

    def validate(self, source: Opened) -> None:
        """Refuse fields that cannot be right."""
        with self._telling(source):
            self._kind.validate(source)

    def check(self, source: Opened, door: Door) -> str:
        """Reach it with the registered account."""
        with self._telling(source):
            return self._kind.check(source, door)

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with what a server would get."""
        with self._telling(source):
            return self._kind.prove(source, door, now)

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Make what a server reads it with."""
        with self._telling(source):
            return self._kind.issue(source, borrower, door, now)

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Drop what was made under this name."""
        with self._telling(source):
            self._kind.withdraw(source, account, door)

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """What lies at a place."""
        with self._telling(source):
            return self._kind.browse(source, path, door, after=after, limit=limit)

    @contextmanager
    def _telling(self, source: Opened) -> Iterator[None]:
        try:
            yield
        except AllotmentError:
            raise
        except Exception as error:  # noqa: BLE001 - every library has exceptions of its own
            name, where = type(error).__name__, "".join(traceback.format_tb(error.__traceback__))
            log.error("%s, a %s source, broke: %s\n%s", source.name, self.title, name, where)  # noqa: TRY400 - the exception's words stay out
            raise SourceProblem(
                f"{source.name} broke in a way that nobody foresaw: {name}.",
                remedy="Tell an operator: the platform's log says where.",
            ) from None
