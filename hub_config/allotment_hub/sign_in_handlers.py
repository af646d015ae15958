"""The pages on which people choose a password: signed in, or by a one-time link from an operator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jupyterhub.handlers.base import BaseHandler
from tornado import web

from allotment.model.refusals import RecordUnavailable, Refusal
from allotment.record import Record, credentials, session_ends
from allotment_hub import passwords

if TYPE_CHECKING:
    from allotment_hub.sign_in_people import PeopleOfTheRecord

CHANGE_PAGE = "change-password"
RESET_PAGE = "reset-password"


def handlers() -> list[tuple[str, type[BaseHandler]]]:
    """Paths below the hub, and who answers there."""
    return [(rf"/{CHANGE_PAGE}", ChangePasswordHandler), (rf"/{RESET_PAGE}", ResetPasswordHandler)]


class _PasswordHandler(BaseHandler):
    """What both ways share: the form, the rules, and the end of every session."""

    reset = False

    @property
    def sign_in(self) -> PeopleOfTheRecord:
        return self.authenticator  # type: ignore[no-any-return]  # only sign-in with passwords has these pages

    async def show(
        self,
        person: str,
        *,
        problem: str = "",
        status: int = 200,
        form_open: bool = True,
        **more: Any,
    ) -> None:
        """Draw the page."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        page = await self.render_template(
            "password.html",
            person=person,
            problem=problem,
            form_open=form_open,
            reset=self.reset,
            action=self.request.path,
            shortest=passwords.SHORTEST,
            longest=passwords.LONGEST,
            **{"done": False, "token": ""} | more,
        )
        self.finish(page)

    def field(self, name: str) -> str:
        """A field of the form as it was typed: passwords may begin or end with a space."""
        return self.get_body_argument(name, "", strip=False)

    async def new_hash(self, person: str) -> str:
        """The hash of the new password.

        Raises:
            Refusal: it is none that can be taken.
        """
        passwords.check_new(person, self.field("new"), self.field("again"))
        return await passwords.in_thread(passwords.hashed, self.field("new"))

    def need_password(self, person: str) -> None:
        """Leave the page to those who sign in with a password here.

        Raises:
            web.HTTPError: this person signs in through the provider (404).
        """
        if not self.sign_in.keeps_password(person):
            raise web.HTTPError(404, "You sign in through the provider: there is no password here.")

    async def end_sessions(self, person: str, word: datetime) -> None:
        """Sign a person out of every browser: of the hub, and of the servers that hold a session of it.

        Other hubs on this record do so by the word that was kept with the new password.
        """
        try:
            await self.sign_in.end_sessions_of_before(self.find_user(person), person, word)
        except RecordUnavailable:
            self.log.warning("The sessions of %s end once more when the record answers.", person)


class ChangePasswordHandler(_PasswordHandler):
    """Somebody who is signed in changes the own password."""

    @web.authenticated
    async def get(self) -> None:
        """Show the form."""
        self.need_password(self.current_user.name)
        await self.show(self.current_user.name)

    @web.authenticated
    async def post(self) -> None:
        """Take the new password, where the old one is right."""
        user = self.current_user
        self.need_password(user.name)
        try:
            if not await self.sign_in.knows_password(user.name, self.field("old")):
                await self.show(user.name, problem="The password now is not that.", status=403)
                return
            hashed = await self.new_hash(user.name)
            word = await self.sign_in.record.ask(lambda record: _store(record, user.name, hashed))
        except Refusal as refusal:
            await self.show(user.name, problem=str(refusal), status=400)
            return
        except RecordUnavailable:
            await self.show(user.name, problem=_AWAY, status=503)
            return
        except web.HTTPError as error:
            await self.show(user.name, problem=error.log_message or "", status=error.status_code)
            return
        await self.end_sessions(user.name, word)
        self.set_login_cookie(user)
        self.log.info("%s changed the own password.", user.name)
        await self.show(user.name, done=True)


class ResetPasswordHandler(_PasswordHandler):
    """Somebody with a one-time link chooses a password without the old one."""

    reset = True

    async def get(self) -> None:
        """Show the form, where the link is good."""
        token = self.get_query_argument("token", "")
        try:
            person = await self.sign_in.ask(
                lambda reading: credentials.reset_person(
                    reading, passwords.link_hash(token), datetime.now(UTC)
                )
            )
        except Refusal as refusal:
            await self.show("", problem=str(refusal), status=403, form_open=False)
            return
        self.need_password(person)
        await self.show(person, token=token)

    async def post(self) -> None:
        """Take the new password, and use the link up: both, or neither."""
        token, link = self.field("token"), passwords.link_hash(self.field("token"))
        try:
            person = await self.sign_in.ask(
                lambda reading: credentials.reset_person(reading, link, datetime.now(UTC))
            )
        except Refusal as refusal:
            await self.show("", problem=str(refusal), status=403, form_open=False)
            return
        self.need_password(person)
        try:
            hashed = await self.new_hash(person)
        except Refusal as refusal:
            await self.show(person, problem=str(refusal), status=400, token=token)
            return
        try:
            word = await self.sign_in.record.ask(lambda record: _use_link(record, link, hashed))
        except Refusal as refusal:
            await self.show("", problem=str(refusal), status=403, form_open=False)
            return
        except RecordUnavailable:
            await self.show(person, problem=_AWAY, status=503, token=token)
            return
        await self.end_sessions(person, word)
        self.sign_in.attempts.succeeded(person)
        self.log.info("%s reset the own password by a one-time link.", person)
        await self.show(person, done=True)


_AWAY = "The record does not answer, so nothing was changed. Try again in a minute."


def _store(record: Record, person: str, hashed: str) -> datetime:
    """Keep a password, and the word that sessions of before it end at every hub; returns the word's time."""
    with record.writing(person, datetime.now(UTC)) as writing:
        credentials.set_password(writing, person, hashed)
        session_ends.say(writing, person)
        return writing.now


def _use_link(record: Record, link: str, hashed: str) -> datetime:
    """The same for whoever holds a one-time link, which is used up."""
    with record.writing("reset-link", datetime.now(UTC)) as writing:
        person = credentials.use_reset(writing, link)
        credentials.set_password(writing, person, hashed)
        session_ends.say(writing, person)
        return writing.now
