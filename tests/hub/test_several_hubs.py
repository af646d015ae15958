"""Two hubs and their control planes share one record on PostgreSQL: each minds its own, and limits hold over both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pgserver
import pytest

import hubs
from allotment.model.allotments import Allotment
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.refusals import RecordUnavailable
from allotment.record import Writing, allotments, leases, limits, open_record
from allotment.record.engine import Record
from allotment.work.tenure import Tenure, lease_name
from database_lines import DatabaseLine
from hub_seeds import DEVICES, PROFILES
from hubs import HubUnderTest, alive, until

pytestmark = pytest.mark.promise("SERVER-7")

PATIENCE = hubs.START_SECONDS
"""Seconds to wait for programs: others may be at it on the same machine."""


@dataclass
class TwoHubs:
    """The hubs, and the line between their database and them."""

    folder: Path
    line: DatabaseLine
    north: HubUnderTest
    south: HubUnderTest
    planes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def record(self) -> Record:
        """The record that they share."""
        return self.north.record

    def plane(self, hub: HubUnderTest) -> subprocess.Popen[bytes]:
        """Start one more control plane of a hub."""
        number = len(self.planes)
        port = hubs.free_port()
        told = {
            "JUPYTERHUB_API_TOKEN": hubs.ADMIN,
            "JUPYTERHUB_API_URL": hub.servers_see,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/allotment/",
            "ALLOTMENT_RECORD_URL": hub.record_url,
            "ALLOTMENT_HUB": hub.hub,
            "ALLOTMENT_SETTINGS": str(self.folder / "allotment.yaml"),
            "ALLOTMENT_STATE": str(self.folder / "state"),
        }
        with (self.folder / f"plane-{number}.log").open("wb") as log:
            command = [sys.executable, "-m", "allotment.api"]
            plane = subprocess.Popen(
                command, env={**os.environ, **told}, stdout=log, stderr=log, cwd=self.folder
            )
        self.planes.append(plane)
        return plane

    def worker(self, hub: HubUnderTest) -> int | None:
        """The pid of whoever does a hub's periodic work; None where that cannot be asked on a line that was cut."""
        try:
            with self.record.reading() as reading:
                holder = leases.holder_of(reading, lease_name(hub.hub))
        except RecordUnavailable:
            return None
        return None if holder is None else int(holder.split(" ")[1])

    def held(self, person: str | None = None) -> tuple[Allotment, ...]:
        """What the servers of both hubs hold."""
        with self.record.reading() as reading:
            return allotments.active(reading, person=person)

    def clear(self) -> None:
        """Leave neither servers nor control planes."""
        self.line.come_back()
        for plane in self.planes:
            plane.terminate()
            plane.wait(30)
        self.planes.clear()
        for hub in (self.north, self.south):
            hub.clear()


@pytest.fixture(scope="module")
def database_folder() -> Iterator[str]:
    """A folder that the database's own system user may enter."""
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        yield folder


@pytest.fixture(scope="module")
def both(database_folder: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHubs]:
    """Two hubs with one record, in a database behind a line."""
    folder = tmp_path_factory.mktemp("several")
    server = pgserver.get_server(database_folder)
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    open_record(address, migrate=True).close()
    write_settings(folder)
    with DatabaseLine(address).running() as line:
        north, south = (
            HubUnderTest(folder / name, hubs.TINY, shared=line.url, hub=name)
            for name in ("north", "south")
        )
        north.change(hubs.seed)
        made = TwoHubs(folder, line, north, south)
        try:
            north.start()
            south.start()
            yield made
        finally:
            made.line.come_back()
            for plane in made.planes:
                plane.kill()
                plane.wait()
            north.close()
            south.close()
            server.cleanup()


def write_settings(folder: Path) -> None:
    """The devices and profiles of the seed, as the control planes' settings know them."""
    devices = [
        {"id": one.id, "node": one.node, "model": one.model, "memory": "80GiB", "uuid": one.uuid}
        for one in DEVICES
    ]
    (folder / "allotment.yaml").write_text(json.dumps({"devices": devices}))
    (folder / "profiles").mkdir()
    for profile in PROFILES:
        (folder / "profiles" / f"{profile['name']}.yaml").write_text(json.dumps(profile))


@pytest.fixture
def two(both: TwoHubs) -> TwoHubs:
    """Both hubs, without servers."""
    both.clear()
    return both


def no_limit_of_servers(writing: Writing) -> None:
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.SERVERS, None)


@pytest.mark.promise("LIMIT-2")
def test_parallel_launches_against_both_hubs_get_what_the_limit_allows_and_no_more(
    two: TwoHubs,
) -> None:
    two.north.change(no_limit_of_servers)
    for hub in (two.north, two.south):
        hub.token("ada")

    def launch(number: int) -> int:
        hub = (two.north, two.south)[number % 2]
        return hub.launch("ada", f"s{number}", profile="gpu").status_code

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(launch, range(8)))

    started = [status for status in answers if status in {201, 202}]
    assert len(started) == 2
    assert {status for status in answers if status not in {201, 202}} == {403}
    until(lambda: all(one.state == "running" for one in two.held("ada")), "both to run")
    assert len({device.id for one in two.held("ada") for device in one.devices}) == 2
    two.north.assert_sound()


def test_no_hub_ends_or_stops_what_is_the_others(two: TwoHubs) -> None:
    two.north.launch("ada", profile="gpu")
    two.south.launch("ada", profile="gpu")
    two.north.ready("ada")
    two.south.ready("ada")
    pids = {hub.hub: hub.marked()[0].process.pid for hub in (two.north, two.south)}

    assert (two.north.reconcile().words, two.south.reconcile().words) == ("", "")
    two.south.kill()
    assert two.north.reconcile().words == ""
    two.north.stop("ada")

    assert [one.hub for one in two.held("ada")] == ["south"]
    assert (alive(pids["north"]), alive(pids["south"])) == (False, True)
    two.south.start()
    two.south.bring_together()
    assert two.south.ready("ada")
    assert alive(pids["south"])


def test_another_control_plane_takes_a_hubs_work_over_when_its_worker_is_killed(
    two: TwoHubs,
) -> None:
    first = two.plane(two.north)
    until(lambda: two.worker(two.north) == first.pid, "the first to work", PATIENCE)
    second = two.plane(two.north)
    two.north.launch("ada", profile="two")
    two.north.ready("ada")
    two.north.change(lambda writing: two.north.raise_device_limit(writing, "ben", 4))
    assert two.north.launch("ben", "wide", profile="two").status_code in {201, 202}
    assert two.north.launch("ben", "next", profile="gpu", wait=True).status_code == 202

    first.kill()
    first.wait()
    until(lambda: two.worker(two.north) == second.pid, "the second to take over", PATIENCE)
    two.north.stop("ada")

    two.north.ready("ben", "next")
    assert two.worker(two.south) is None
    assert {one.hub for one in two.held()} == {"north"}


def test_a_turn_of_which_nobody_knows_whether_its_holder_lives_is_taken_in_time(
    two: TwoHubs,
) -> None:
    away = Tenure(two.record, "north", "another-machine 1 1.00 boot/pid:[1]")
    near = Tenure(two.record, "north", "this-machine 1 1.00 boot/pid:[2]")
    assert away.keep()
    assert not near.keep()

    assert until(near.keep, "the turn to end", PATIENCE)
    assert not away.keep()
    near.give_up()


def test_while_the_database_is_away_launches_are_refused_and_servers_run_on(two: TwoHubs) -> None:
    two.north.launch("ada", profile="gpu")
    two.north.ready("ada")
    worker = two.plane(two.north)
    until(lambda: two.worker(two.north) == worker.pid, "the control plane to work", PATIENCE)

    two.line.go_away()
    refused = two.north.launch("ben", profile="gpu")
    assert refused.status_code == 503
    assert "The record's database cannot be reached." in refused.json()["message"]
    assert "Nothing was started." in refused.json()["message"]
    assert two.north.ask_server("ada", "", "")
    assert worker.poll() is None

    two.line.come_back()
    assert two.north.launch("ben", profile="gpu").status_code in {201, 202}
    two.north.ready("ben")
    until(lambda: two.worker(two.north) == worker.pid, "the control plane to work again", PATIENCE)
    assert len(two.held()) == 2
    two.north.assert_sound()
