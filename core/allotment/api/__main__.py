"""``python -m allotment.api``: the control plane, as a service that the hub manages, or in a place of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from types import FrameType

import uvicorn

from allotment.api.application import create_application
from allotment.api.assembling import assemble
from allotment.api.environment import ServiceEnvironment
from allotment.api.feed import EventFeed
from allotment.api.logs import configure
from allotment.api.parent import end_with_parent, watch_parent
from allotment.api.port import listen
from allotment.model.refusals import AllotmentError

log = logging.getLogger("allotment.api")


class Server(uvicorn.Server):
    """Lets those who follow events go first when it is told to end."""

    def __init__(self, config: uvicorn.Config, feed: EventFeed) -> None:
        super().__init__(config)
        self._feed = feed
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End on a signal."""
        self._loop.call_soon_threadsafe(self._feed.end)
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """End in good order."""
        self._feed.end()
        self.should_exit = True


async def serve(environment: ServiceEnvironment, parent: int | None) -> None:
    """Serve until told to end, or until the hub that started it is gone; ``parent`` None: none did."""
    listener = listen(environment.address, environment.port)
    plane = assemble(environment)
    config = uvicorn.Config(
        create_application(plane),
        log_config=None,
        access_log=False,
        # Behind the hub's proxy on loopback; who asks is told by tokens, never by addresses.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        # The proxy keeps connections and uses them again: one that we closed the moment before
        # would be answered by 503. So we close them hardly ever.
        timeout_keep_alive=3600,
    )
    server = Server(config, plane.feed)
    watching = None if parent is None else asyncio.create_task(watch_parent(parent, server.end))
    try:
        log.info("listening on %s port %d", environment.address, environment.port)
        await server.serve(sockets=[listener])
    finally:
        if watching is not None:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        plane.record.close()


def main() -> int:
    """Run the control plane; 1 where it cannot."""
    configure()
    try:
        environment = ServiceEnvironment.read()
        parent = end_with_parent() if environment.managed else None
        asyncio.run(serve(environment, parent))
    except AllotmentError as error:
        log.critical("the control plane cannot start: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
