"""Software on one machine: Python environments in folders that the settings allow."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from allotment.model.allotments import Allotment
from allotment.model.reasons import Reason, Rule
from allotment.model.software import Software
from allotment_spawner.environment import promised_software
from allotment_spawner.refusing import LaunchRefused


def chosen_folder(allotment: Allotment, allowed: Iterable[str]) -> Path | None:
    """The folder of the Python environment that a server runs in; None: the hub's own.

    Raises:
        LaunchRefused: it lies outside of what the settings allow.
    """
    software = promised_software(allotment)
    return None if software is None else folder_of(software, allowed)


def folder_of(software: Software, allowed: Iterable[str]) -> Path | None:
    """The folder of the Python environment that this software is, links followed; None: it is none.

    Raises:
        LaunchRefused: it lies outside of what the settings allow.
    """
    if software.python_environment is None:
        return None
    folder = Path(software.python_environment).resolve()
    # Links are followed first: what counts is where a folder really is.
    if not any(folder.is_relative_to(Path(root).resolve()) for root in allowed):
        why = f"{folder} is not below a folder that the settings allow"
        raise _unusable(why, "Ask an operator to name it in servers.python_environments.")
    return folder


def command_of(folder: Path, command: Sequence[str]) -> list[str]:
    """The servers' command, as the environment in a folder has it.

    Raises:
        LaunchRefused: the environment has no such program.
    """
    program = folder / "bin" / Path(command[0]).name
    if not (program.is_file() and os.access(program, os.X_OK)):
        why = f"the environment {folder} has no program {program.name}"
        raise _unusable(why, "Ask an operator to install it there.")
    return [str(program), *command[1:]]


def inside(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables of a server that runs in an environment: nothing points to the hub's own packages."""
    own = {name: value for name, value in environment.items() if name not in _OF_THE_HUB}
    return own | {"VIRTUAL_ENV": str(folder)}


_OF_THE_HUB = frozenset({"PYTHONPATH", "PYTHONHOME", "CONDA_ROOT", "CONDA_DEFAULT_ENV"})


def _unusable(why: str, remedy: str) -> LaunchRefused:
    message = f"The software that you chose cannot be used on this machine: {why}."
    reason = Reason(Rule.SOFTWARE_OFFERED, message, remedy=f"Choose other software. {remedy}")
    return LaunchRefused([reason], status_code=409, label="software")
