"""Our pages in place of JupyterHub's: what a template alone cannot do.

They extend JupyterHub's own handlers, and stand before them because an authenticator's handlers do.
"""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.pages import SpawnHandler
from jupyterhub.slugs import is_valid_display_name, safe_slug
from jupyterhub.user import User
from jupyterhub.utils import url_escape_path, url_path_join
from markupsafe import Markup
from tornado import web
from tornado.httputil import url_concat
from tornado.web import StaticFileHandler

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import RecordUnavailable
from allotment.record import Record, servers
from allotment_hub import (
    address_handlers,
    ending_handlers,
    kubeconfig_handlers,
    readiness,
    waiting_handlers,
)
from allotment_hub.files import STATIC
from allotment_spawner.asking import record_at
from allotment_spawner.pages import Pages
from allotment_spawner.refusing import LaunchQueued

FORM_FIELDS = ("name", "note", "profile", "group", "software")
FORM_PATIENCE = 5.0
"""Seconds that a form waits for the decision; past them the progress page says what becomes of it."""
FAILED = "The server could not be started. An operator finds the cause in the hub's log."
UNPRINTABLE = Reason(
    Rule.REQUEST,
    "That name is too long, or holds characters that cannot be shown.",
    remedy="Use up to 255 letters, digits and signs, with single spaces between words.",
)
_AWAY = "The record does not answer."
_started = f"{time.time_ns():x}"
"""Times on pages move on with the clock and templates with a new version: part of every tag."""


def handlers() -> list[Any]:
    """Paths below the hub, and who answers there."""
    return [
        (r"/spawn", LaunchHandler),
        (r"/spawn/([^/]+)", LaunchHandler),
        (r"/spawn/([^/]+)/([^/]+)", LaunchHandler),
        (r"/admin", NoAdminPageHandler),
        (r"/allotment/parts/(launch|home|refused)", LivePartsHandler),
        (r"/allotment/forget", ForgetHandler),
        *address_handlers.handlers(),
        *ending_handlers.handlers(),
        *kubeconfig_handlers.handlers(),
        *waiting_handlers.handlers(),
        *readiness.handlers(),
        (r"/allotment/static/[0-9a-f]+/(.+)", FilesHandler, {"path": str(STATIC)}),
    ]


_drawing = ThreadPoolExecutor(2, thread_name_prefix="drawing")


async def drawn(handler: BaseHandler, template: str, **shown: Any) -> Markup:
    """Draw a part of a page in a thread: two hundred cards take longer than the hub's loop should stand still."""
    part = handler.get_template(template, sync=True)
    loop = asyncio.get_running_loop()
    return Markup(await loop.run_in_executor(_drawing, partial(part.render, **shown)))  # noqa: S704 - the template escapes


def name_for(user: User, title: str) -> str:
    """The name under which the hub knows a server that its owner calls ``title``.

    A name that reads the same and belongs to a server of another title gets a suffix of its own.
    """
    name: str = safe_slug(title, avoid_collisions=False)
    known = user.orm_spawners.get(name)
    if known is not None and (known.display_name or name) not in {title, name}:
        name = safe_slug(title)
    return name


def clean_title(text: str) -> str:
    """A title as it is kept: composed characters, single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).split())


class LaunchHandler(SpawnHandler):
    """The launch page. Its form names the server; a failed one comes back as it was sent.

    A link may choose a size (``?opt-profile=…``) and never launches: whoever follows it presses the
    button, or a link in somebody's message would spend their share.
    """

    _server = ""
    _title = ""
    _reasons: tuple[Reason, ...] = ()
    _wished: Mapping[str, str] = {}
    _known_before = True

    def get(self, user_name: str | None = None, server_name: str = "") -> Any:
        """Show the page of a new server, or of one that exists."""
        self._server = server_name or ""
        return super().get(user_name, server_name)

    def _get_user_options(self, query_options: dict[str, list[str]]) -> dict[str, list[str]]:
        self._wished = {
            key.removeprefix("opt-"): values[-1] for key, values in query_options.items() if values
        }
        return {}

    def post(
        self, user_name: str | None = None, server_name: str = "", display_name: str = ""
    ) -> Any:
        """Launch, under the name in the address or else the one in the form."""
        arguments = self.request.body_arguments
        self._wished = {
            field: self.get_body_argument(field, "", strip=False) for field in FORM_FIELDS
        }
        self._title = clean_title(self._wished["name"])
        arguments.pop("name", None)
        owner = self._owner(user_name)
        if owner is not None and not server_name and self._title:
            if not is_valid_display_name(self._title):
                return self._refuse_name()
            server_name = name_for(owner, self._title)
        self._server = server_name or ""
        self._known_before = owner is None or self._server in owner.orm_spawners
        return super().post(user_name, server_name, self._title or display_name)

    @web.authenticated
    async def _refuse_name(self) -> None:
        self._reasons = (UNPRINTABLE,)
        self.set_status(400)
        self.finish(await self._render_form(self.current_user, ""))

    def _owner(self, user_name: str | None) -> User | None:
        signed_in: User | None = self.current_user
        if signed_in is None or user_name in {None, signed_in.name}:
            return signed_in
        found: User | None = self.find_user(user_name)
        return found

    def _get_pending_url(self, user: User, server_name: str) -> str:
        """Where progress is shown; without the form's token, which is nobody's to bookmark."""
        url, _, _ = super()._get_pending_url(user, server_name).partition("?")
        following = self.get_query_argument("next", "")
        return url_concat(url, {"next": following}) if following else url

    async def _wrap_spawn_single_user(
        self,
        user: User,
        server_name: str,
        display_name: str,
        spawner: Any,
        pending_url: str,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Launch as JupyterHub does, but wait for the decision: JupyterHub waits for one second.

        A refusal that comes later than the form's answer costs its sender what was typed.
        """
        if spawner._spawn_future and spawner._spawn_future.done():  # noqa: SLF001 - as JupyterHub does
            spawner._spawn_future = None  # noqa: SLF001 - an earlier failure is over
        launching = asyncio.ensure_future(
            self.spawn_single_user(user, server_name, display_name, options=options)
        )
        until = time.monotonic() + FORM_PATIENCE
        while not launching.done() and not spawner.admitted and time.monotonic() < until:
            await asyncio.wait([launching], timeout=0.05)
        error = launching.exception() if launching.done() else None
        if error is None:
            self.redirect(pending_url)
            return
        if isinstance(error, LaunchQueued):
            self._forget_unless_known(user)
            self.redirect(url_concat(f"{self.hub.base_url}home", {"waits": error.ticket.server}))
            return
        self.log.info("%s was not launched: %s", spawner._log_name, error)  # noqa: SLF001 - its name
        self._reasons = tuple(getattr(error, "reasons", ()))
        self._forget_unless_known(user)
        raise error if isinstance(error, web.HTTPError) else web.HTTPError(500, FAILED)

    def _forget_unless_known(self, owner: User) -> None:
        """Leave nothing behind of a server that this very request named and that was never admitted."""
        spawner = owner.spawners.get(self._server)
        if self._known_before or spawner is None or spawner.active or not self._server:
            return
        self.db.delete(spawner.orm_spawner)
        owner.spawners.pop(self._server, None)
        self.db.commit()

    async def _render_form(
        self,
        for_user: User,
        spawner_options_form: str,  # noqa: ARG002 - JupyterHub's signature
        message: str = "",
        html_message: str = "",  # noqa: ARG002 - JupyterHub's signature
    ) -> str:
        """Draw the page, for the server that was asked for and with what was typed."""
        title = self._title_of(for_user)
        form = {field: self._wished.get(field, "") for field in FORM_FIELDS}
        shown = "" if self._is_new() else self._server
        pages: Pages = self.settings["template_vars"]["allotment"](for_user)
        view = await pages.launch(shown, form["profile"], form["group"], form["software"])
        again = {"_xsrf": self.xsrf_token.decode("ascii")}
        if self.get_query_argument("next", ""):
            again["next"] = self.get_query_argument("next")
        html: str = await self.render_template(
            "spawn.html",
            for_user=for_user,
            view=view,
            cards=""
            if view is None
            else await drawn(
                self, "launch_cards.html", view=view, home_url=f"{self.hub.base_url}home"
            ),
            url=url_concat(self.request.path, again),
            server_name=shown,
            server_title=title,
            form=form,
            reasons=self._reasons,
            error_message=message or "",
            refused_title=f"{title[:80]} was not launched" if title else "Nothing was launched",
        )
        return html

    def _is_new(self) -> bool:
        """Whether the form may still choose the name: a launch that failed is no server yet."""
        return self.request.path.rstrip("/").endswith("/spawn") or not self._server

    def _title_of(self, owner: User) -> str:
        known = owner.orm_spawners.get(self._server)
        return self._title or (known.display_name if known is not None else "") or self._server


class LivePartsHandler(BaseHandler):
    """The parts of a page that change while it is looked at. Unchanged ones are not drawn again."""

    @web.authenticated
    async def get(self, page: str) -> None:
        """Draw the parts, or answer 304 where the record has not changed since they were drawn."""
        self.check_xsrf_cookie()
        pages: Pages = self.settings["template_vars"]["allotment"](self.current_user)
        asked = {name: self.get_query_argument(name, "") for name in ("server", "profile", "group")}
        # Read before the page is drawn: what changes meanwhile is drawn with the next question.
        refused = self.get_query_argument("refused", "")
        tag = self._tag(await pages.state(), page, refused, *asked.values())
        if tag == self.request.headers.get("If-None-Match"):
            self.set_status(304)
            return
        if page == "home":
            html = await self._home(pages)
        elif page == "launch":
            html = await self._launch(pages, asked, refused)
        else:
            html = await self._refused(pages, asked)
        self.set_header("Cache-Control", "no-store")
        self.set_header("ETag", tag)
        self.finish(html)

    async def _home(self, pages: Pages) -> str:
        view = await pages.home()
        if view is None:
            raise web.HTTPError(503, _AWAY)
        # In the loop: the template asks the hub's own objects for addresses.
        html: str = await self.render_template("home_live.html", view=view)
        return html

    async def _launch(self, pages: Pages, asked: dict[str, str], refused: str) -> str:
        view = await pages.launch(**asked)
        if view is None:
            raise web.HTTPError(503, _AWAY)
        home = f"{self.hub.base_url}home"
        return await drawn(self, "launch_live.html", view=view, home_url=home, refused=refused)

    async def _refused(self, pages: Pages, asked: dict[str, str]) -> str:
        """What would help a server that was refused when its form was gone."""
        view = await pages.launch(**asked)
        if view is None:
            raise web.HTTPError(503, _AWAY)
        base = self.hub.base_url
        spawn = (base, "spawn", self.current_user.escaped_name, url_escape_path(asked["server"]))
        shown = {"profile": asked["profile"], "launch_url": url_path_join(*spawn)}
        return await drawn(self, "refused_live.html", view=view, home_url=f"{base}home", **shown)

    @staticmethod
    def _tag(state: str | None, *asked: str) -> str:
        minute = int(time.time() // 60)
        return f'"{_started}-{state}-{minute}-{hash(asked) & 0xFFFFFFFF:x}"'


class ForgetHandler(BaseHandler):
    """Deletes the default server, which JupyterHub's own API does not.

    Its place in the record is given up, and nothing else: on other spawners the default server's
    storage is its owner's home.
    """

    @web.authenticated
    async def post(self) -> None:
        """Forget the default server of who is signed in, where it does not run."""
        user = self.current_user
        spawner = user.spawners[""]
        if spawner.active:
            raise web.HTTPError(409, "It still runs. Stop it first.")

        def forget(record: Record) -> None:
            with record.writing(user.name, datetime.now(UTC)) as writing:
                servers.forget(writing, spawner.hub_id, user.name, "")

        try:
            await record_at(spawner.record_url).ask(forget)
        except RecordUnavailable as error:
            raise web.HTTPError(503, _AWAY) from error
        self.set_status(204)


class NoAdminPageHandler(BaseHandler):
    """JupyterHub's admin page, which is switched off."""

    def get(self) -> None:
        """Say where to go instead."""
        raise web.HTTPError(
            404,
            "The hub's own admin page is switched off: it knows nothing of pools, groups and limits. "
            "Operators use the operator console, which opens from the list of servers.",
        )


class FilesHandler(StaticFileHandler):
    """Style and scripts of the pages. Their address changes with their content, so they keep for ever."""

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - tornado's signature
        """Let browsers keep them."""
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
