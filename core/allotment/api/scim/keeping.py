"""What a directory says is carried out: people come, change and leave, and groups give what they mean."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from allotment.api.letting_go import let_go
from allotment.api.scim.problems import ScimProblem
from allotment.api.scim.resources import SentGroup, SentUser
from allotment.model.names import check_person
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import NotFound, Refusal
from allotment.record import Writing, directory, mapped, people, sign_ons
from allotment.record.directory import DirectoryGroup, Entry
from allotment.rules.permission import Caller
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
        people.onboard(writing, [name])
        key = directory.add(writing, name, sent.external_id, sent.document)
        self._bind(writing, name, sent)
        self._address(writing, name, sent.email)
        if not sent.active:
            self._let_go(writing, name)
        self.apply(writing, [name])
        return directory.entry(writing, key)

    def put(self, writing: Writing, key: str, sent: SentUser) -> tuple[Entry, bool]:
        """Take in what the directory says of somebody now. Returns the entry, and whether they left by it."""
        before = directory.entry(writing, key)
        _refuse_name_of_another(writing, before, sent.user_name)
        directory.put(writing, key, sent.external_id, sent.document)
        self._bind(writing, before.person, sent)
        left = before.active and not sent.active
        if left:
            self._let_go(writing, before.person)
        elif sent.active and not before.active:
            people.onboard(writing, [before.person])
        if sent.active:
            self._address(writing, before.person, sent.email)
            self.apply(writing, [before.person])
        return directory.entry(writing, key), left

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
        let_go(writing, self.caller, name, _WHY, takes)

    def _person(self, writing: Writing, sent: SentUser) -> str:
        """Which person this is to be: whose the subject is already, else the name where it is free."""
        subject = self._subject(sent)
        for one in sign_ons.all_identities(writing):
            if subject is not None and (one.issuer, one.subject) == subject:
                return one.person
        try:
            name = check_person(sent.user_name.lower())
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

    def _bind(self, writing: Writing, name: str, sent: SentUser) -> None:
        subject = self._subject(sent)
        if subject is not None:
            sign_ons.bind(writing, name, *subject, called=sent.user_name)

    def _address(self, writing: Writing, name: str, email: str) -> None:
        if email and people.get(writing, name).email != email:
            people.set_email(writing, name, email)


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
