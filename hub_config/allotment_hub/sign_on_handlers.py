"""The pages of signing in through a provider: there, back again, and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from oauthenticator.oauth2 import OAuthCallbackHandler, OAuthLoginHandler, OAuthLogoutHandler
from tornado import web
from tornado.httputil import url_concat

from allotment_hub.sign_on_asking import SignOnFailed

if TYPE_CHECKING:
    from allotment_hub.sign_on import ProviderAuthenticator

AGAIN = "It took too long, was used before, or was begun in another browser. Begin again."
_SAID_NO = {
    "access_denied": "You, or your company's rules, said no to signing in here.",
    "login_required": "Sign in with your company account first.",
    "temporarily_unavailable": "It does not work there at the moment. Try again in a minute.",
    "server_error": "Something went wrong there. Try again in a minute.",
}
"""What a provider may send a browser back with, in words of our own: its description is not ours to show."""


class SignOnHandler(OAuthLoginHandler):
    """Sends a browser to the provider, with a state and a code challenge of its own."""


class CallbackHandler(OAuthCallbackHandler):
    """Takes a browser that comes back from the provider. What goes wrong becomes a page with a way on."""

    def check_arguments(self) -> None:
        """Check that the sign-in was begun in this browser, and what the provider says of it.

        Raises:
            SignOnFailed: it was not, or the provider says no.
        """
        try:
            self.check_state()
        except web.HTTPError:
            raise SignOnFailed(400, "That sign-in is over", AGAIN) from None
        error = self.get_argument("error", "")
        if error:
            self.log.warning("The provider sent somebody back with %r.", error[:60])
            words = _SAID_NO.get(
                error, "The provider refused. An operator finds the cause in the hub's log."
            )
            raise SignOnFailed(403, "You were not signed in", words)
        if not self.get_argument("code", ""):
            raise SignOnFailed(400, "That sign-in is over", AGAIN)

    def write_error(self, status_code: int, **more: Any) -> None:
        """Show what went wrong, whom to ask, and how to begin again."""
        error = more.get("exc_info", (None, None))[1]
        if not isinstance(error, SignOnFailed):
            super().write_error(status_code, **more)
            return
        self.set_status(status_code)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            self.render_template(
                "sign_on_failed.html",
                sync=True,
                title=error.title,
                words=error.words,
                reasons=error.reasons,
                contact=self.authenticator.settings.contact or "",
                service=self.authenticator.login_service,
                others=bool(self.authenticator.settings.local),
            )
        )


class SignOutHandler(OAuthLogoutHandler):
    """Signs a person out here, and at the provider where the settings ask for it."""

    authenticator: ProviderAuthenticator
    _hint = ""

    async def default_handle_logout(self) -> None:
        """Sign out here, keeping what tells the provider who leaves."""
        user = self.current_user
        if user is not None:
            self._hint = (await user.get_auth_state() or {}).get("id_token") or ""
        await super().default_handle_logout()

    async def render_logout_page(self) -> None:
        """Go to the provider, or say that its own session goes on."""
        mine = self.authenticator
        end = mine.sign_on.endpoints.end_session
        if mine.settings.sign_out_there and end and self._hint:
            back = urljoin(mine.get_callback_url(self), "login")
            told = {
                "client_id": mine.client_id,
                "id_token_hint": self._hint,
                "post_logout_redirect_uri": back,
            }
            self.redirect(url_concat(end, told))
            return
        self.finish(await self.render_template("logout.html", service=mine.login_service))
