"""What every way of signing in shares: the record says who may, and in which groups people are."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from jupyterhub.utils import new_token
from prometheus_client import Counter
from tornado import web
from traitlets import Unicode

from allotment.model.names import check_person
from allotment.model.refusals import NotFound, RecordUnavailable
from allotment.record import (
    Reading,
    Record,
    Writing,
    credentials,
    memberships,
    people,
    session_ends,
)
from allotment_hub import page_handlers, passwords, plane_handlers
from allotment_hub.attempts import Attempts
from allotment_hub.identity import serve_as
from allotment_spawner.asking import AsyncRecord, record_at

Answer = TypeVar("Answer")

SIGN_INS = Counter("allotment_sign_ins_total", "Attempts to sign in", ["outcome"])
AWAY = "The record does not answer, so nobody can sign in now. Try again in a minute."
_REFRESH_PATIENCE = 2.0


class PeopleOfTheRecord(Authenticator):
    """Admits people as the record says. Nobody is a hub administrator.

    What a person may do is the record's; the hub's groups only mirror it, so that JupyterHub's own
    filters can be used. Somebody who was removed from the record is signed out within a minute.
    """

    record_url = Unicode(help="The record, as a SQLAlchemy URL.").tag(config=True)
    hub_name = Unicode("hub", help="What this hub is called in the record.").tag(config=True)
    hub_identity = Unicode(
        help="What tells this hub from another one of its name; empty: nothing is told."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attempts = Attempts()

    @property
    def record(self) -> AsyncRecord:
        """The record, to be asked from the hub's event loop."""
        return record_at(self.record_url)

    async def knows_password(self, name: str, password: str) -> bool:
        """Whether a password is that of a person whom the record knows. Attempts are counted.

        Raises:
            web.HTTPError: too many attempts for the name (429), or the record does not answer (503).
        """
        left = self.attempts.begin(name, time.monotonic())
        if left:
            SIGN_INS.labels("too_many").inc()
            raise web.HTTPError(429, _too_many(left))
        stored = await self._stored_hash(name)
        if not await passwords.in_thread(passwords.fits, stored, password):
            return False
        self.attempts.succeeded(name)
        return True

    def keeps_password(self, name: str) -> bool:  # noqa: ARG002 - a provider's people have none
        """Whether somebody signs in with a password of the platform's own."""
        return True

    async def _stored_hash(self, name: str) -> str | None:
        try:
            check_person(name)
        except ValueError:
            return None
        return await self.ask(lambda reading: _hash_of(reading, name))

    async def by_password(self, data: dict[str, str], handler: Any = None) -> dict[str, Any] | None:
        """Who a form's name and password are of; None where they do not fit.

        Raises:
            web.HTTPError: as for :meth:`knows_password`.
        """
        name = self.normalize_username(data.get("username", "").strip())
        if not await self.knows_password(name, data.get("password", "")):
            SIGN_INS.labels("refused").inc()
            return None
        SIGN_INS.labels("signed_in").inc()
        await self._settle(name, handler)
        return {"name": name, "groups": await self.groups_of(name)}

    async def _settle(self, name: str, handler: Any) -> None:
        """What a right password means: sessions that are to end do so before the new one, and the name is good.

        No provider confirms who has a password here, so none of its silences takes what they may do.
        """
        user = None if handler is None else handler.find_user(name)

        def look(reading: Reading) -> tuple[datetime | None, bool]:
            lapses = people.get(reading, name).confirmed_until is not None
            return session_ends.due(reading, name, self.hub_name), lapses

        try:
            due, lapses = await self.ask(look)
            if due is not None:
                await self.end_sessions_of_before(user, name, due)
            if lapses:
                await self.tell(name, lambda writing: credentials.confirm_for_good(writing, [name]))
        except (RecordUnavailable, web.HTTPError):
            self.log.warning("What %s's password means waits for the record.", name)

    async def ask(self, question: Callable[[Reading], Answer]) -> Answer:
        """Ask the record.

        Raises:
            web.HTTPError: it does not answer (503).
        """
        try:
            return await self.record.ask(lambda record: _read(record, question))
        except RecordUnavailable as error:
            raise web.HTTPError(503, AWAY) from error

    async def tell(self, actor: str, change: Callable[[Writing], Answer]) -> Answer:
        """Change the record.

        Raises:
            Refusal: the change is refused.
            RecordUnavailable: it does not answer.
        """

        def write(record: Record) -> Answer:
            with record.writing(actor, datetime.now(UTC)) as writing:
                return change(writing)

        return await self.record.ask(write)

    def check_allowed(
        self,
        username: str,  # noqa: ARG002 - JupyterHub's signature
        authentication: dict[str, Any] | None = None,
    ) -> Any:
        """Everybody who got this far: the record has admitted them."""
        return authentication is not None

    async def refresh_user(
        self,
        user: Any,
        handler: web.RequestHandler | None = None,
        **_more: Any,
    ) -> Any:
        """Mirror the record's groups, and sign out who was removed, or got a password. With the record away, go on."""

        def look(reading: Reading) -> tuple[set[str] | None, datetime | None]:
            due = session_ends.due(reading, user.name, self.hub_name)
            return self.groups_in(reading, user.name), due

        try:
            found, due = await self.record.ask(
                lambda record: _read(record, look), limit=_REFRESH_PATIENCE
            )
            if due is not None:
                await self.end_sessions_of_before(user, user.name, due)
        except RecordUnavailable:
            return True
        if found is None or (due is not None and not by_token(handler)):
            return False
        return True if found == {group.name for group in user.groups} else {"groups": sorted(found)}

    async def end_sessions_of_before(self, user: Any, name: str, word: datetime) -> None:
        """End every session that somebody has here, as the record's word of that time wants it.

        Raises:
            RecordUnavailable: it does not answer; the word is carried out once more later.
        """
        if user is not None:
            end_sessions(user)
        self.log.warning("The sessions of %s are ended: their password was set anew.", name)
        await self.tell(
            "hub", lambda writing: session_ends.done(writing, name, self.hub_name, word)
        )

    def groups_in(self, reading: Reading, name: str) -> set[str] | None:
        """The groups of a person; None for whom nothing admits: somebody unknown, or who has left."""
        return _known_groups(reading, name)

    async def groups_of(self, name: str) -> list[str]:
        """The record's groups of a person, by name.

        Raises:
            web.HTTPError: the record does not answer (503).
        """
        return sorted(await self.ask(lambda reading: self.groups_in(reading, name)) or ())

    def get_handlers(self, app: Any) -> list[Any]:
        """Our pages in place of JupyterHub's, and the pages of signing in.

        A hub asks for them once, when it is about to serve: from here on its name is its own.
        """
        if self.hub_identity:
            serve_as(app, self.record_url, self.hub_name, self.hub_identity)
        own = (*page_handlers.handlers(), *plane_handlers.handlers())
        return [*own, *super().get_handlers(app)]


def end_sessions(user: Any) -> None:
    """Sign a person out of every browser: of the hub, and of the servers that hold a session of it.

    Tokens that people made for programs stay.
    """
    user.orm_user.cookie_id = new_token()
    for token in user.db.query(orm.APIToken).filter_by(user_id=user.orm_user.id):
        if token.session_id:
            user.db.delete(token)
    user.db.commit()


def by_token(handler: Any) -> bool:
    """Whether a program asks, by a token: not a browser with its cookie. None: the hub itself does."""
    return handler is None or bool(getattr(handler, "_token_authenticated", False))


def _read(record: Record, question: Callable[[Reading], Answer]) -> Answer:
    with record.reading() as reading:
        return question(reading)


def _hash_of(reading: Reading, name: str) -> str | None:
    """The hash of a person's password; None for who has none, is unknown or has left."""
    credential = credentials.get(reading, name)
    known = credential is not None and _known_groups(reading, name) is not None
    return credential.hash if credential is not None and known else None


def _known_groups(reading: Reading, name: str) -> set[str] | None:
    """The groups of a person, or None for somebody unknown and for somebody who has left."""
    try:
        person = people.get(reading, name)
    except NotFound:
        return None
    if person.left_at is not None:
        return None
    return set(memberships.current_groups(reading, name, datetime.now(UTC)))


def _too_many(left: float) -> str:
    seconds = math.ceil(left)
    wait = f"{seconds} s" if seconds < 60 else f"{math.ceil(seconds / 60)} min"  # noqa: PLR2004 - a minute
    return f"Too many attempts for this name. Try again in {wait}."
