"""The extension itself: made when the server starts, ended with it."""

from __future__ import annotations

import os
import random
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_runtime_dir
from jupyter_server.extension.application import ExtensionApp, ExtensionAppJinjaMixin
from jupyter_server.serverapp import ServerApp
from tornado.ioloop import PeriodicCallback

from allotment.client import AllotmentClient
from allotment.model.documents import ReportReceipt
from allotment.model.reports import ServerReport
from allotment_server.activity import Saving, read_activity
from allotment_server.announced import Announced
from allotment_server.background import in_background
from allotment_server.ending_handlers import ENDS, EndingsHandler, ExtendHandler, OwnEnds
from allotment_server.group_links import link_groups
from allotment_server.handlers import VIEW, MeHandler, PageHandler, SlashHandler
from allotment_server.home_meter import HomeMeter
from allotment_server.keeper_door import KeeperDoor
from allotment_server.keeping import Keeper
from allotment_server.meter import Meter
from allotment_server.owner import OwnersView
from allotment_server.reporting import Reporter
from allotment_server.source_handlers import DATA, DataHandler, OwnData, TestHandler
from allotment_server.standing import Standing
from allotment_server.surroundings import Surroundings
from allotment_server.terminal import TerminalHandler

_HERE = Path(__file__).parent
ANSWER_WITHIN = 5.0
"""Seconds that the control plane has for an answer; a page of this server waits for it."""

LEND_WITHIN = 60.0
"""Seconds that the control plane has to make an account in a database."""
RENEW_EVERY = 10.0
"""Seconds between two looks at what ends soon."""


class AllotmentServer(ExtensionAppJinjaMixin, ExtensionApp):
    """Shows the server's owner what is held, and reports to the control plane what is used."""

    name = "allotment_server"
    extension_url = "/allotment"
    static_paths = [str(_HERE / "static")]  # noqa: RUF012 - a default of a trait, read by the base class
    template_paths = [str(_HERE / "templates")]  # noqa: RUF012 - likewise

    here: Surroundings
    _client: AllotmentClient | None = None
    _meter: Meter
    _saving: Saving
    _announced: Announced
    _reporter: Reporter
    _renewing: PeriodicCallback
    _door: KeeperDoor | None = None

    def initialize_settings(self) -> None:
        """Make the parts, by this server's environment."""
        self.here = Surroundings.from_environment(os.environ)
        if self.here.control_plane_known:
            self._client = AllotmentClient(
                self.here.api_url, self.here.token, timeout=ANSWER_WITHIN
            )
        self._meter = Meter(self.here.devices, slots=self.here.slots)
        self._home = HomeMeter(self.here.claimed_home)
        self._saving = Saving()
        self._announced = Announced(_ending_file(self.here.allotment))
        self._reporter = Reporter(self._collect, self._send, self.log, chance=random.random)
        self.settings[VIEW] = OwnersView(
            self.here, Standing.by(self._client), self._meter, self._reporter
        )
        self.settings[ENDS] = OwnEnds(self.here, self._announced, self._client)
        self.settings[DATA] = OwnData(self._client)

    def initialize_handlers(self) -> None:
        """Where they are found, below the server's own base address."""
        self.handlers.extend(
            [
                ("/allotment/me", MeHandler),
                ("/allotment/endings", EndingsHandler),
                ("/allotment/extend", ExtendHandler),
                ("/allotment/data", DataHandler),
                ("/allotment/test", TestHandler),
                ("/allotment/terminal", TerminalHandler),
                ("/allotment", PageHandler),
                ("/allotment/", SlashHandler),
            ]
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Begin to report, where there is somebody to report to."""
        self._saving.listen(serverapp)
        await in_background(partial(link_groups, dict(os.environ), Path.home(), self.log))
        if self._client is not None:
            self._announced.name_in(os.environ)
            self._reporter.start()
            self._keep(self._client)

    async def stop_extension(self) -> None:
        """End with the server: nothing is waited for."""
        await self._reporter.stop()
        if self._door is not None:
            self._renewing.stop()
            self._door.close()
        self._announced.forget()
        self._meter.close()
        self._home.close()
        if self._client is not None:
            self._client.close()

    def _keep(self, client: AllotmentClient) -> None:
        """Keep kernels' credentials from now on, and renew them beside whatever the kernels do."""
        lending = AllotmentClient(client.url, self.here.token, timeout=LEND_WITHIN)
        keeper = Keeper(lending.sources.credentials, self.log)
        self._door = KeeperDoor(keeper)
        self._door.open(os.environ)
        self._renewing = PeriodicCallback(
            lambda: in_background(keeper.renew_due), RENEW_EVERY * 1000, jitter=0.2
        )
        self._renewing.start()

    async def _collect(self) -> ServerReport:
        server: Any = self.serverapp
        activity = await read_activity(server, self._saving.at)
        return ServerReport(
            **activity._asdict(),
            devices=await self._meter.read(),
            home_used=await self._home.read(),
        )

    async def _send(self, report: ServerReport) -> None:
        client: Any = self._client
        receipt: ReportReceipt = await in_background(partial(client.report, report))
        self._announced.notices = receipt.notices
        self._announced.tell(receipt.endings)


def _ending_file(allotment: str) -> Path:
    """Where the file about announced ends is: a folder of the person's own, on this machine."""
    return Path(jupyter_runtime_dir()) / f"allotment-ending-{allotment or os.getpid()}.json"
