"""Groups, their shares and their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import Consequences, Group, GroupListing
from allotment.model.groups import Origin


@dataclass(frozen=True, slots=True)
class NewShare:
    """What a group is to have in a pool, in devices. No ceiling: the guarantee."""

    pool: str
    guaranteed: int
    ceiling: int | None = None
    weight: float = 1.0


class Groups:
    """``client.groups``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> GroupListing:
        """Groups, by name, without their members."""
        return self._connection.read_all(GroupListing, "/groups")

    def get(self, name: str) -> Group:
        """One group; with its members, for its leads and for those who see all."""
        return self._connection.read(Group, f"/groups/{segment(name)}")

    def create(
        self,
        name: str,
        *,
        title: str = "",
        tags: Mapping[str, str] | None = None,
        shares: Sequence[NewShare] = (),
        department: str | None = None,
    ) -> Group:
        """Make a group with its shares, in a department or none."""
        body: dict[str, object] = {
            "name": name,
            "title": title,
            "tags": dict(tags or {}),
            "shares": [asdict(share) for share in shares],
            "department": department or None,
        }
        return self._connection.send(Group, "POST", "/groups", body)

    def edit(
        self,
        name: str,
        *,
        revision: Revision,
        title: str | None = None,
        tags: Mapping[str, str] | None = None,
        shares: Sequence[NewShare] | None = None,
        department: str | None = None,
    ) -> Group:
        """Change a group; what is None stays. An empty department takes it out of its own."""
        body: dict[str, object] = {
            "title": title,
            "tags": None if tags is None else dict(tags),
            "shares": None if shares is None else [asdict(share) for share in shares],
        }
        known = {key: value for key, value in body.items() if value is not None}
        if department is not None:
            known["department"] = department or None
        return self._connection.send(
            Group, "PATCH", f"/groups/{segment(name)}", known, revision=revision
        )

    def consequences(
        self, name: str, shares: Sequence[NewShare], *, department: str | None = None
    ) -> Consequences:
        """What these shares, or another department, would do. Nothing is changed."""
        body: dict[str, object] = {"shares": [asdict(share) for share in shares]}
        if department is not None:
            body["department"] = department or None
        return self._connection.send(
            Consequences, "POST", f"/groups/{segment(name)}/consequences", body
        )

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete a group without people, pools and servers."""
        self._connection.delete(f"/groups/{segment(name)}", revision=revision)

    def put_member(
        self, name: str, person: str, *, lead: bool | None = None, until: datetime | None = None
    ) -> Group:
        """Put a person into a group, or change how they are in it; ``lead`` None leaves that as it is."""
        body = {"lead": lead, "until": until.isoformat() if until else None}
        return self._connection.send(
            Group, "PUT", f"/groups/{segment(name)}/members/{segment(person)}", body
        )

    def remove_member(self, name: str, person: str, *, origin: Origin | None = None) -> None:
        """Take a person out of a group, by one origin or by all."""
        self._connection.delete(
            f"/groups/{segment(name)}/members/{segment(person)}",
            origin=None if origin is None else str(origin),
        )
