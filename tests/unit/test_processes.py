"""The processes of a server are found by their mark, all of them are ended, and their end is proven."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from allotment.inventory import processes
from allotment.model.allotments import ServerProcess

SLEEP = "print('up', flush=True); import time; time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], stdout=subprocess.PIPE, **%s)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
DETACHED = """
import os, time
if os.fork():
    os.wait()
    time.sleep(600)
os.setsid()
if os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
time.sleep(600)
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def mark() -> str:
    """The id of an allotment that no other process on this machine carries."""
    return secrets.token_hex(16)


@pytest.fixture
def start(mark: str) -> Iterator[Start]:
    """Start Python as a server is started, with the mark in its environment."""
    begun: list[subprocess.Popen[str]] = []

    def begin(code: str, new_session: bool = True, **environment: str) -> subprocess.Popen[str]:
        marked = {**os.environ, "ALLOTMENT_ID": mark, **environment}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=marked,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=new_session,
        )
        begun.append(process)
        return process

    yield begin
    processes.end(mark, grace=0)
    for process in begun:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    """What a process says when it is under way."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def place(process: subprocess.Popen[str]) -> ServerProcess:
    found = processes.started(process.pid)
    assert found is not None
    return found


@pytest.mark.promise("LIMIT-3")
@pytest.mark.parametrize(
    "code",
    [
        PARENT % "{}",
        PARENT % "{'start_new_session': True}",
        PARENT % "{'env': {}}",
        DETACHED,
    ],
    ids=["a child", "in a session of its own", "with an emptied environment", "detached twice"],
)
def test_every_descendant_of_a_server_is_ended(start: Start, mark: str, code: str) -> None:
    server = start(code)
    child = int(first_line(server))
    assert runs(child)
    assert processes.prove_gone(mark, place(server)) is None

    assert processes.end(mark, place(server)) == ()

    assert not runs(child)
    assert not runs(server.pid)
    assert processes.prove_gone(mark) == f"No process carries ALLOTMENT_ID={mark}."


def test_what_outlived_its_server_is_found_by_its_mark(start: Start, mark: str) -> None:
    server = start(DETACHED)
    detached = int(first_line(server))
    server.kill()
    server.wait()
    assert processes.prove_gone(mark) is None

    assert processes.end(mark) == ()

    assert not runs(detached)


def test_what_does_not_obey_is_killed(start: Start, mark: str) -> None:
    server = start(STUBBORN)
    first_line(server)

    assert processes.end(mark, grace=0.1) == ()

    assert server.wait(10) == -signal.SIGKILL


def test_what_obeys_is_not_killed(start: Start, mark: str) -> None:
    server = start(SLEEP)
    first_line(server)

    processes.end(mark, grace=30)

    assert server.wait(10) == -signal.SIGTERM


def test_processes_of_another_allotment_are_left_alone(start: Start, mark: str) -> None:
    mine, other = start(SLEEP), start(SLEEP, ALLOTMENT_ID=f"{mark}-other")
    first_line(mine)
    first_line(other)

    processes.end(mark)

    assert not runs(mine.pid)
    assert runs(other.pid)


def test_a_process_that_only_waits_to_be_collected_is_gone(start: Start, mark: str) -> None:
    server = start(SLEEP)
    first_line(server)
    known = place(server)

    os.kill(server.pid, signal.SIGKILL)
    processes.end(mark)

    assert psutil.Process(server.pid).status() == psutil.STATUS_ZOMBIE
    assert not processes.runs(known, mark)
    proof = processes.prove_gone(mark, known)
    assert proof is not None
    assert proof.startswith(f"Process {server.pid} is gone")


def test_ending_what_is_gone_is_no_error(mark: str) -> None:
    assert processes.end(mark, ServerProcess(2**22 - 1, 0.0)) == ()


def test_a_pid_that_was_given_to_another_process_is_not_the_server(start: Start, mark: str) -> None:
    other = start(PARENT % "{'env': {}}")
    known = processes.started(int(first_line(other)))
    assert known is not None

    assert processes.runs(known, mark)
    assert not processes.runs(ServerProcess(known.pid, known.started - 60), mark)
    assert not processes.runs(place(other), f"{mark}-other")


def test_the_mark_names_a_process_even_when_the_clock_was_set(start: Start, mark: str) -> None:
    server = start(SLEEP)
    first_line(server)
    known = place(server)

    assert processes.runs(ServerProcess(known.pid, known.started - 3600), mark)


def test_a_process_that_hides_its_environment_in_the_servers_session_stands_in_the_way(
    start: Start, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a set-user-id program or a key agent does: prctl(PR_SET_DUMPABLE, 0) hides it from all but root.
    server = start(PARENT % "{'env': {}}")
    hidden = int(first_line(server))
    readable = psutil.Process.environ

    def environ(process: psutil.Process) -> dict[str, str]:
        if process.pid == hidden:
            raise psutil.AccessDenied(hidden)
        return readable(process)

    monkeypatch.setattr(psutil.Process, "environ", environ)
    assert processes.prove_gone(mark) is None

    assert processes.end(mark) == ()

    assert not runs(hidden)


def test_who_hides_in_a_session_that_a_server_did_not_begin_is_left_alone(
    start: Start, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the supervisor of a container does, in whose session the hub and its servers were started.
    server = start(SLEEP, new_session=False)
    bystander = start(
        "import time; print(flush=True); time.sleep(600)", new_session=False, ALLOTMENT_ID=""
    )
    first_line(server)
    first_line(bystander)
    readable = psutil.Process.environ

    def environ(process: psutil.Process) -> dict[str, str]:
        if process.pid in (bystander.pid, os.getpid()):
            raise psutil.AccessDenied(process.pid)
        return readable(process)

    monkeypatch.setattr(psutil.Process, "environ", environ)

    assert processes.end(mark) == ()

    assert not runs(server.pid)
    assert runs(bystander.pid)


def test_a_process_that_may_not_be_signalled_is_told_and_no_proof_is_given(
    start: Start, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(SLEEP)
    first_line(server)

    def send_signal(process: psutil.Process, _number: int) -> None:
        raise psutil.AccessDenied(process.pid)

    with monkeypatch.context() as patched:
        patched.setattr(psutil.Process, "send_signal", send_signal)
        assert processes.end(mark, grace=0, patience=0.1) == (server.pid,)
    assert processes.prove_gone(mark) is None


def test_a_marked_process_tells_whose_server_it_is_and_keeps_no_token(
    start: Start, mark: str
) -> None:
    server = start(
        SLEEP,
        ALLOTMENT_HUB="hub",
        ALLOTMENT_DEVICES="gpu-1,gpu-2",
        ALLOTMENT_PROFILE="two",
        ALLOTMENT_GROUP="vision",
        JUPYTERHUB_USER="ada",
        JUPYTERHUB_SERVER_NAME="work",
        JUPYTERHUB_API_URL="http://127.0.0.1:1/hub/api",
        JUPYTERHUB_API_TOKEN="secret-token",
    )
    first_line(server)

    (found,) = (one for one in processes.marked() if one.allotment == mark)

    assert found.process == place(server)
    assert (found.hub, found.hub_url) == ("hub", "http://127.0.0.1:1/hub/api")
    assert (found.person, found.server) == ("ada", "work")
    assert (found.profile, found.group) == ("two", "vision")
    assert found.devices == ("gpu-1", "gpu-2")
    assert "secret-token" not in repr(found)
    assert len(found.token_hash) == 64
