"""Local sign-in: each person an own password, kept as a hash in the record."""

from __future__ import annotations

from typing import Any

from tornado import web

from allotment_hub import sign_in_handlers
from allotment_hub.sign_in_people import SIGN_INS, PeopleOfTheRecord

__all__ = ["SIGN_INS", "LocalAuthenticator"]


class LocalAuthenticator(PeopleOfTheRecord):
    """Admits people whom the record knows and who know their password."""

    async def authenticate(
        self,
        handler: web.RequestHandler | None,
        data: dict[str, str],
    ) -> dict[str, Any] | None:
        """Check a name and a password.

        Raises:
            web.HTTPError: too many attempts for the name (429), or the record does not answer (503).
        """
        return await self.by_password(data, handler)

    def get_handlers(self, app: Any) -> list[Any]:
        """The pages of sign-in, and ours in place of JupyterHub's."""
        return [*sign_in_handlers.handlers(), *super().get_handlers(app)]
