"""What the banner in JupyterLab shows: this server's announced ends, put off by a click, and notices."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import authenticated

from allotment.client import AllotmentClient
from allotment.model.documents import Ending, Notice
from allotment.model.documents.document import Document
from allotment.model.refusals import AllotmentError
from allotment_server.announced import Announced
from allotment_server.background import in_background
from allotment_server.surroundings import Surroundings

ENDS = "allotment_own_ends"
"""Where the web application keeps the :class:`OwnEnds`."""


class EndsAnswer(Document):
    """What is announced of this server, earliest first. ``now`` is the server's clock: browsers' clocks differ.

    ``notices`` are what its owner should know besides, the newest first.
    """

    now: datetime
    endings: tuple[Ending, ...]
    status_url: str
    notices: tuple[Notice, ...] = ()
    home_url: str = ""


class OwnEnds:
    """This server's announced ends, and the way to put them off."""

    def __init__(
        self, here: Surroundings, announced: Announced, client: AllotmentClient | None
    ) -> None:
        self._here, self._announced, self._client = here, announced, client

    def read(self, base_url: str) -> EndsAnswer:
        """What the control plane told last, with the latest report; nobody is asked."""
        return EndsAnswer(
            now=datetime.now(UTC),
            endings=self._announced.endings,
            status_url=f"{base_url}allotment",
            notices=self._announced.notices,
            home_url=self._here.home_url,
        )

    async def extend(self) -> None:
        """Put off what can be put off.

        Raises:
            AllotmentError: the control plane refuses or is away; the text may be shown.
        """
        here = self._here
        if self._client is None or not here.allotment:
            message = "The platform did not start this server, so no end of it is announced."
            raise AllotmentError(message)
        identity = f"{here.hub}~{here.person}~{here.server}"
        server = await in_background(partial(self._client.servers.extend, identity))
        self._announced.tell(server.endings)


class EndingsHandler(ExtensionHandlerMixin, APIHandler):
    """``GET /allotment/endings``."""

    auth_resource = "allotment"
    _track_activity = False  # a banner that looks keeps no server from being idle

    @authenticated
    @authorized
    async def get(self) -> None:
        """What is announced now."""
        ends: OwnEnds = self.settings[ENDS]
        self.set_header("Cache-Control", "no-store")
        self.finish(ends.read(self.base_url).model_dump_json())


class ExtendHandler(ExtensionHandlerMixin, APIHandler):
    """``POST /allotment/extend``."""

    auth_resource = "allotment"
    _track_activity = False

    @authenticated
    @authorized
    async def post(self) -> None:
        """Put the end off, and answer what is announced then."""
        ends: OwnEnds = self.settings[ENDS]
        try:
            await ends.extend()
        except AllotmentError as error:
            self.set_status(HTTPStatus.CONFLICT)
            self.finish({"message": str(error)})
            return
        self.finish(ends.read(self.base_url).model_dump_json())
