"""A running cell is activity, as a real kernel tells it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

from allotment_server.activity import Activity, read_activity


async def until(serverapp: Any, busy: int) -> Activity:
    """Wait for messages of kernels until as many are busy."""
    heard = asyncio.Event()
    serverapp.kernel_manager.observe(lambda _: heard.set(), "last_kernel_activity")
    while (activity := await read_activity(serverapp)).kernels_busy != busy:
        heard.clear()
        await asyncio.wait_for(heard.wait(), 60)
    return activity


def test_a_kernel_is_busy_while_a_cell_runs_in_it(
    run: Any, jp_serverapp: Any, jp_fetch: Any, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    started = run(jp_fetch("api", "kernels", method="POST", body="{}", request_timeout=60))
    kernel = jp_serverapp.kernel_manager.get_kernel(json.loads(started.body)["id"])
    client = kernel.client()
    client.start_channels()
    try:
        client.execute(f"open({str(gate)!r}).read()")
        running = run(until(jp_serverapp, 1))
        with gate.open("w") as opened:
            opened.write("go on")
        done = run(until(jp_serverapp, 0))
    finally:
        client.stop_channels()
    assert (running.kernels, done.kernels) == (1, 1)
    assert done.last_activity > running.last_activity
