"""Cordons: nodes, pools and devices that are out of use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.cordons import Scope
from allotment.model.documents import Cordon, CordonConsequences, CordonListing

Times = dict[str, datetime | None]


class Cordons:
    """``client.cordons``. Times are aware."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> CordonListing:
        """What is out of use now or will be, first what begins first."""
        return self._connection.read_all(CordonListing, "/cordons")

    def create(
        self,
        scope: Scope | str,
        names: Sequence[str],
        reason: str,
        *,
        begins_at: datetime | None = None,
        drain_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> Cordon:
        """Take nodes, pools or devices out of use, now unless told otherwise."""
        times: Times = {"begins_at": begins_at, "drain_at": drain_at, "ends_at": ends_at}
        return self._connection.send(Cordon, "POST", "/cordons", _body(scope, names, reason, times))

    def consequences(
        self,
        scope: Scope | str,
        names: Sequence[str],
        reason: str,
        *,
        begins_at: datetime | None = None,
        drain_at: datetime | None = None,
        ends_at: datetime | None = None,
    ) -> CordonConsequences:
        """What that would do. Nothing is changed."""
        times: Times = {"begins_at": begins_at, "drain_at": drain_at, "ends_at": ends_at}
        return self._connection.send(
            CordonConsequences, "POST", "/cordons/consequences", _body(scope, names, reason, times)
        )

    def edit(
        self, key: str, *, revision: Revision, reason: str | None = None, **times: datetime | None
    ) -> Cordon:
        """Change the reason, or ``begins_at``, ``drain_at`` and ``ends_at``; of these None takes a time away."""
        body: dict[str, object] = {} if reason is None else {"reason": reason}
        body |= {name: _written(moment) for name, moment in times.items()}
        return self._connection.send(
            Cordon, "PATCH", f"/cordons/{segment(key)}", body, revision=revision
        )

    def lift(self, key: str, *, revision: Revision) -> None:
        """Give it back to use."""
        self._connection.delete(f"/cordons/{segment(key)}", revision=revision)


def _body(scope: Scope | str, names: Sequence[str], reason: str, times: Times) -> dict[str, object]:
    written = {name: _written(moment) for name, moment in times.items() if moment is not None}
    return {"scope": str(scope), "names": list(names), "reason": reason, **written}


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
