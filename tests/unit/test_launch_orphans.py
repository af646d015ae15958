"""What a killed hub leaves behind is known by what it is, never by a number alone."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from allotment_hub.launch import orphans
from allotment_hub.launch.place import Place, Ports

Start = Callable[..., psutil.Process]
READY = "print('ready', flush=True); input()"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process with words on its command line and variables, and ends it at last."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str, program: str = READY, **variables: str) -> psutil.Process:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        assert process.stdout
        process.stdout.readline()
        return psutil.Process(process.pid)

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_proxy_and_the_control_plane_of_a_folder_are_found(
    start: Start, tmp_path: Path
) -> None:
    mine = {"ALLOTMENT_STATE": str(tmp_path)}
    proxy = start("/somewhere/bin/configurable-http-proxy", "--port", "8000", **mine)
    service = start("-m", "allotment.api", **mine)
    assert {process.pid for process in orphans.parts_of_hub(tmp_path)} == {proxy.pid, service.pid}


def test_those_of_another_folder_are_left_alone(start: Start, tmp_path: Path) -> None:
    start("configurable-http-proxy", ALLOTMENT_STATE=str(tmp_path / "other"))
    start("configurable-http-proxy")
    assert orphans.parts_of_hub(tmp_path) == []


def test_another_program_with_the_folder_in_its_environment_is_left_alone(
    start: Start, tmp_path: Path
) -> None:
    start("vi", "notes-on-allotment.api.txt", ALLOTMENT_STATE=str(tmp_path))
    assert orphans.parts_of_hub(tmp_path) == []


def test_a_persons_server_is_never_among_them(start: Start, tmp_path: Path) -> None:
    start("-m", "allotment.api", ALLOTMENT_STATE=str(tmp_path), ALLOTMENT_ID="42")
    assert orphans.parts_of_hub(tmp_path) == []


def test_servers_are_known_by_their_hub(start: Start, tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path, Ports(8000, 20_001, 20_002, 20_003))
    mine = start(ALLOTMENT_ID="launch-1", JUPYTERHUB_API_URL="http://127.0.0.1:20001/hub/api")
    other = start(ALLOTMENT_ID="launch-2", JUPYTERHUB_API_URL="http://127.0.0.1:20009/hub/api")
    orphans.end_servers(place)
    assert not runs(mine)
    assert runs(other)


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("program", [READY, DEAF], ids=["listens", "is deaf"])
def test_ending_returns_when_they_are_gone(start: Start, program: str) -> None:
    process = start(program=program)
    orphans.end([process], seconds=0.5)
    assert not runs(process)


def test_ending_what_has_ended_is_no_error(start: Start) -> None:
    process = start()
    orphans.end([process])
    orphans.end([process])
