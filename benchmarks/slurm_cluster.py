"""A Slurm of one node in a folder of its own, with accounting, for as long as a block lasts.

All of its programs run as root, on the loopback, and are ended by their process ids. Its node has
devices in name only: what is asked here is how fast jobs come in and are held, not how they start.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = (
    *("munged", "mariadbd", "mariadb-install-db", "slurmctld", "slurmd", "slurmdbd"),
    *("sacctmgr", "sbatch", "sinfo", "squeue"),
)
ACCOUNT = "vision"
DEVICES = 4
"""What the account may hold; every job here asks for twice as many, and is held."""
_START_SECONDS = 60.0


class SlurmAway(Exception):
    """Slurm cannot be run here; the text says why."""


def missing() -> str:
    """Why Slurm cannot be run here; empty where it can."""
    absent = [name for name in PROGRAMS if _program(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (apt-get install slurm-wlm slurmdbd mariadb-server)"
    if os.geteuid() != 0:
        return "its daemons need root"
    return ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Slurm:
    """What was started, and how to ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start everything, one after the other.

        Raises:
            SlurmAway: a part did not start.
        """
        self._database()
        self._munge()
        controller, accounting = _free_port(), _free_port()
        self._configure(controller, accounting)
        self._run("slurmdbd", "-D")
        self._answers(lambda: _listens(accounting), "slurmdbd")
        self._run("slurmctld", "-D", "-c")
        self._answers(lambda: self.ask("sacctmgr", "-n", "show", "cluster") != "", "slurmctld")
        self._run("slurmd", "-D")
        self._answers(lambda: self.ask("sinfo", "-h", "-t", "idle") != "", "slurmd")
        for words in (
            ("add", "account", ACCOUNT),
            ("modify", "account", ACCOUNT, "set", f"GrpTRES=gres/device={DEVICES}"),
            ("add", "user", "root", f"account={ACCOUNT}"),
        ):
            self.ask("sacctmgr", "-i", *words)
        self._answers(lambda: self.submit() is not None, "a first job")

    def close(self) -> None:
        """End what was started, the last first."""
        for process in reversed(self._started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(self, program: str, *words: str) -> str:
        """What a program answers; empty where it fails."""
        done = subprocess.run(
            [_program(program) or program, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    def submit(self) -> str | None:
        """Submit a job that is over its account's limit; its id, or None where that failed."""
        asked = f"--gres=device:{2 * DEVICES}"
        words = ("--parsable", "-A", ACCOUNT, asked, "-o", "/dev/null", "--wrap", "true")
        return self.ask("sbatch", *words) or None

    def held(self) -> dict[str, int]:
        """Jobs that wait, by the reason that Slurm gives."""
        found: dict[str, int] = {}
        for reason in self.ask("squeue", "-h", "-t", "PD", "-o", "%r").splitlines():
            found[reason] = found.get(reason, 0) + 1
        return found

    # Its parts.

    def _database(self) -> None:
        data = self.folder / "database"
        subprocess.run(
            [
                _program("mariadb-install-db") or "",
                "--user=root",
                f"--datadir={data}",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        first = self.folder / "first.sql"
        self._password = secrets.token_hex(16)
        first.write_text(
            "CREATE DATABASE slurm;\n"
            f"CREATE USER 'slurm'@'127.0.0.1' IDENTIFIED BY '{self._password}';\n"
            "GRANT ALL ON slurm.* TO 'slurm'@'127.0.0.1';\n"
        )
        self._database_port = _free_port()
        self._run(
            "mariadbd",
            "--no-defaults",
            "--user=root",
            f"--datadir={data}",
            f"--socket={self.folder}/database.socket",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            f"--port={self._database_port}",
            f"--init-file={first}",
        )
        self._answers(lambda: _listens(self._database_port), "MariaDB")

    def _munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        names = {"key-file": key} | {
            f"{kind}": self.folder / f"munge.{kind}" for kind in ("socket", "pid-file", "log-file")
        }
        names["seed-file"] = self.folder / "munge.seed"
        options = [f"--{name}={path}" for name, path in names.items()]
        self._run("munged", "--force", "--foreground", *options)
        self._answers((self.folder / "munge.socket").exists, "munged")

    def _configure(self, controller: int, accounting: int) -> None:
        authentication = f"AuthType=auth/munge\nAuthInfo=socket={self.folder}/munge.socket\n"
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        database = self.folder / "slurmdbd.conf"
        database.write_text(
            f"{authentication}DbdHost=localhost\nDbdPort={accounting}\nSlurmUser=root\n"
            f"LogFile={self.folder}/slurmdbd.log\nPidFile={self.folder}/slurmdbd.pid\n"
            "StorageType=accounting_storage/mysql\nStorageHost=127.0.0.1\nStorageLoc=slurm\n"
            f"StoragePort={self._database_port}\nStorageUser=slurm\nStoragePass={self._password}\n"
        )
        database.chmod(0o600)
        (self.folder / "gres.conf").write_text("Name=device Count=16\n")
        (self.folder / "slurm.conf").write_text(
            f"{authentication}ClusterName=bench\nSlurmctldHost=localhost\nSlurmUser=root\n"
            f"SlurmctldPort={controller}\nSlurmdPort={_free_port()}\n"
            f"StateSaveLocation={self.folder}/state\nSlurmdSpoolDir={self.folder}/spool\n"
            f"SlurmctldPidFile={self.folder}/slurmctld.pid\nSlurmctldLogFile={self.folder}/slurmctld.log\n"
            "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n"
            "SelectType=select/cons_tres\nGresTypes=device\nMaxJobCount=100000\n"
            "AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=localhost\n"
            f"AccountingStoragePort={accounting}\nAccountingStorageTRES=gres/device\n"
            f"AccountingStoragePass={self.folder}/munge.socket\n"
            "AccountingStorageEnforce=associations,limits\n"
            f"SlurmdPidFile={self.folder}/slurmd.pid\nSlurmdLogFile={self.folder}/slurmd.log\n"
            f"NodeName={socket.gethostname()} NodeAddr=127.0.0.1 CPUs=2 Gres=device:16 State=UNKNOWN\n"
            "PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        )

    def _run(self, program: str, *words: str) -> None:
        with (self.folder / f"{program}.out").open("wb") as said:
            process = subprocess.Popen(
                [_program(program) or program, *words],
                env=self.environment,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
            )
        self._started.append(process)

    def _answers(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not condition():
            ended = [one.args for one in self._started if one.poll() is not None]
            if ended or time.monotonic() > deadline:
                message = f"{what} did not start"
                raise SlurmAway(f"{message}: {ended[0]} ended" if ended else message)
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """A running Slurm in this folder.

    Raises:
        SlurmAway: it cannot be run here.
    """
    why = missing()
    if why:
        raise SlurmAway(why)
    running = Slurm(folder)
    try:
        running.start()
        yield running
    finally:
        running.close()
