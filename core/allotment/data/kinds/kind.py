"""What every kind of source can do. A kind is one module here and one line in :data:`KINDS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol

from allotment.data.door import Door
from allotment.data.problems import SourceProblem
from allotment.model.sources import Browsed, Credential, Part, Proof, SourceKind

__all__ = ["Borrower", "FieldType", "FormField", "Kind", "Lends", "Opened", "SourceProblem"]

FieldType = Literal["text", "secret", "number", "choice", "switch", "long"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a source's form, as console, command line and API show it.

    ``when`` names another field and the value with which this one is asked for. ``guarded`` are values
    that only people who manage all sources may choose, for they use what belongs to the platform.
    """

    name: str
    label: str
    help: str
    type: FieldType = "text"
    required: bool = False
    default: str | int | bool | None = None
    choices: tuple[tuple[str, str], ...] = ()
    placeholder: str = ""
    when: tuple[str, str] | None = None
    guarded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A source with its secrets, in the control plane's memory for as long as one call lasts."""

    name: str
    fields: Mapping[str, str | int | bool]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Borrower:
    """The server that is given a credential, and until when at the latest.

    ``account`` is the name of what is made for it, where something is: written down before it is
    made, so that it is withdrawn whatever happens in between. At most 30 letters, digits and '_'.

    Of an object store, which cannot take anything back: ``lasts`` is how long what is lent may work
    before it must be lent anew, by the store's own clock, and ``within`` which parts of the source it
    opens, empty for all of it. A kind gives just that or raises; where it lends more than ``within``
    by its nature, its proof says so.
    """

    person: str
    server: str
    allotment: str
    until: datetime
    account: str
    lasts: timedelta = timedelta(hours=1)
    within: tuple[Part, ...] = ()


class Lends(StrEnum):
    """What a kind lends to servers, and how that ends."""

    ACCOUNTS = "accounts"
    """An account made for each server, written down before it is made and dropped at its end."""
    ENDING = "ending"
    """What ends by itself soon and is lent anew; nobody can take it back."""
    ITSELF = "itself"
    """What was registered itself, an account or a path: it does not end."""


class Kind(Protocol):
    """One kind of source. All calls block, for seconds at most, and raise SourceProblem in words.

    ``holds_files`` is whether it holds files, of which datasets are made, and no tables.
    """

    kind: SourceKind
    title: str
    lends: Lends
    holds_files: bool

    @property
    def fields(self) -> tuple[FormField, ...]:
        """The form, in its order; most kinds have it as a constant of their class."""

    def validate(self, source: Opened) -> None:
        """Refuse fields that cannot be right, without opening anything."""

    def check(self, source: Opened, door: Door) -> str:
        """Reach it with the registered account; answers in one sentence what was reached."""

    def prove(self, source: Opened, door: Door, now: datetime) -> Proof:
        """Try to write with exactly what :meth:`issue` gives, and read the privileges where they are told."""

    def issue(self, source: Opened, borrower: Borrower, door: Door, now: datetime) -> Credential:
        """Make what a server reads it with."""

    def withdraw(self, source: Opened, account: str, door: Door) -> None:
        """Drop what :meth:`issue` made under this name; one that is gone already is no problem."""

    def browse(
        self,
        source: Opened,
        path: tuple[str, ...],
        door: Door,
        *,
        after: str = "",
        limit: int = 200,
    ) -> Browsed:
        """What lies at a place: schemas, tables and columns, or prefixes and files."""
