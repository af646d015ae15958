"""Signing in through the company's identity provider: oauthenticator speaks to it, the record decides."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote_plus

from jupyterhub.utils import new_token
from oauthenticator.oauth2 import OAuthenticator
from tornado import web
from traitlets import Any as AnyTrait

from allotment.model.people import Person
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AllotmentError, RecordUnavailable, Refusal
from allotment.model.sign_on import ProviderIdentity
from allotment.record import Reading, Record, Writing, sign_ons
from allotment.record.sign_in import ReplacedSecret
from allotment.settings.sign_on import SignIn
from allotment_hub import sign_in_handlers, sign_on_handlers
from allotment_hub.sign_in_people import AWAY, SIGN_INS, PeopleOfTheRecord, by_token
from allotment_hub.sign_on_asking import (
    Provider,
    ProviderAway,
    ProviderRefused,
    SignOnFailed,
)
from allotment_hub.sign_on_claims import ClaimsWrong
from allotment_hub.sign_on_confirming import Confirming
from allotment_hub.sign_on_endpoints import Endpoints
from allotment_hub.sign_on_secret import ClientSecret

ACTOR = "identity-provider"
ASKED_AT = "asked_at"
"""Key of the state that the hub keeps of a person, encrypted: when the provider was last asked."""


class AnotherSubject(Exception):
    """What was kept of a person has become somebody else's."""


class Ended(Enum):
    """Why somebody must sign in again."""

    SESSION = "their session with the provider is over"
    DENIED = "the provider, or the record, says no"


@dataclass(frozen=True, slots=True)
class SignOn:
    """What an authenticator must know of a provider: settings, endpoints, the client's secret, whom the file names."""

    settings: SignIn
    endpoints: Endpoints
    secret: ClientSecret
    vouched: frozenset[str] = frozenset()


class ProviderAuthenticator(PeopleOfTheRecord, OAuthenticator):
    """Admits whom a provider vouches for and the record knows, by issuer and subject.

    Who has a password for emergencies signs in with it. The provider is asked again as often as the
    settings say, for those who are away too; what it does not confirm admits nothing new after a time.
    """

    login_handler = sign_on_handlers.SignOnHandler
    callback_handler = sign_on_handlers.CallbackHandler
    logout_handler = sign_on_handlers.SignOutHandler
    sign_on: SignOn = AnyTrait(help="What is known of the provider.").tag(config=True)  # type: ignore[assignment]  # a trait

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.provider = Provider(self)
        self._asking: dict[str, asyncio.Lock] = {}
        self._asked: dict[str, float] = {}
        """When the provider was last asked about somebody, in seconds since 1970."""
        self._ended: dict[str, Ended] = {}
        """Who must sign in again, and why."""
        self._replaced: ReplacedSecret | None = None
        """The operator's word about the client's secret that was last looked at."""

    @property
    def settings(self) -> SignIn:
        """What the settings say about signing in."""
        return self.sign_on.settings

    # At a sign-in.

    async def authenticate(
        self, handler: Any, data: dict[str, str] | None = None, **_more: Any
    ) -> dict[str, Any] | None:
        """Take a person in: back from the provider, or with a password where they have one.

        Raises:
            SignOnFailed: the provider, its answer or the record says no; shown as a page.
            web.HTTPError: as for passwords.
        """
        if data is not None:
            return await self.by_kept_password(data, handler)
        try:
            said = await self.tokens(handler)
            found = await self.who(said, fresh=True)
            person = await self.admitted(found)
        except (ProviderAway, ProviderRefused, ClaimsWrong, Refusal, RecordUnavailable) as error:
            raise self._failed(error) from error
        SIGN_INS.labels("signed_in").inc()
        groups = await self.groups_of(person.name)
        self._ended.pop(person.name, None)
        state = self._kept(person.name, said, {})
        return {"name": person.name, "groups": groups, "auth_state": state}

    def keeps_password(self, name: str) -> bool:
        """Whether somebody is one of the few who sign in with a password for emergencies."""
        return name in self.settings.local

    async def by_kept_password(
        self, data: dict[str, str], handler: Any = None
    ) -> dict[str, Any] | None:
        """Sign in one of the few who keep a password for emergencies; nobody else has one here."""
        name = self.normalize_username(data.get("username", "").strip())
        if not self.settings.local:
            raise web.HTTPError(405, "Nobody signs in with a password here.")
        if not self.keeps_password(name):  # takes as long as for a wrong password, and counts
            await self.knows_password(f"{name} ", "")
            SIGN_INS.labels("refused").inc()
            return None
        return await self.by_password(data, handler)

    def build_token_info_request_headers(self) -> dict[str, str]:
        """What the token endpoint is asked with; client and secret are encoded as RFC 6749, section 2.3.1 wants it."""
        headers: dict[str, str] = super().build_token_info_request_headers()
        if self.basic_auth:
            shown = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(shown.encode()).decode()}"
        return headers

    async def tokens(self, handler: Any) -> dict[str, Any]:
        """Change the code that the browser brought for the provider's tokens."""
        await self.current_secret()
        asked = self.build_access_tokens_request_params(handler)
        del asked["data"]  # nothing of ours; it would be sent as the word None
        return await self.provider.tokens(asked)

    async def current_secret(self) -> str:
        """The client's secret that is in force now: what operators replace is used at the next question.

        Without the record, or its keys, the one that was in force last.
        """
        mine = self.sign_on.secret

        def look(record: Record) -> None:
            with record.reading() as reading:
                replaced = mine.replaced(reading)
            if replaced != self._replaced:
                self.client_secret, self._replaced = mine.in_force(replaced), replaced

        try:
            await self.record.ask(look)
        except AllotmentError as error:
            self.log.warning("The client's secret of before is used: %s", error)
        return str(self.client_secret)

    async def who(self, said: dict[str, Any], *, fresh: bool) -> ProviderIdentity:
        """Who the provider's tokens are about; ``fresh``: they come from a sign-in, and so with an id token.

        Raises:
            ClaimsWrong, ProviderAway, ProviderRefused.
        """
        raise NotImplementedError

    async def admitted(self, found: ProviderIdentity) -> Person:
        """Have the record say who that is here, and take in what the provider said.

        Raises:
            Refusal: a stranger, or a name that is another's. RecordUnavailable.
        """
        return await self.tell(ACTOR, lambda writing: self._taken_in(writing, found))

    def _taken_in(self, writing: Writing, found: ProviderIdentity) -> Person:
        settings = self.settings
        person = sign_ons.signed_in(
            writing,
            found,
            settings.mapping,
            admits=settings.admits,
            vouched=self.sign_on.vouched,
            confirmed_until=writing.now + settings.confirm_within,
        )
        if self.keeps_password(person.name):  # by a link, say: nothing of this is kept
            raise Refusal(_for_emergencies(person.name))
        return person

    def _failed(self, error: Exception) -> SignOnFailed:
        """The page that says it; the log says it in the operator's words, without what was answered."""
        outcome = "refused" if isinstance(error, Refusal) else "failed"
        SIGN_INS.labels(outcome).inc()
        self.log.warning(
            "A sign-in through the provider ended: %s: %s", type(error).__name__, error
        )
        if isinstance(error, Refusal):
            return SignOnFailed(403, "You cannot sign in here", reasons=error.reasons)
        if isinstance(error, RecordUnavailable):
            return SignOnFailed(503, "Signing in does not work now", AWAY)
        if isinstance(error, ProviderAway):
            words = f"{self.login_service} does not answer. Who is signed in already goes on working. Try again in a minute."
            return SignOnFailed(503, "Signing in does not work now", words)
        if isinstance(error, ClaimsWrong):
            return SignOnFailed(403, "You were not signed in", error.told)
        return SignOnFailed(400, "That sign-in is over", sign_on_handlers.AGAIN)

    # While people are signed in.

    async def refresh_user(
        self, user: Any, handler: web.RequestHandler | None = None, **_more: Any
    ) -> Any:
        """Mirror the record; where the provider was last asked too long ago, ask it, and mirror what it says."""
        mirrored = await super().refresh_user(user, handler)
        if mirrored is False or user.name in self.settings.local:
            return mirrored
        async with self._asking.setdefault(user.name, asyncio.Lock()):
            if user.name not in self._ended and self.may_be_due(user.name):
                state = await user.get_auth_state() or {}
                self._asked[user.name] = state.get(ASKED_AT, 0.0)
                if self.may_be_due(user.name):
                    mirrored = await self._confirm(user, state, mirrored)
        ended = self._ended.get(user.name)
        if ended is Ended.DENIED:
            return False
        return self._without_confirmation(mirrored, handler) if ended else mirrored

    def may_be_due(self, name: str) -> bool:
        """Whether the provider was last asked about somebody longer ago than the settings say, as far as is known."""
        return time.time() - self._asked.get(name, 0.0) >= self.settings.refresh.total_seconds()

    async def _confirm(self, user: Any, state: dict[str, Any], mirrored: Any) -> Any:
        """Ask the provider about somebody; the caller sees to it that nobody else asks meanwhile.

        A refresh token is good once: two who used it at the same time would end the session.
        """
        try:
            await self.current_secret()
            said = await self.provider.renewed(state)
            # The old refresh token is used up: what came for it is kept whatever happens next.
            state = self._kept(user.name, said, state)
            await user.save_auth_state(state)
            found = await self.who(said, fresh=False)
            await self._same(user.name, found)
            await self.admitted(found)
            return {"groups": await self.groups_of(user.name), "auth_state": state}
        except (ProviderAway, RecordUnavailable, web.HTTPError) as away:
            self.log.warning("%s could not be confirmed: %s", user.name, away)
        except ProviderRefused as refused:
            self.log.info("The provider confirms %s no longer: %s", user.name, refused)
            self._end_session(user)
        except ClaimsWrong as unclear:
            # Nothing was said against the person: what they were given stays until it runs out.
            self.log.warning("What the provider says of %s proves nothing: %s", user.name, unclear)
            self._end_session(user)
        except (AnotherSubject, Refusal) as no:
            self.log.warning("%s is signed out: %s", user.name, no)
            self._ended[user.name] = Ended.DENIED
            await self._denied(user.name, str(no))
        return mirrored

    def _end_session(self, user: Any) -> None:
        """Have somebody sign in again in every browser; their tokens stay.

        JupyterHub takes a person for refreshed, not a cookie: a token that goes on would let the
        cookies in again. So those of before mean nobody from now on, whatever this hub remembers.
        """
        self._ended[user.name] = Ended.SESSION
        user.orm_user.cookie_id = new_token()
        user.db.commit()

    @staticmethod
    def _without_confirmation(mirrored: Any, handler: Any) -> Any:
        """What becomes of a request of somebody whose session with the provider has ended.

        In a browser they sign in again, before a form or a new token is taken from them. What their
        servers and programs ask goes on: work that runs is nobody's to break; the record admits
        nothing new once the confirmation is too old.
        """
        return mirrored if by_token(handler) else False

    def groups_in(self, reading: Reading, name: str) -> set[str] | None:
        """Likewise; nobody vouches for who is no subject of a provider and keeps no password.

        Such is who signed in before there was a provider, or was unlinked since.
        """
        if not self.keeps_password(name) and sign_ons.identity_of(reading, name) is None:
            return None
        return super().groups_in(reading, name)

    async def _same(self, name: str, found: ProviderIdentity) -> None:
        known = await self.ask(lambda reading: sign_ons.identity_of(reading, name))
        if known != (found.issuer, found.subject):
            raise AnotherSubject("The provider's tokens are of another subject than the person's.")

    async def _denied(self, name: str, why: str) -> None:
        try:
            known = await self.ask(lambda reading: sign_ons.identity_of(reading, name))
            if known is not None:
                await self.tell(ACTOR, lambda writing: sign_ons.denied(writing, *known, why))
        except (RecordUnavailable, web.HTTPError):
            self.log.warning("The record could not be told that %s is not confirmed.", name)

    def _kept(self, name: str, said: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
        """What the hub keeps of a person, encrypted: tokens to ask again with, and when it asked. No claims."""
        self._asked[name] = time.time()
        return {
            "access_token": said.get("access_token"),
            # A provider that does not hand out a new one means the old one.
            "refresh_token": said.get("refresh_token") or before.get("refresh_token"),
            "id_token": said.get("id_token") or before.get("id_token"),
            ASKED_AT: self._asked[name],
        }

    def get_handlers(self, app: Any) -> list[Any]:
        """The pages of signing in, with those for passwords where somebody has one. The hub's loop runs by now."""
        self._confirming = Confirming(self, app)
        self._confirming.begin()
        own = sign_in_handlers.handlers() if self.settings.local else []
        return [*own, *super().get_handlers(app)]


def _for_emergencies(name: str) -> Reason:
    return Reason(
        Rule.NAME_TAKEN,
        f"{name} has a password for emergencies and is nobody's at the provider.",
        remedy="Ask an operator to link your account to another name: sign_in.local names this one.",
    )
