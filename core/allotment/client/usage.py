"""Use and cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from allotment.client.connection import Connection
from allotment.model.documents import UsageListing
from allotment.model.money import Dimension

Day = date | datetime | str | None
"""A day in the platform's time zone, or an aware time; as the API writes them, or as Python does."""


class Usage:
    """``client.usage``. Own use, that of led groups, or everybody's, by what the token may see."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(
        self,
        by: Sequence[Dimension | str] = (Dimension.PERSON,),
        *,
        begin: Day = None,
        end: Day = None,
        **only: str | None,
    ) -> UsageListing:
        """What was used, added up by these dimensions, from this month's beginning until now.

        A day named as ``end`` is part of the period. ``only`` may name a person, group, pool and
        profile, and the tag's name for ``by`` tag.
        """
        query = _query(by, begin, end, only)
        return self._connection.read_all(UsageListing, "/usage", **query, limit=20_000)

    def csv(
        self,
        by: Sequence[Dimension | str] = (Dimension.PERSON,),
        *,
        begin: Day = None,
        end: Day = None,
        **only: str | None,
    ) -> str:
        """The same as comma-separated values, with a head."""
        query = _query(by, begin, end, only)
        return self._connection.request("GET", "/usage", query=query, accept="text/csv").text


def _query(
    by: Sequence[Dimension | str], begin: Day, end: Day, only: dict[str, str | None]
) -> dict[str, str | None]:
    return {"by": ",".join(map(str, by)), "from": words(begin), "to": words(end), **only}


def words(day: Day) -> str | None:
    """A day as the API writes it."""
    return day.isoformat() if isinstance(day, date) else day
