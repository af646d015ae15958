"""JupyterHub as the launcher runs it: it says when it answers, and ends on every signal."""

import asyncio
import gc
import signal
from collections.abc import Callable
from typing import Any

import httpx
from jupyterhub.app import JupyterHub

from allotment_hub.launch.terminal import ErrorsOnly, Terminal

SECONDS_TO_ANSWER = 30.0


class LaunchedHub(JupyterHub):
    """JupyterHub in the launcher's own process, so that its process id is the one that counts."""

    terminal: Terminal
    when_ready: Callable[[], None]
    ready = False
    ending = False

    async def start(self) -> None:  # type: ignore[override]  # as JupyterHub's own: launched by a loop
        """Start everything, then make sure that it answers where people will open it."""
        self.log.addHandler(ErrorsOnly(self.terminal))
        await super().start()
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(
                signal.SIGHUP, lambda: asyncio.ensure_future(self.shutdown_cancel_tasks())
            )
        async with httpx.AsyncClient(trust_env=False, timeout=SECONDS_TO_ANSWER) as client:
            answer = await client.get(f"{self.proxy.public_url}hub/health")
            answer.raise_for_status()
        # What start-up made stays for good: looking through it again and again for garbage would stop
        # the hub for a fifth of a second each time.
        gc.collect()
        gc.freeze()
        self.ready = True
        self.when_ready()

    async def shutdown_cancel_tasks(self, sig: Any = None) -> None:
        """End servers, control plane and proxy; asked a second time, stop waiting for them."""
        if self.ending:
            self._stop_event_loop()
            return
        self.ending = True
        self.terminal.say("\nStopping the hub and its servers …")
        await super().shutdown_cancel_tasks(sig)
