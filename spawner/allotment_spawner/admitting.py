"""Admission at start and release on proof, for any JupyterHub spawner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from jupyterhub.spawner import Spawner
from jupyterhub.utils import maybe_future
from traitlets import Float, Unicode, default

from allotment.model.allotments import Allotment, State
from allotment.model.claims import Claim, Granted, Outcome, Queued, Refused, Waits
from allotment.model.endings import Cause
from allotment.model.names import CONSOLE_SERVER
from allotment.model.reasons import Rule
from allotment.model.refusals import RecordUnavailable, Refusal
from allotment.record import Record, Writing, allotments, claims, offers, servers, tickets
from allotment_spawner import access, measures, refusing
from allotment_spawner.asking import AsyncRecord, record_at
from allotment_spawner.environment import promised_profile, server_environment
from allotment_spawner.late import HUB, give_back, in_background
from allotment_spawner.options import LaunchOptions, read_options
from allotment_spawner.options_form import RECORD_AWAY, launch_form, read_form
from allotment_spawner.refusing import LaunchFailed, LaunchRefused

Answer = TypeVar("Answer")


def _now() -> datetime:
    return datetime.now(UTC)


class AllotmentMixin(Spawner):
    """Put before a spawner class: its servers start only when admitted, and free their devices on proof.

    A start is one claim, decided and written by the record in one transaction, before anything runs.
    However it ends (stopped, failed, cancelled, found dead, or gone while the hub was away), its
    allotment is marked as stopping; it is released when :meth:`prove_gone` knows that the server is
    gone, and stays until then: reconciling tries again each minute.
    """

    record_url = Unicode(help="The record, as a SQLAlchemy URL.").tag(config=True)
    hub_id = Unicode("hub", help="This hub's id in a record that several hubs share.").tag(
        config=True
    )
    allotment_api_url = Unicode(
        help="The control plane's API as servers reach it (ALLOTMENT_API_URL)."
    ).tag(config=True)
    record_patience = Float(
        10.0, help="Seconds that a launch waits for the record before it is refused."
    ).tag(config=True)

    _allotment: Allotment | None = None
    """What it was granted by the launch that this object began."""
    _allotment_id = ""
    """The allotment that it must see released; known after a restart of the hub, too."""
    _launched_here = False
    _exit_status: int | None = None

    @property
    def admitted(self) -> bool:
        """Whether the launch that this object began holds an allotment."""
        return bool(self._allotment_id)

    # What a spawner adds.

    async def prove_gone(self, allotment: Allotment) -> str | None:
        """End what is left of a server, and say how it is known to be gone; None while it is not.

        Called whenever a server has ended or was to end, perhaps several times, perhaps long after
        it was gone, and after a restart of the hub. A hook's word is no proof: look.
        """
        raise NotImplementedError

    async def prepare(self, allotment: Allotment) -> None:
        """Make ready what the server needs, when it is admitted and before it starts."""

    async def note_place(self, allotment: Allotment) -> None:
        """Tell the record where the server runs, at once after it was started."""

    # JupyterHub's defaults.

    @default("server_token_scopes")
    def _default_server_token_scopes(self) -> Callable[[Spawner], list[str]]:
        return lambda spawner: access.token_scopes(spawner.name)

    @default("oauth_access_scopes")
    def _default_oauth_access_scopes(self) -> list[str]:
        return access.access_scopes(self.user.name, self.name)

    @default("oauth_client_allowed_scopes")
    def _default_oauth_client_allowed_scopes(self) -> list[str]:
        return access.browser_scopes(self.user.name, self.name)

    @default("options_from_form")
    def _default_options_from_form(self) -> Callable[[dict[str, Any]], dict[str, str | bool]]:
        return read_form

    @default("options_form")
    def _default_options_form(self) -> Callable[[AllotmentMixin], Awaitable[str]]:
        return AllotmentMixin._draw_form

    async def _draw_form(self) -> str:
        """The plain form; a launch page of its own may do without. Never empty."""

        def draw(record: Record) -> str:
            with record.reading() as reading:
                return launch_form(reading, self.user.name, self.name, _now())

        try:
            return await self._record.ask(draw)
        except RecordUnavailable:
            return RECORD_AWAY

    @default("apply_user_options")
    def _default_apply_user_options(self) -> Callable[[Spawner, dict[str, Any]], None]:
        # JupyterHub would warn of options that nobody reads; start() reads them.
        return lambda _spawner, _options: None

    # Starting.

    async def start(self) -> Any:
        """Admit the server, then start it.

        Raises:
            LaunchRefused: it was not admitted; nothing was started, nothing is held.
        """
        self._allotment, self._allotment_id = None, ""
        self._exit_status, self._launched_here = None, True
        options = self._options()
        if options.ticket:
            allotment = await self._offered(options.ticket)
        else:
            allotment = await self._admitted(self._claim(options))
        self._allotment, self._allotment_id = allotment, allotment.id
        try:
            return await self._start_admitted(allotment)
        except asyncio.CancelledError:
            in_background(self._conclude("Its launch was cancelled, or took too long."))
            raise
        except RecordUnavailable as error:
            await self._conclude("It did not start: the record did not answer.")
            raise refusing.record_away(error) from error
        except OSError as error:
            await self._conclude("It did not start: its program or its home cannot be used.")
            raise LaunchFailed(error) from error
        except LaunchRefused as refusal:
            await self._conclude(f"It did not start. {refusal.jupyterhub_message}")
            raise
        except Exception:
            await self._conclude("It did not start.")
            raise

    async def _start_admitted(self, allotment: Allotment) -> Any:
        profile = promised_profile(allotment)
        if profile.memory is not None:
            self.mem_limit = profile.memory
        if profile.cpu is not None:
            self.cpu_limit = profile.cpu
        await self.prepare(allotment)
        address = await super().start()
        await self.note_place(allotment)
        if not await self._step(claims.mark_running, allotment.id):
            raise refusing.stopped_meanwhile()
        return address

    def get_env(self) -> dict[str, str]:
        """The environment of the server: JupyterHub's, the profile's, and what Allotment promises."""
        environment: dict[str, str] = super().get_env()
        if self._allotment is not None:
            environment |= server_environment(self._allotment, self.allotment_api_url)
        return environment

    def _options(self) -> LaunchOptions:
        try:
            options = read_options(self.user_options)
        except Refusal as refusal:
            self._store_options(LaunchOptions())
            raise refusing.invalid_options(refusal) from None
        # A ticket says itself what its server is launched with.
        self._store_options(LaunchOptions() if options.ticket else options)
        return options

    def _claim(self, options: LaunchOptions) -> Claim:
        return Claim(
            hub=self.hub_id,
            person=self.user.name,
            server=self.name,
            profile=options.profile,
            group=options.group or None,
            token_hash=claims.hash_token(self.api_token),
            display_name=options.display_name or self._hub_display_name(),
            note=options.note,
            wait=options.wait,
            software=options.software,
        )

    async def _offered(self, ticket: str) -> Allotment:
        """Take what was offered to a ticket. What it waited for is what a later start uses."""
        token_hash = claims.hash_token(self.api_token)
        claim = Claim(self.hub_id, self.user.name, self.name, "", token_hash=token_hash)
        try:
            outcome, known = await self._record.decide(
                lambda record: offers.take_offer(record, claim, ticket, _now()),
                limit=self.record_patience,
                late=lambda record, late: give_back(record, late[0]),
            )
        except RecordUnavailable as error:
            raise refusing.record_away(error) from error
        if known is not None:
            self._store_options(LaunchOptions.of(known))
        if isinstance(outcome, Granted):
            return outcome.allotment
        self.log.info("Not started by its ticket: %s: %s", self._log_name, outcome.reasons)
        raise refusing.not_admitted(outcome)

    def _store_options(self, options: LaunchOptions) -> None:
        """Keep what a start with an empty body uses next time: never what was not understood."""
        self.user_options = self.orm_spawner.user_options = options.stored()

    def _hub_display_name(self) -> str:
        """The name given beside the options; JupyterHub repeats the server's name where there is none."""
        given = self.display_name or ""
        return "" if given == self.name else given

    async def _admitted(self, claim: Claim) -> Allotment:
        try:
            outcome = await self._decide(claim)
            if isinstance(outcome, Waits | Refused) and await self._clear_leftover(outcome):
                outcome = await self._decide(claim)
        except RecordUnavailable as error:
            raise refusing.record_away(error) from error
        if isinstance(outcome, Granted):
            return outcome.allotment
        if isinstance(outcome, Queued):
            raise refusing.LaunchQueued(outcome)
        self.log.info("Not admitted: %s for %s: %s", claim.profile, self._log_name, outcome.reasons)
        raise refusing.not_admitted(outcome)

    async def _decide(self, claim: Claim) -> Outcome:
        return await self._record.decide(
            lambda record: claims.admit(record, claim, _now()),
            limit=self.record_patience,
            late=give_back,
        )

    async def _clear_leftover(self, outcome: Waits | Refused) -> bool:
        """End what an earlier run of this server left behind. Returns whether that freed its name."""
        if all(reason.rule is not Rule.SERVER_NAME for reason in outcome.reasons):
            return False
        left = await self._active()
        return bool(left) and all([await self._end(one, "It had ended.") for one in left])

    # Ending.

    async def stop(self, now: bool = False) -> None:  # noqa: FBT001, FBT002 - JupyterHub's signature
        """Stop the server. Its devices are free when it is proven gone."""
        never_up = self._waiting_for_response
        reason = "It did not answer in time." if never_up else "It was stopped."
        if self._allotment_id:
            # What the control plane stops it has marked before: this is a person's word.
            mark = partial(claims.mark_stopping, cause=None if never_up else Cause.STOPPED)
            await self._try(self._step(mark, self._allotment_id, reason, HUB))
        await super().stop(now)
        await self._conclude(reason)

    async def poll(self) -> int | None:
        """Whether the server runs (None), else its exit status, 0 where it is not known."""
        status: int | None = await super().poll()
        if status is not None and self._exit_status is None:
            self._exit_status = status
        return status

    async def run_post_stop_hook(self) -> None:
        """Conclude, whichever way the server ended: JupyterHub runs this after all of them."""
        try:
            await maybe_future(super().run_post_stop_hook())
        finally:
            await self._conclude(self._own_end())

    def _own_end(self) -> str:
        if not self._launched_here:
            return "It ended by itself, or while the hub was away."
        if self._exit_status:
            return f"It ended by itself (exit status {self._exit_status})."
        return "It ended by itself."

    async def _conclude(self, reason: str) -> None:
        """Mark what this server holds as stopping, and release what is proven gone.

        Never raises: a server's end must not fail because the record is away. Reconciling mends it.
        """
        for allotment in await self._try(self._held()) or ():
            await self._try(self._end(allotment, reason))

    async def _held(self) -> tuple[Allotment, ...]:
        """The allotments that this object must see released.

        One that launched knows its allotment; so does one that JupyterHub loaded with its state. A
        hub that was killed in the middle of a launch saved no state, so the record is asked.
        """
        known = self._allotment_id
        if not known and self._launched_here:
            return ()
        return tuple(one for one in await self._active() if one.id == known or not known)

    async def _end(self, allotment: Allotment, reason: str) -> bool:
        # Of what this process did not start nobody knows since when it is gone.
        mark = claims.mark_stopping if self._launched_here else claims.mark_gone
        await self._step(mark, allotment.id, reason, HUB)
        proof = measures.ended(await self.prove_gone(allotment))
        if proof is None:
            self.log.warning(
                "%s is not proven gone: its allotment %s stays.", self._log_name, allotment.id
            )
            return False
        await self._step(claims.release, allotment.id, proof)
        if self._allotment_id == allotment.id:
            self._allotment, self._allotment_id = None, ""
        return True

    async def _active(self) -> tuple[Allotment, ...]:
        """What the record says this very server holds. What is offered to it has no server yet."""

        def read(record: Record) -> tuple[Allotment, ...]:
            with record.reading() as reading:
                mine = allotments.active(reading, hub=self.hub_id, person=self.user.name)
                here = [one for one in mine if one.server == self.name]
                return tuple(one for one in here if one.state is not State.OFFERED)

        return await self._record.ask(read)

    async def _step(self, step: Callable[..., Answer], *details: object) -> Answer:
        return await self._record.ask(lambda record: step(record, *details, _now()))

    async def _try(self, attempt: Awaitable[Answer]) -> Answer | None:
        try:
            return await attempt
        except Exception:
            self.log.exception("An end of %s is not recorded; reconciling will.", self._log_name)
            return None

    @property
    def _record(self) -> AsyncRecord:
        return record_at(self.record_url)

    # State, names, and the end of a named server.

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a server that an earlier run of the hub started."""
        super().load_state(state)
        self._allotment_id = str(state.get("allotment", ""))

    def get_state(self) -> dict[str, Any]:
        """What JupyterHub stores, so that a hub that restarts knows whose allotment a server is."""
        state: dict[str, Any] = super().get_state()
        return state | ({"allotment": self._allotment_id} if self._allotment_id else {})

    async def rename(self, old_name: str, new_name: str) -> None:
        """Rename a stopped server. The console keeps its name, and nothing else takes it.

        Raises:
            LaunchRefused: one of the names is the console's.
        """
        if CONSOLE_SERVER in {old_name, new_name}:
            raise refusing.name_of_the_console()
        await super().rename(old_name, new_name)
        await self._change(
            lambda w: servers.rename(w, self.hub_id, self.user.name, old_name, new_name)
        )

    async def delete_forever(self) -> None:
        """Forget a server that was deleted: it counts no more among those that exist.

        JupyterHub deletes it whatever becomes of this, so it is forgotten even where the spawner below fails.
        """
        whose = (self.hub_id, self.user.name, self.name)

        def forget(writing: Writing) -> None:
            tickets.cancel_of_server(writing, *whose, "Its server was deleted.")
            servers.forget(writing, *whose)

        try:
            await maybe_future(super().delete_forever())
        finally:
            await self._change(forget)

    async def _change(self, change: Callable[[Writing], object]) -> None:
        def write(record: Record) -> None:
            with record.writing(self.user.name, _now()) as writing:
                change(writing)

        await self._record.ask(write)
