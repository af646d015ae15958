"""The two ways to see what one holds: JSON for programs, a page for people."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.extension.handler import ExtensionHandlerJinjaMixin, ExtensionHandlerMixin
from jupyter_server.utils import url_path_join
from tornado.web import authenticated

from allotment_server.owner import OwnersView
from allotment_server.page import page_words

VIEW = "allotment_owners_view"
"""Where the web application keeps the :class:`OwnersView`."""


class MeHandler(ExtensionHandlerMixin, APIHandler):
    """``GET /allotment/me``."""

    auth_resource = "allotment"
    _track_activity = False  # looking at one's limits keeps no server from being idle

    @authenticated
    @authorized
    async def get(self) -> None:
        """Limits, what is held, notices, and whether the control plane answers."""
        view: OwnersView = self.settings[VIEW]
        answer = await view.read()
        self.set_header("Cache-Control", "no-store")
        self.finish(answer.model_dump_json())


class PageHandler(ExtensionHandlerJinjaMixin, ExtensionHandlerMixin, JupyterHandler):
    """``GET /allotment``: the same as a page."""

    auth_resource = "allotment"

    @property
    def content_security_policy(self) -> str:
        """Nothing from elsewhere, no scripts or styles in the page itself."""
        own = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
        return f"{super().content_security_policy}; {own}"

    @authenticated
    @authorized
    async def get(self) -> None:
        """The page, whole; its script fetches it again and takes the marked part."""
        view: OwnersView = self.settings[VIEW]
        words = page_words(await view.read(), view.here, datetime.now(UTC))
        self.set_header("Cache-Control", "no-store")
        self.finish(self.render_template("status.html", **words, work_url=self.base_url))


class SlashHandler(JupyterHandler):
    """``GET /allotment/``: the page's address has no slash at its end."""

    @authenticated
    async def get(self) -> None:
        """Send the browser there."""
        self.redirect(
            url_path_join(self.base_url, "allotment"), status=HTTPStatus.MOVED_PERMANENTLY
        )
