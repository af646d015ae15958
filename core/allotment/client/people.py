"""People, roles and limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from allotment.client.connection import Connection, Revision
from allotment.client.paths import segment
from allotment.model.documents import (
    Consequences,
    EmailAddress,
    Leaving,
    LimitListing,
    Link,
    OnboardedUsers,
    ProviderAccounts,
    ResetLink,
    Role,
    RoleListing,
    User,
    UserListing,
)
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission


class Users:
    """``client.users``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, *, group: str | None = None, changed_after: int | None = None) -> UserListing:
        """People, by name, of one group where asked. With ``changed_after``: what changed since."""
        return self._connection.read_all(
            UserListing, "/users", group=group, changed_after=changed_after, limit=20_000
        )

    def get(self, name: str) -> User:
        """One person, with the limits that bind."""
        return self._connection.read(User, f"/users/{segment(name)}")

    def onboard(
        self, names: Sequence[str], *, group: str | None = None, role: str = "data-scientist"
    ) -> OnboardedUsers:
        """Admit people to the platform, into a group or none: all of them or nobody."""
        body = {"names": list(names), "group": group, "role": role}
        return self._connection.send(OnboardedUsers, "POST", "/users", body)

    def set_role(self, name: str, role: str, *, revision: Revision) -> User:
        """Give a person another role."""
        return self._connection.send(
            User, "PATCH", f"/users/{segment(name)}", {"role": role}, revision=revision
        )

    def email(self, name: str) -> EmailAddress:
        """Where a person's notices are sent: one's own, or with the permission anybody's."""
        return self._connection.read(EmailAddress, f"/users/{segment(name)}/email")

    def set_email(self, name: str, email: str) -> EmailAddress:
        """Say where a person's notices are sent; empty: nowhere."""
        return self._connection.send(
            EmailAddress, "PUT", f"/users/{segment(name)}/email", {"email": email}
        )

    def move(self, name: str, group: str | None) -> User:
        """Leave every group and join this one, in one step; None: leave all."""
        return self._connection.send(User, "POST", f"/users/{segment(name)}/move", {"group": group})

    def delete(self, names: Sequence[str]) -> OnboardedUsers:
        """Remove people from the platform, all of them or nobody; ``notes`` say what is left to do."""
        return self._connection.send(
            OnboardedUsers, "POST", "/users/delete", {"names": list(names)}
        )

    def foresee_leaving(self, name: str, *, heir: str | None = None) -> Leaving:
        """What would end if a person left, or has ended. Nothing is changed."""
        return self._connection.read(Leaving, f"/users/{segment(name)}/leaving", heir=heir)

    def let_go(self, name: str, *, reason: str = "", heir: str | None = None) -> Leaving:
        """End everything that a person holds, at once; the home is kept, or becomes the heir's."""
        body = {"reason": reason, "heir": heir}
        return self._connection.send(Leaving, "POST", f"/users/{segment(name)}/leave", body)

    def accounts(self, name: str) -> ProviderAccounts:
        """By what providers know a person."""
        return self._connection.read(ProviderAccounts, f"/users/{segment(name)}/accounts")

    def link(self, name: str, provider_name: str) -> Link:
        """Say that whoever the provider calls by a name is this person, at the next sign-in."""
        body = {"provider_name": provider_name}
        return self._connection.send(Link, "POST", f"/users/{segment(name)}/link", body)

    def unlink(self, name: str) -> None:
        """Forget by what providers know a person."""
        self._connection.delete(f"/users/{segment(name)}/link")

    def reset_link(self, name: str) -> ResetLink:
        """Make a link with which a person chooses a new password, once. It is told only here."""
        return self._connection.send(ResetLink, "POST", f"/users/{segment(name)}/reset-link")


class Roles:
    """``client.roles``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> RoleListing:
        """Roles, built-in ones first."""
        return self._connection.read_all(RoleListing, "/roles")

    def create(self, name: str, permissions: Iterable[Permission]) -> Role:
        """Make a role of own."""
        body = {"name": name, "permissions": sorted(str(each) for each in permissions)}
        return self._connection.send(Role, "POST", "/roles", body)

    def edit(self, name: str, permissions: Iterable[Permission], *, revision: Revision) -> Role:
        """Change what an own role permits."""
        body = {"permissions": sorted(str(each) for each in permissions)}
        return self._connection.send(
            Role, "PATCH", f"/roles/{segment(name)}", body, revision=revision
        )

    def delete(self, name: str, *, revision: Revision) -> None:
        """Delete an own role that nobody has."""
        self._connection.delete(f"/roles/{segment(name)}", revision=revision)


class Limits:
    """``client.limits``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, *, scope: LimitScope | None = None, subject: str | None = None) -> LimitListing:
        """Limits that are set."""
        return self._connection.read_all(
            LimitListing, "/limits", scope=None if scope is None else str(scope), subject=subject
        )

    def put(
        self, scope: LimitScope, subject: str, kind: LimitKind, value: int | None
    ) -> LimitListing:
        """Set a limit, or with None take it away; answers what is set for the subject then."""
        body = {"scope": str(scope), "subject": subject, "kind": str(kind), "value": value}
        return self._connection.send(LimitListing, "PUT", "/limits", body)

    def consequences(
        self, scope: LimitScope, subject: str, kind: LimitKind, value: int | None
    ) -> Consequences:
        """Who would hold more than this limit allows. Nothing is changed."""
        body = {"scope": str(scope), "subject": subject, "kind": str(kind), "value": value}
        return self._connection.send(Consequences, "POST", "/limits/consequences", body)
