"""Roles, people, and who is in which group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from allotment.model.groups import Membership, Mode, Origin
from allotment.model.people import BuiltInRole, Permission
from allotment.record import Writing, memberships, people, platform, roles
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import DeclaredGroup, Member, Settings


class Roles(Part):
    """Roles of an operator's own: what they permit."""

    kind = "role"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            name: Said(_permissions(permissions), ("roles", name))
            for name, permissions in settings.roles.items()
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        return {
            role.name: _permissions(role.permissions)
            for role in roles.all_roles(scene.reading)
            if not role.built_in
        }

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Make a role."""
        roles.put(writing, name, [Permission(word) for word in words["permissions"]])

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Change what a role permits."""
        self.make(writing, name, words)


def _permissions(permissions: Iterable[Permission]) -> Words:
    return {"permissions": sorted({str(permission) for permission in permissions})}


class People(Part):
    """People and their roles."""

    kind = "person"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name; operators first, so that there is always one."""
        said = {
            name: Said({"role": str(BuiltInRole.OPERATOR)}, ("sign_in", key, index))
            for key in ("operators", "local")
            for index, name in enumerate(getattr(settings.sign_in, key))
        }
        for name, person in settings.people.items():
            words = {"role": str(person.role)} if "role" in person.model_fields_set else {}
            words |= {"email": person.email} if person.email is not None else {}
            place = ("people", name)
            if name in said:  # an operator, whose role is said elsewhere
                words = {**words, **said[name].words}
            said[name] = Said(words, place)
        for index, group in enumerate(settings.groups):
            for member in group.people:
                said.setdefault(member.name, Said({}, ("groups", index, "members")))
        return said

    def found(self, scene: Scene) -> dict[str, Words]:
        """Everybody who is on-boarded."""
        return {
            person.name: {"role": person.role, "email": person.email}
            for person in people.all_people(scene.reading)
            if person.onboarded
        }

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """On-board somebody."""
        role = words.get("role", str(BuiltInRole.DATA_SCIENTIST))
        people.onboard(writing, [name], role=role, origin=Origin.SETTINGS)
        self.change(writing, name, {"email": words.get("email", "")})

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Give somebody another role, or another address."""
        if "role" in words:
            people.set_role(writing, name, words["role"])
        if "email" in words:
            people.set_email(writing, name, words["email"])


class Memberships(Part):
    """Who is in which group. Named as in events: ``group/person``."""

    kind = "membership"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            f"{group.name}/{member.name}": Said(
                _member_words(group, member, settings.zone), ("groups", index, "members")
            )
            for index, group in enumerate(settings.groups)
            for member in group.people
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """Memberships that have not ended."""
        by_name: dict[str, list[Membership]] = {}
        for row in memberships.all_memberships(scene.reading):
            if _lasts(row, scene.now):
                by_name.setdefault(f"{row.group}/{row.person}", []).append(row)
        return {name: _merged(rows) for name, rows in by_name.items()}

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - its name says it
        """The group and the person."""
        group, _, person = name.partition("/")
        return (("group", group), ("person", person))

    def hindrance(self, name: str, scene: Scene) -> str:
        """In strict mode, another group that the person is in."""
        if scene.mode is Mode.FLEXIBLE:
            return ""
        group, _, person = name.partition("/")
        rows = memberships.all_memberships(scene.reading, person=person)
        for row in rows:
            stays = row.origin is Origin.PROVIDER or not scene.restore
            if row.group != group and _lasts(row, scene.now) and stays:
                return f"{person} is in group {row.group}, and a person is in one group at a time"
        return ""

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Put a person into a group; in strict mode other groups than the identity provider's are left for it."""
        group, _, person = name.partition("/")
        strict = platform.mode(writing) is Mode.STRICT
        for row in memberships.all_memberships(writing, person=person):
            if strict and row.group != group and row.origin is not Origin.PROVIDER:
                memberships.remove(writing, person, row.group, row.origin)
        until = words.get("until")
        memberships.add(
            writing,
            person,
            group,
            Origin.SETTINGS,
            lead=words.get("lead", False),
            until=None if until is None else datetime.fromisoformat(until),
        )

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Make a membership as the words say; what the console said of it gives way."""
        group, _, person = name.partition("/")
        rows = memberships.all_memberships(writing, group, person)
        for row in rows:
            if row.origin is Origin.CONSOLE:
                memberships.remove(writing, person, group, row.origin)
        self.make(writing, name, _merged(rows) | words)


def _lasts(row: Membership, now: datetime) -> bool:
    return row.until is None or row.until > now


def _member_words(group: DeclaredGroup, member: Member, zone: tzinfo) -> Words:
    words: dict[str, Any] = {}
    if "leads" in group.model_fields_set:
        words["lead"] = member.name in group.leads
    if member.until is not None:
        end = member.until if member.until.tzinfo else member.until.replace(tzinfo=zone)
        words["until"] = end.astimezone(UTC).isoformat()
    return words


def _merged(rows: Sequence[Membership]) -> Words:
    """One membership of several origins; what people said stands above what the provider says."""
    rows = [row for row in rows if row.origin is not Origin.PROVIDER] or rows
    ends = [row.until for row in rows]
    last = None if None in ends else max(end for end in ends if end is not None)
    return {
        "lead": any(row.lead for row in rows),
        "until": None if last is None else last.isoformat(),
    }
