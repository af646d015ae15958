"""The address of a cluster's API: one port for its whole life, at which nobody may listen for a while."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from aiohttp import web

from .certificate import server_context
from .serving import Serving

HOST = "127.0.0.1"
MAX_BODY = 3 * 2**20


class Endpoint:
    """Serves over TLS on a free port of loopback."""

    def __init__(self, folder: Path, serving: Serving) -> None:
        # Bound and never listening: keeps the port while the server is away.
        self._reserved = bound(0)
        self.port: int = self._reserved.getsockname()[1]
        self.url = f"https://{HOST}:{self.port}"
        context, self.authority = server_context(folder, HOST)
        self._context: ssl.SSLContext = context
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", "/{path:.*}", serving.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        self._site: web.SockSite | None = None

    async def open(self) -> None:
        """Listen."""
        if self._runner.server is None:
            await self._runner.setup()
        self._site = web.SockSite(self._runner, bound(self.port), ssl_context=self._context)
        await self._site.start()

    async def shut(self) -> None:
        """Listen no more, and cut every connection: who calls is refused."""
        if self._site is not None:
            await self._site.stop()
        for connection in self._runner.server.connections if self._runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()

    async def close(self) -> None:
        """Be gone."""
        await self.shut()
        await self._runner.cleanup()
        self._reserved.close()


def bound(port: int) -> socket.socket:
    """A socket at a port that several may share."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((HOST, port))
    made.setblocking(False)  # noqa: FBT003 - its only argument
    return made
