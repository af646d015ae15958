"""Budgets."""

from __future__ import annotations

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.documents import Budget, BudgetListing, Consequences


class Budgets:
    """``client.budgets``. A scope is person, group or department, and a subject its name.

    Of a default it is ``members`` with a group's name, or ``everybody`` with ``platform``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> BudgetListing:
        """Budgets that the token may see, by scope and subject."""
        return self._connection.read_all(BudgetListing, "/budgets")

    def get(self, scope: BudgetScope | str, subject: str) -> Budget:
        """One budget, with what is spent of it."""
        return self._connection.read(Budget, _path(scope, subject))

    def put(
        self, scope: BudgetScope | str, subject: str, terms: BudgetTerms, *, revision: Revision
    ) -> Budget:
        """Set a budget, or change one; the revision of one that is not there yet is 0."""
        body = terms.model_dump(mode="json")
        return self._connection.send(Budget, "PUT", _path(scope, subject), body, revision=revision)

    def consequences(
        self, scope: BudgetScope | str, subject: str, terms: BudgetTerms
    ) -> Consequences:
        """What these terms would do. Nothing is changed."""
        body = terms.model_dump(mode="json")
        return self._connection.send(
            Consequences, "POST", f"{_path(scope, subject)}/consequences", body
        )

    def delete(self, scope: BudgetScope | str, subject: str, *, revision: Revision) -> None:
        """Take a budget away."""
        self._connection.delete(_path(scope, subject), revision=revision)


def _path(scope: BudgetScope | str, subject: str) -> str:
    return f"/budgets/{scope}/{segment(subject)}"
