"""Servers as processes of this machine."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner
from traitlets import Float, List, Unicode, default

from allotment.inventory import processes
from allotment.inventory.group_folders import GroupFolder, GroupFolders
from allotment.model.allotments import Allotment, ServerProcess
from allotment.model.names import CONSOLE_SERVER
from allotment.record import Record, claims, memberships
from allotment_spawner import console, refusing, software
from allotment_spawner.admitting import AllotmentMixin
from allotment_spawner.environment import local_environment, with_program_folder

_ENDING = ThreadPoolExecutor(32, thread_name_prefix="allotment-ending")
"""Waiting for processes to end blocks a thread for seconds: not those that ask the record."""


class LocalServer(AllotmentMixin, LocalProcessSpawner):
    """What both local spawners share: the process is known from its fork, and all of its kin are ended."""

    leftover_grace = Float(
        3.0, help="Seconds between asking what outlived a server to end, and killing it."
    ).tag(config=True)
    console_homes = Unicode(help="The folder of the operator consoles' homes.").tag(config=True)
    console_notebook = Unicode(
        help="The notebook that the console opens with. Empty: JupyterLab."
    ).tag(config=True)

    python_environments = List(
        Unicode(), help="Folders below which profiles may name Python environments as software."
    ).tag(config=True)

    group_folders = Unicode(
        help="The folder below which each group has one that its people share. Empty: groups have none."
    ).tag(config=True)
    apart = False
    """Whether each person's servers run under a system user of their own."""

    _started = 0.0
    """When the process was started, in seconds since the epoch; with the pid it names the process."""
    _usual_command: list[str] | None = None
    """The command of servers without software of their own."""
    _software: Path | None = None
    """The Python environment that the server runs in; None: the hub's own."""
    _folders: tuple[GroupFolder, ...] = ()
    """Folders of groups that the server was started with."""

    @property
    def _process(self) -> ServerProcess | None:
        return ServerProcess(self.pid, self._started) if self.pid else None

    @property
    def _is_console(self) -> bool:
        return str(self.name) == CONSOLE_SERVER

    @property
    def _console_home(self) -> Path:
        return console.console_home(Path(self.console_homes), self.user.name)

    @property
    def _console_notebook(self) -> Path | None:
        return Path(self.console_notebook) if self.console_notebook else None

    # Starting.

    async def prepare(self, allotment: Allotment) -> None:
        """Find the software and make the home. The working folder is set by the kernel, not by code after the fork.

        Code that runs between fork and exec (``preexec_fn``) can hang for ever in a process with
        threads, and the hub has some.
        """
        command = await asyncio.to_thread(self._command_for, allotment)
        self._folders = await self._groups_of(allotment)
        home, owner = await asyncio.to_thread(self._make_home)
        owner = {**owner, **_entering(owner, self._folders)}
        self.cmd = [*_gaining_nothing(owner), *command]
        self.popen_kwargs = {**self.popen_kwargs, "cwd": str(home), **owner}

    async def _groups_of(self, allotment: Allotment) -> tuple[GroupFolder, ...]:
        """The folders of the groups that its person is in now; the console reads nobody's."""
        if not self.group_folders or self._is_console:
            return ()

        def groups(record: Record) -> tuple[str, ...]:
            with record.reading() as reading:
                return memberships.current_groups(reading, allotment.person, datetime.now(UTC))

        folders = GroupFolders(Path(self.group_folders), self.apart)
        return await asyncio.to_thread(folders.of, await self._record.ask(groups))

    def _command_for(self, allotment: Allotment) -> list[str]:
        """What is run: a chosen environment has the same program as a part of its own."""
        if self._usual_command is None:
            self._usual_command = list(self.cmd)
        self._software = software.chosen_folder(allotment, self.python_environments)
        if self._software is None:
            return self._usual_command
        return software.command_of(self._software, self._usual_command)

    def _make_home(self) -> tuple[Path, dict[str, Any]]:
        raise NotImplementedError

    def make_preexec_fn(self, _name: str) -> Callable[[], None] | None:
        """Nothing: see :meth:`prepare`."""
        return None

    def get_env(self) -> dict[str, str]:
        """The environment, with the devices the server may use; the console's is isolated."""
        environment = super().get_env()
        if self._allotment is None:
            return environment
        environment |= local_environment(self._allotment)
        if self.group_folders and not self._is_console:
            said = {"root": self.group_folders, "groups": [one.group for one in self._folders]}
            environment["ALLOTMENT_GROUP_FOLDERS"] = json.dumps(said)
        if self._is_console:
            environment = console.isolated(environment, self._console_home, self._console_notebook)
        if self._software is not None:
            environment = software.inside(environment, self._software)
        programs = Path(sys.executable).parent if self._software is None else self._software / "bin"
        return with_program_folder(environment, str(programs))

    def get_args(self) -> list[str]:
        """The command's arguments; the console's page is drawn with our template."""
        arguments = list(super().get_args())
        return [*arguments, *console.ARGUMENTS] if self._is_console else arguments

    async def start(self) -> Any:
        """Start the server, the console with an interpreter of its own."""
        if self._is_console:
            self.cmd = list(console.COMMAND)
        return await super().start()

    async def note_place(self, allotment: Allotment) -> None:
        """Tell the record which process it is."""
        place = processes.started(self.pid)
        if place is not None:
            self._started = place.started
            await self._step(claims.placed, allotment.id, place)

    # Ending.

    async def poll(self) -> int | None:
        """Whether the server's process runs: this very process, not another with its pid."""
        if self.proc is None and self.pid and not self._runs():
            self.clear_state()
        return await super().poll()

    def _runs(self) -> bool:
        process = self._process
        return process is not None and processes.runs(process, self._allotment_id)

    async def prove_gone(self, allotment: Allotment) -> str | None:
        """End every process of the allotment, kernels' children included, and look that none is left."""
        loop = asyncio.get_running_loop()
        end = partial(
            processes.end,
            allotment.id,
            allotment.process,
            grace=self.leftover_grace,
            patience=self.kill_timeout,
        )
        left = await loop.run_in_executor(_ENDING, end)
        if left:
            self.log.warning("Processes of %s would not end: %s", self._log_name, left)
            return None
        prove = partial(processes.prove_gone, allotment.id, allotment.process)
        return await loop.run_in_executor(_ENDING, prove)

    # State.

    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a process that an earlier run of the hub started."""
        super().load_state(state)
        self._started = float(state.get("started", 0.0))

    def get_state(self) -> dict[str, Any]:
        """The pid is no name for a process that outlives the hub; with its start time it is."""
        state = super().get_state()
        return state | ({"started": self._started} if self.pid else {})

    def clear_state(self) -> None:
        """Forget the process."""
        super().clear_state()
        self._started = 0.0


class AllotmentLocalSpawner(LocalServer, SimpleLocalProcessSpawner):
    """Servers under the hub's own system user, each person with a folder. One domain of trust."""

    @default("home_dir")
    def _default_home_dir(self) -> str:
        if self._is_console:
            return str(self._console_home)
        return str(self.home_dir_template.format(username=self.user.name))

    def _make_home(self) -> tuple[Path, dict[str, Any]]:
        home = Path(self.home_dir)
        if self._is_console:
            console.empty_home(home, self._console_notebook)
        else:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return home, {}

    def get_args(self) -> list[str]:
        """The command's arguments. Jupyter Server wants to be told that it may run as root."""
        arguments = list(super().get_args())
        if os.geteuid() == 0 and "--allow-root" not in arguments:
            arguments.append("--allow-root")
        return arguments


def _entering(owner: Mapping[str, Any], folders: Iterable[GroupFolder]) -> dict[str, Any]:
    """The system groups that let a process into folders, beside those that its user is in."""
    more = [one.system_group for one in folders if one.system_group is not None]
    if not more or "user" not in owner:
        return {}
    return {"extra_groups": [*owner.get("extra_groups", ()), *more]}


def _gaining_nothing(owner: Mapping[str, Any]) -> list[str]:
    """What is put before the command of another user's server: nothing that it runs gains rights.

    Whoever leaves a group could have kept a program that enters its folder (``chmod g+s``).

    Raises:
        OSError: the machine has no program that does it.
    """
    if "user" not in owner:
        return []
    program = shutil.which("setpriv")
    if program is None:
        message = "servers under system users are started with setpriv of util-linux, which is not installed"
        raise OSError(message)
    return [program, "--no-new-privs"]


class AllotmentSystemUserSpawner(LocalServer):
    """Servers under the system user of their person's name. The hub runs as root."""

    apart = True

    def _make_home(self) -> tuple[Path, dict[str, Any]]:
        """The system user's home, and the ids that its processes get."""
        try:
            user = pwd.getpwnam(self.user.name)
        except KeyError:
            raise refusing.no_system_user(self.user.name) from None
        home = Path(user.pw_dir)
        if self._is_console:
            home = self._console_home
            owner = (user.pw_uid, user.pw_gid) if os.geteuid() == 0 else None
            console.empty_home(home, self._console_notebook, owner)
        if user.pw_uid == os.geteuid():
            return home, {}  # nobody to become; and without root, nobody can
        groups = os.getgrouplist(user.pw_name, user.pw_gid)
        return home, {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": groups}
