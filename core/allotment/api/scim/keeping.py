"""What a directory says is carried out: people come, change and leave, and groups give what they mean."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from allotment.api.letting_go import power_over
from allotment.api.plane import require
from allotment.api.scim.problems import ScimProblem
from allotment.api.scim.resources import SentGroup, SentUser
from allotment.model.names import check_person
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, NotPermitted, Refusal
from allotment.model.sign_on import GroupMapping
from allotment.record import (
    Reading,
    Writing,
    directory,
    leaving,
    mapped,
    people,
    roles,
    sign_ons,
)
from allotment.record.directory import DirectoryGroup, Entry
from allotment.rules.permission import LEAD_PERMISSIONS, Action, Caller, Target
from allotment.settings.scim import Scim
from allotment.settings.sign_on import LOCAL, SignIn

_WHY = "The directory says that they left."


@dataclass(frozen=True, slots=True)
class Keeper:
    """A directory that speaks for the provider, with the token of ``caller``."""

    caller: Caller
    scim: Scim
    sign_in: SignIn

    def add(self, writing: Writing, sent: SentUser) -> Entry:
        """On-board somebody.

        Raises:
            ScimProblem: they are here already, or the name is or was another's.
        """
        name = self._person(writing, sent)
        if directory.of_person(writing, name) is not None or _onboarded(writing, name):
            message = f"There is a user {sent.user_name!r} already."
            raise ScimProblem(409, message, "uniqueness")
        brought = not sign_ons.was_somebodys(writing, name)
        people.onboard(writing, [name])
        key = directory.add(writing, name, sent.external_id, sent.document, brought=brought)
        self._bind(writing, directory.entry(writing, key), sent)
        self._address(writing, name, sent.email)
        if not sent.active:
            self._let_go(writing, name)
        self.apply(writing, [name])
        return directory.entry(writing, key)

    def put(self, writing: Writing, key: str, sent: SentUser) -> tuple[Entry, bool]:
        """Take in what the directory says of somebody now. Returns the entry, and whether they left by it.

        Whatever else it says, nobody stays whom it lets go.
        """
        before = directory.entry(writing, key)
        if not sent.active:
            if before.active:
                self._let_go(writing, before.person)
            directory.put(writing, key, sent.external_id, _parting(writing, before, sent))
            return directory.entry(writing, key), before.active
        _refuse_name_of_another(writing, before, sent.user_name)
        if not before.active:
            people.onboard(writing, [before.person])
        directory.put(writing, key, sent.external_id, sent.document)
        self._bind(writing, before, sent)
        self._address(writing, before.person, sent.email)
        self.apply(writing, [before.person])
        return directory.entry(writing, key), False

    def remove(self, writing: Writing, key: str) -> str:
        """Let somebody go, and forget their id. Returns whose it was."""
        before = directory.entry(writing, key)
        if before.active:
            self._let_go(writing, before.person)
        directory.remove(writing, key)
        return before.person

    def add_group(self, writing: Writing, sent: SentGroup) -> DirectoryGroup:
        """Keep a group of the directory; what the settings map it to is given to its members."""
        key = directory.create_group(writing, sent.name, sent.external_id)
        return self.put_group(writing, key, sent)

    def put_group(self, writing: Writing, key: str, sent: SentGroup) -> DirectoryGroup:
        """Take in what the directory says of a group now."""
        try:
            concerned = directory.put_group(writing, key, sent.name, sent.external_id, sent.members)
        except NotFound as unknown:
            if unknown.reasons[0].message.startswith("There is no user"):
                raise ScimProblem(400, str(unknown), "invalidValue") from None
            raise
        self.apply(writing, concerned)
        return directory.group(writing, key)

    def remove_group(self, writing: Writing, key: str) -> None:
        """Forget a group of the directory, and take what it gave."""
        self.apply(writing, directory.delete_group(writing, key))

    def apply(self, writing: Writing, names: Collection[str]) -> None:
        """Give people what their groups mean."""
        for name in sorted(names):
            if _onboarded(writing, name):
                mapped.apply(writing, name, self.sign_in.mapping)

    def _let_go(self, writing: Writing, name: str) -> None:
        heir = self.scim.heir
        takes = heir if heir is not None and heir != name and _onboarded(writing, heir) else None
        # No question of power over the person: the permission to provision is that to let anybody go.
        leaving.leave(writing, name, _WHY, takes)

    def _person(self, writing: Writing, sent: SentUser) -> str:
        """Which person this is to be: whose the subject is already, else the name where it is free."""
        subject = self._subject(sent)
        known = None if subject is None else sign_ons.is_whose(writing, *subject)
        if known is not None:
            return known
        try:
            # Only ASCII has a case here: the Kelvin sign would become somebody else's k.
            folded = sent.user_name.lower() if sent.user_name.isascii() else sent.user_name
            name = check_person(folded)
        except ValueError as error:
            raise ScimProblem(400, f"{error}.", "invalidValue") from None
        if sign_ons.was_somebodys(writing, name):
            message = f"The name {name!r} was somebody's here before, and is not handed over."
            remedy = "An operator on-boards them again, if it is the same person."
            raise Refusal(Reason(Rule.NAME_TAKEN, message, remedy=remedy))
        return name

    def _subject(self, sent: SentUser) -> tuple[str, str] | None:
        """By whom the sign-in knows the person whom the directory means."""
        if not self.scim.external_id_is_subject or sent.external_id is None:
            return None
        return (
            None if self.sign_in.kind == LOCAL else (self.sign_in.provider_issuer, sent.external_id)
        )

    def _bind(self, writing: Writing, entry: Entry, sent: SentUser) -> None:
        """Keep whose the subject is. What a person has by the platform's own word is not handed over."""
        subject, name = self._subject(sent), entry.person
        if subject is None or sign_ons.is_whose(writing, *subject) == name:
            return
        if name in self.sign_in.local:
            message = (
                f"{name!r} signs in with a password of the platform's own, as the settings say."
            )
            remedy = "Leave the externalId of this user out."
            raise Refusal(Reason(Rule.NAME_TAKEN, message, remedy=remedy))
        require(self.caller, Action.PROVISION, power_over(writing, name))
        sign_ons.bind(writing, name, *subject, called=sent.user_name, brought=entry.brought)

    def _address(self, writing: Writing, name: str, email: str) -> None:
        if email and people.get(writing, name).email != email:
            people.set_email(writing, name, email)


def check_directory(reading: Reading, caller: Caller, mapping: GroupMapping) -> None:
    """Go on only for a service account that is permitted all that the mapping can give now.

    Whoever says who is in which group hands out what the groups mean here.

    Raises:
        NotPermitted: it is a person's token, or permissions are lacking, by name.
    """
    require(caller, Action.PROVISION)
    if not caller.program:
        message = "A directory speaks with the token of a service account, and this is a person's."
        remedy = "Make one: allotment service-account directory."
        raise NotPermitted(Reason(Rule.PERMISSION, message, remedy=remedy))
    require(caller, Action.PROVISION, Target(touches=_gives(reading, mapping)))


def _gives(reading: Reading, mapping: GroupMapping) -> frozenset[Permission]:
    """What the provider's groups can permit: their roles' permissions, and those of leading."""
    named = {one.role for one in mapping.groups}
    given = (one.permissions for one in roles.all_roles(reading) if one.name in named)
    leads = LEAD_PERMISSIONS if any(one.lead for one in mapping.groups) else frozenset()
    return leads.union(*given)


def _parting(reading: Reading, own: Entry, sent: SentUser) -> dict[str, object]:
    """What is kept of somebody who is let go; under their old name, where another has the new one."""
    document = dict(sent.document)
    if _taken(directory.entries(reading), own, sent.user_name.lower()):
        document["userName"] = own.document.get("userName", own.person)
    return document


def _onboarded(writing: Writing, name: str) -> bool:
    try:
        return people.get(writing, name).onboarded
    except NotFound:
        return False


def _refuse_name_of_another(writing: Writing, own: Entry, user_name: str) -> None:
    """Refuse a name that another user has, so that directories never find two by one name."""
    wanted = user_name.lower()
    if _taken(directory.entries(writing), own, wanted):
        raise ScimProblem(409, f"Another user is called {user_name!r}.", "uniqueness")


def _taken(entries: Iterable[Entry], own: Entry, wanted: str) -> bool:
    return any(
        one.id != own.id and str(one.document.get("userName", one.person)).lower() == wanted
        for one in entries
    )
