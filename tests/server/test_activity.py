"""A running cell is activity, as a real kernel tells it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from allotment_server.activity import Activity, Saving, read_activity


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


@pytest.mark.promise("IDLE-1")
def test_a_terminal_is_busy_while_a_program_runs_in_it(
    run: Any, jp_serverapp: Any, jp_fetch: Any, tmp_path: Path
) -> None:
    gate, after = tmp_path / "gate", tmp_path / "after"
    os.mkfifo(gate)
    os.mkfifo(after)
    run(jp_fetch("api", "terminals", method="POST", body="{}"))
    (terminal,) = jp_serverapp.web_app.settings["terminal_manager"].terminals.values()
    terminal.ptyproc.write(f"cat {gate}; echo done > {after}\n")
    with gate.open("w"):  # opened on both sides: the program runs
        running = run(read_activity(jp_serverapp))
    with after.open() as opened:  # the shell itself writes there: no program runs any more
        waiting = run(read_activity(jp_serverapp))
        assert opened.read() == "done\n"
    assert (running.terminals_busy, waiting.terminals_busy) == (1, 0)


@pytest.mark.promise("IDLE-1")
def test_a_file_that_is_saved_is_work_and_a_page_that_looks_is_not(
    run: Any, jp_serverapp: Any, jp_fetch: Any
) -> None:
    saving = Saving()
    saving.listen(jp_serverapp)
    before = run(read_activity(jp_serverapp, saving.at))
    run(jp_fetch("api", "contents"))
    looked = run(read_activity(jp_serverapp, saving.at))
    model = {"type": "file", "format": "text", "content": "x = 1"}
    run(jp_fetch("api", "contents", "one.py", method="PUT", body=json.dumps(model)))
    saved = run(read_activity(jp_serverapp, saving.at))
    assert looked.last_activity > before.last_activity
    assert looked.worked_at == before.worked_at
    assert saved.worked_at > looked.worked_at
