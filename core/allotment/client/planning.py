"""The capacity plan."""

from __future__ import annotations

from allotment.client.connection import Connection
from allotment.client.usage import Day, words
from allotment.model.documents import CapacityPlan


class Planning:
    """``client.planning``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def plan(self, *, begin: Day = None, end: Day = None) -> CapacityPlan:
        """Guarantees, ceilings and use of every pool; peak and average of the last 30 days, or of these.

        A day named as ``end`` is part of the period.
        """
        query = {"from": words(begin), "to": words(end)}
        return self._connection.read_all(CapacityPlan, "/capacity-plan", **query, limit=20_000)

    def csv(self, *, begin: Day = None, end: Day = None) -> str:
        """The same as comma-separated values, with a head."""
        query = {"from": words(begin), "to": words(end)}
        answer = self._connection.request("GET", "/capacity-plan", query=query, accept="text/csv")
        return answer.text
