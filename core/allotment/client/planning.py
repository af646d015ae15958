"""The capacity plan, and who waited."""

from __future__ import annotations

from allotment.client.connection import Connection
from allotment.client.usage import Day, words
from allotment.model.documents import CapacityPlan, Waiting


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

    def waiting(self, *, begin: Day = None, end: Day = None, pool: str | None = None) -> Waiting:
        """How many servers waited, from this month's beginning until now; of one pool where asked.

        A day named as ``end`` is part of the period.
        """
        query = {"from": words(begin), "to": words(end), "pool": pool}
        return self._connection.read(Waiting, "/waiting", **query)
