"""Asking the provider about people who are away: who left a group there should not keep it here until they come by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jupyterhub import orm

if TYPE_CHECKING:
    from allotment_hub.sign_on import ProviderAuthenticator

log = logging.getLogger(__name__)

ROUNDS = 4
"""Rounds in the time after which the provider is to be asked again: nobody waits much longer than it."""
AT_ONCE = 4
"""People asked about at the same time: a provider has other things to do."""
LONGEST_PAUSE = 300.0


class Confirming:
    """Goes round the people whom the hub keeps tokens of, as long as the hub runs."""

    def __init__(self, authenticator: ProviderAuthenticator, app: Any) -> None:
        self._authenticator, self._app = authenticator, app
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin, in the hub's event loop."""
        self._task = asyncio.get_running_loop().create_task(self._go_round())

    async def _go_round(self) -> None:
        interval = self._authenticator.settings.refresh.total_seconds()
        while True:
            await asyncio.sleep(min(interval / ROUNDS, LONGEST_PAUSE))
            try:
                await self.round()
            except Exception:
                log.exception(
                    "Asking the provider about people who are away failed; the next round comes."
                )

    async def round(self) -> None:
        """Ask about everybody who is due, a few at a time."""
        waiting = iter(tuple(self._names()))
        await asyncio.gather(*(self.ask_each(waiting) for _ in range(AT_ONCE)))

    def _names(self) -> Iterator[str]:
        """People whom the hub keeps tokens of."""
        kept: Any = orm.User.encrypted_auth_state
        query = self._app.db.query(orm.User.name).filter(kept.is_not(None))
        return (row.name for row in query.order_by(orm.User.name))

    async def ask_each(self, waiting: Iterator[str]) -> None:
        """Ask about one after the other of those who are due."""
        for name in waiting:
            user = self._app.users.get(name) if self._authenticator.may_be_due(name) else None
            if user is None:
                continue
            try:
                await self._ask_about(user)
            except Exception:  # of one person; the others are asked about all the same
                log.exception("Asking the provider about %s failed; the next round comes.", name)

    async def _ask_about(self, user: Any) -> None:
        answer = await self._authenticator.refresh_user(user)
        if isinstance(answer, dict):
            user.sync_groups(answer["groups"])
            if "auth_state" in answer:
                await user.save_auth_state(answer["auth_state"])
