"""Departments: groups above groups."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import Consequences, Department, DepartmentListing


class Departments:
    """``client.departments``. Ceilings are devices by pool, of all groups together."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> DepartmentListing:
        """Departments, by name."""
        return self._connection.read_all(DepartmentListing, "/departments")

    def get(self, name: str) -> Department:
        """One department."""
        return self._connection.read(Department, f"/departments/{segment(name)}")

    def create(
        self, name: str, *, title: str = "", ceilings: Mapping[str, int] | None = None
    ) -> Department:
        """Make a department; groups join it by ``groups.edit``."""
        body = {"name": name, "title": title, "ceilings": dict(ceilings or {})}
        return self._connection.send(Department, "POST", "/departments", body)

    def edit(
        self,
        name: str,
        *,
        revision: Revision,
        title: str | None = None,
        ceilings: Mapping[str, int] | None = None,
    ) -> Department:
        """Change a department; what is None stays."""
        body = {"title": title, "ceilings": None if ceilings is None else dict(ceilings)}
        known = {key: value for key, value in body.items() if value is not None}
        return self._connection.send(
            Department, "PATCH", f"/departments/{segment(name)}", known, revision=revision
        )

    def consequences(self, name: str, ceilings: Mapping[str, int]) -> Consequences:
        """What these ceilings would do. Nothing is changed."""
        return self._connection.send(
            Consequences,
            "POST",
            f"/departments/{segment(name)}/consequences",
            {"ceilings": dict(ceilings)},
        )

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete a department without groups."""
        self._connection.delete(f"/departments/{segment(name)}", revision=revision)
