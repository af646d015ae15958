"""What only the control plane asks its hub: to know people, and to look at the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.roles import assign_default_roles
from jupyterhub.utils import maybe_future
from tornado import web

from allotment.model.refusals import RecordUnavailable
from allotment_hub.roles import CONTROL_PLANE_SCOPE

if TYPE_CHECKING:
    from allotment_hub.sign_on import ProviderAuthenticator

MOST = 1000
LONGEST_SECRET = 2000


def handlers() -> list[tuple[str, type[APIHandler]]]:
    """Paths below the hub, and who answers there."""
    return [(r"/api/allotment/people", PeopleHandler), (r"/api/allotment/sign-in", LookHandler)]


class _PlaneHandler(APIHandler):
    def document(self) -> dict[str, Any]:
        """What was sent, of the control plane only.

        Raises:
            web.HTTPError: somebody else asks (403), or it is no object (400).
        """
        if CONTROL_PLANE_SCOPE not in getattr(self, "expanded_scopes", ()):
            raise web.HTTPError(403, "Only the control plane may ask this.")
        said = self.get_json_body()
        if not isinstance(said, dict):
            raise web.HTTPError(400, "An object is expected.")
        return said


class PeopleHandler(_PlaneHandler):
    """Makes people known to the hub, so that their servers can be started. It gives them nothing more.

    JupyterHub's own way takes the scope ``admin:users``, which also shows the tokens that a provider
    gave for people.
    """

    async def post(self) -> None:
        """Make those known who are not; who is known stays."""
        names = self.document().get("usernames")
        if not isinstance(names, list) or not 0 < len(names) <= MOST:
            raise web.HTTPError(400, f"usernames: 1 to {MOST} names are expected.")
        folded = [self.authenticator.normalize_username(str(name)) for name in names]
        wrong = [name for name in folded if not self.authenticator.validate_username(name)]
        if wrong:
            raise web.HTTPError(400, f"{wrong[0][:80]!r} cannot be a name here.")
        for name in dict.fromkeys(folded):
            if self.find_user(name) is None:
                await self._know(name)
        self.set_status(204)

    async def _know(self, name: str) -> None:
        user = self.user_from_username(name)
        assign_default_roles(self.db, entity=user)
        self.db.commit()
        await maybe_future(self.authenticator.add_user(user))


class LookHandler(_PlaneHandler):
    """Looks whether the provider signs people in, with the client's secret or with one that is to be tried."""

    async def post(self) -> None:
        """Answer what was found. A secret that was sent is in no answer and no log."""
        said = self.document()
        secret = said.get("secret")
        if secret is not None and not (
            isinstance(secret, str) and 0 < len(secret) <= LONGEST_SECRET
        ):
            raise web.HTTPError(400, "secret: a text is expected.")
        if not hasattr(self.authenticator, "sign_on"):
            raise web.HTTPError(404, "People sign in at this hub with passwords.")
        # Few hubs have a provider.
        from allotment_hub.sign_on_looking import look  # noqa: PLC0415

        mine = cast("ProviderAuthenticator", self.authenticator)
        if said.get("of_settings") is True:
            secret = mine.sign_on.secret.said
        try:
            found = await look(mine, secret)
        except RecordUnavailable as error:
            raise web.HTTPError(503, "The record does not answer.") from error
        self.set_header("Cache-Control", "no-store")
        self.finish(found)
