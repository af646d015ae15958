"""From a release to the next server: a real hub, real (small) servers, and the queue's step beside them.

    make bench ARGS=queue_release

Somebody waits for a full pool. Somebody else stops a server; when the last process is gone the hub
releases its devices. The step sees it, offers them to the ticket, and has the hub start the server.
All times are those of the record's events: *released*, *offered*, *starting* (the hub has taken the
offer, and starts the process), *running* (the server answers).
"""

from __future__ import annotations

import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hubs
from allotment.model.events import Event
from allotment.record import events
from allotment.work.hub_api import HubApi
from allotment.work.queueing import Queueing
from hubs import HubUnderTest, until
from table import Row, main

AIM = 2.0
"""Seconds from a release to the start of the next server."""
WAITING = "fit"


@contextmanager
def following(hub: HubUnderTest) -> Iterator[None]:
    """The step of a control plane, following the record until the block ends."""
    hub_api = HubApi(hub.servers_see, hubs.ADMIN)
    step = Queueing(hub.record, hub_api, "hub")
    ending = threading.Event()

    def follow() -> None:
        while not ending.is_set():
            step.follow(hub.now())

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        step.close()
        thread.join()
        hub_api.close()


def once(hub: HubUnderTest) -> dict[str, float]:
    """Let one server's end start another; returns the seconds from the release to each event."""
    for person in ("ada", "ben"):
        if not hub.active_in_hub(person, "train"):
            hub.launch(person, "train", profile="two").raise_for_status()
        hub.ready(person, "train")
    with hub.record.reading() as reading:
        hub.since = events.latest_sequence(reading)
    answer = hub.launch("ada", WAITING, profile="gpu", wait=True)
    assert answer.status_code == 202, answer.text  # noqa: PLR2004 - accepted: it waits
    hub.stop("ben", "train")
    hub.ready("ada", WAITING)
    until(lambda: _of(hub, "allotment.running"), "the server's event")
    (released,) = _of(hub, "allotment.released", "train")
    found = {
        word: (_of(hub, f"{kind}.{word}")[0].at - released.at).total_seconds()
        for kind, word in (
            ("ticket", "offered"),
            ("allotment", "starting"),
            ("allotment", "running"),
        )
    }
    hub.stop("ada", WAITING)
    return found


def _of(hub: HubUnderTest, kind: str, server: str = WAITING) -> list[Event]:
    return [one for one in hub.happened(kind) if (one.after or {}).get("server") == server]


def measure(quick: bool) -> list[Row]:
    """Some rounds on one hub."""
    rounds = 3 if quick else 25
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        hub = HubUnderTest(Path(folder) / "hub", hubs.TINY)
        try:
            hub.change(hubs.seed)
            hub.change(lambda writing: hub.raise_device_limit(writing, "ada", 4))
            hub.start()
            with following(hub):
                found = [once(hub) for _ in range(rounds)]
        finally:
            hub.close()
    rows = []
    for word, aim in (("offered", None), ("starting", AIM), ("running", None)):
        seconds = sorted(one[word] for one in found)
        rows.append(
            Row(
                f"from a release to the next server {word}",
                f"{statistics.median(seconds) * 1000:.0f} ms",
                f"at most {seconds[-1] * 1000:.0f} ms of {rounds}",
                aim="" if aim is None else f"under {aim:g} s",
                met=None if aim is None else seconds[-1] < aim,
            )
        )
    return rows


if __name__ == "__main__":
    main("A release starts the next server", measure)
