"""Sources and datasets from this server: what may be used, and whether it can be read from here."""

from __future__ import annotations

import asyncio
import json
import sys
from http import HTTPStatus
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import authenticated

from allotment.client import AllotmentClient
from allotment.model.refusals import AllotmentError
from allotment_server.background import in_background

DATA = "allotment_own_data"
"""Where the web application keeps the :class:`OwnData`."""
TEST_WITHIN = 90.0
"""Seconds that a test may take."""


class OwnData:
    """What this server may read, and tests of it."""

    def __init__(self, client: AllotmentClient | None) -> None:
        self._client = client

    async def read(self) -> dict[str, Any]:
        """Sources and datasets that this server may use now.

        Raises:
            AllotmentError: the control plane is away.
        """
        client = self._known()
        sources = await in_background(client.sources.all)
        datasets = await in_background(client.datasets.all)
        return {
            "sources": [item.model_dump(mode="json") for item in sources.items],
            "datasets": [item.model_dump(mode="json") for item in datasets.items],
        }

    async def test(self, name: str) -> dict[str, Any]:
        """Try to read a source or dataset as a cell would: in a process of its own, with what a kernel is lent.

        Raises:
            AllotmentError: it took too long, or there is no control plane.
        """
        self._known()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "allotment.notebook.testing",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(name.encode()), TEST_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
            message = f"Testing {name} took longer than {TEST_WITHIN:.0f} s and was given up."
            raise AllotmentError(message) from None
        try:
            found: dict[str, Any] = json.loads(said)
        except ValueError:
            message = f"Testing {name} ended without a word."
            raise AllotmentError(message) from None
        return found

    def _known(self) -> AllotmentClient:
        if self._client is None:
            message = "The platform did not start this server, so nothing is shared with it."
            raise AllotmentError(message)
        return self._client


class _DataHandler(ExtensionHandlerMixin, APIHandler):
    auth_resource = "allotment"
    _track_activity = False  # looking at what is shared keeps no server from being idle

    def say(self, error: AllotmentError) -> None:
        """Answer why not."""
        self.set_status(HTTPStatus.CONFLICT)
        self.finish({"message": str(error)})


class DataHandler(_DataHandler):
    """``GET /allotment/data``."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Sources and datasets that this server may use."""
        own: OwnData = self.settings[DATA]
        self.set_header("Cache-Control", "no-store")
        try:
            self.finish(await own.read())
        except AllotmentError as error:
            self.say(error)


class TestHandler(_DataHandler):
    """``POST /allotment/test``, with the name of a source or dataset."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Whether it can be read from this server."""
        own: OwnData = self.settings[DATA]
        asked = self.get_json_body() or {}
        name = asked.get("name")
        if not isinstance(name, str) or not name:
            self.set_status(HTTPStatus.BAD_REQUEST)
            self.finish({"message": 'Say which source or dataset: {"name": …}.'})
            return
        try:
            self.finish(await own.test(name))
        except AllotmentError as error:
            self.say(error)
