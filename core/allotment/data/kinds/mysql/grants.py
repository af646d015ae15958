"""What ``SHOW GRANTS`` tells, read without keeping a line of it: lines hold the password's hash."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = r"`(?:[^`]|``)*`"
_ACCOUNT = rf"(?:{_NAME}|'(?:[^']|'')*')(?:@(?:{_NAME}|'(?:[^']|'')*'))?"
_PRIVILEGE = rf"[A-Z][A-Z_ ]*?(?: ?\({_NAME}(?:, ?{_NAME})*\))?"
_KIND = "PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|TABLE"
_ON = re.compile(
    rf"GRANT (?P<privileges>{_PRIVILEGE}(?:, ?{_PRIVILEGE})*)"
    rf" ON (?:(?:{_KIND}) )?(?P<database>\*|{_NAME})\.(?P<thing>\*|{_NAME})"
    rf" TO (?P<to>PUBLIC|{_ACCOUNT})(?P<rest>.*)",
    re.DOTALL,
)
_ROLES = re.compile(rf"GRANT (?P<roles>{_ACCOUNT}(?:, ?{_ACCOUNT})*) TO (?:PUBLIC|{_ACCOUNT})")
_COLUMNS = re.compile(rf" ?\({_NAME}(?:, ?{_NAME})*\)")
# Partial revokes are left out: what is said to be possible may then be too much, never too little.
_HARMLESS = ("SET DEFAULT ROLE ", "REVOKE ")

READING = frozenset(
    {
        "BINLOG MONITOR",
        "CREATE TEMPORARY TABLES",
        "EXECUTE",
        "LOCK TABLES",
        "PROCESS",
        "REPLICA MONITOR",
        "REPLICATION CLIENT",
        "SELECT",
        "SHOW DATABASES",
        "SHOW VIEW",
        "SHOW_ROUTINE",
        "SLAVE MONITOR",
        "USAGE",
    }
)
"""Privileges with which nobody's data is changed. All others count as writing, unknown ones too."""
OPEN_TO_ALL = frozenset({"test", "test\\_%"})
"""Databases that every account of MariaDB may write to, as it comes."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Privileges on something; ``*`` stands for all databases, or all things in one.

    ``database`` is a pattern in which ``_`` and ``%`` mean any letter or letters unless escaped.
    """

    privileges: frozenset[str]
    database: str
    thing: str
    may_grant: bool = False
    to_everyone: bool = False

    @property
    def writing(self) -> frozenset[str]:
        """Those of its privileges that are not for reading only."""
        return self.privileges - READING

    @property
    def is_usual(self) -> bool:
        """Whether every MariaDB grants this to everybody."""
        return self.to_everyone and self.database in OPEN_TO_ALL

    def covers(self, database: str) -> bool:
        """Whether it is about all of a database."""
        return self.thing == "*" and (
            self.database == "*" or _pattern(self.database).fullmatch(database) is not None
        )


@dataclass(frozen=True, slots=True)
class Grants:
    """All grants of an account, the names of its roles, and how many lines could not be understood."""

    grants: tuple[Grant, ...] = ()
    roles: tuple[str, ...] = ()
    strange: int = 0

    def __add__(self, other: Grants) -> Grants:
        return Grants(
            self.grants + other.grants,
            tuple(dict.fromkeys(self.roles + other.roles)),
            self.strange + other.strange,
        )

    def has(self, *names: str) -> bool:
        """Whether one of these privileges is held everywhere."""
        wanted = {*names, "ALL PRIVILEGES"}
        return any(one.privileges & wanted for one in self.grants if one.database == "*")

    def may_grant_select(self, database: str) -> bool:
        """Whether it may let others read a database."""
        reading = {"SELECT", "ALL PRIVILEGES"}
        return any(
            one.may_grant and one.privileges & reading and one.covers(database)
            for one in self.grants
        )


def read_grants(lines: Iterable[str]) -> Grants:
    """Read the lines of ``SHOW GRANTS``."""
    grants: list[Grant] = []
    roles: list[str] = []
    strange = 0
    for line in lines:
        if on := _ON.fullmatch(line):
            grants.append(_grant(on))
        elif to := _ROLES.match(line):
            roles += re.findall(_ACCOUNT, to["roles"])
        elif not line.startswith(_HARMLESS):
            strange += 1
    return Grants(tuple(grants), tuple(roles), strange)


def _grant(on: re.Match[str]) -> Grant:
    words = _COLUMNS.sub("", on["privileges"]).split(",")
    return Grant(
        privileges=frozenset(word.strip() for word in words),
        database=_plain(on["database"]),
        thing=_plain(on["thing"]),
        may_grant="WITH GRANT OPTION" in on["rest"] or " GRANT OPTION" in on["rest"],
        to_everyone=on["to"] == "PUBLIC",
    )


def _plain(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _pattern(database: str) -> re.Pattern[str]:
    """A pattern of MySQL as one of Python's."""
    letters = re.findall(r"\\.|.", database, re.DOTALL)
    wild = {"_": ".", "%": ".*"}
    return re.compile(
        "".join(wild.get(one) or re.escape(one.removeprefix("\\")) for one in letters), re.DOTALL
    )
