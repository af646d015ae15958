"""Processes that a hub left behind when it was killed: found by what they are, and ended.

A pid alone proves nothing, for another program may have it by now. A process is this hub's when its
environment names this hub's folder and its command is one that the hub starts. People's servers are
never among them: they outlive a crash of the hub, which finds them again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from allotment.inventory.processes import end as end_marked
from allotment.inventory.processes import marked
from allotment_hub.launch.place import LOOPBACK, Place

SECONDS_TO_END = 5.0
PARTS = {"configurable-http-proxy": "proxy", "allotment.api": "control plane"}


def part_of(command: Sequence[str]) -> str | None:
    """Which part of a hub a command line starts: "proxy", "control plane", or none."""
    for word in command:
        for mark, part in PARTS.items():
            if word == mark or word.endswith("/" + mark):
                return part
    return None


def is_part_of_hub(environment: Mapping[str, str], command: Sequence[str], state: Path) -> bool:
    """Whether a process is the proxy or the control plane of the hub that lives in a folder."""
    ours = environment.get("ALLOTMENT_STATE") == str(state)
    return ours and "ALLOTMENT_ID" not in environment and part_of(command) is not None


def parts_of_hub(state: Path) -> list[psutil.Process]:
    """Running proxies and control planes of the hub that lives in a folder."""
    return list(_processes(lambda env, command: is_part_of_hub(env, command, state)))


def end_servers(place: Place) -> None:
    """End what is left of people's servers that this hub started: one in mid-start, say."""
    url = f"http://{LOOPBACK}:{place.ports.hub}/hub/api"
    for allotment in {one.allotment for one in marked() if one.hub_url == url}:
        end_marked(allotment)


def end(processes: Sequence[psutil.Process], seconds: float = SECONDS_TO_END) -> None:
    """End processes: politely, and after some seconds for certain. Returns when they are gone.

    psutil compares the start time before each signal, so a pid that was given on is left alone.
    """
    for process in processes:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=seconds)


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return


def _processes(
    wanted: Callable[[Mapping[str, str], Sequence[str]], bool],
) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if wanted(process.environ(), process.cmdline()):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue  # ended meanwhile, or somebody else's
