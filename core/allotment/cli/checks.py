"""Checks of a machine: what is installed, the settings, the record, the devices."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from allotment.cli.cloud_checks import aws
from allotment.cli.data_checks import secrets, sources
from allotment.cli.findings import Check, Finding, Machine, fail, ok, warn
from allotment.cli.mail_checks import mail
from allotment.model.amounts import counted, format_memory
from allotment.model.devices import DeviceOrigin
from allotment.model.names import CONSOLE_PROFILE
from allotment.model.refusals import (
    AllotmentError,
    RecordTooNew,
    RecordUnavailable,
    SettingsInvalid,
)
from allotment.settings import Settings, load_settings

OLDEST_PYTHON = (3, 11)
NEEDED = {
    "hub": ("jupyterhub", "sqlalchemy", "fastapi"),
    "data": ("boto3", "dulwich", "pyarrow"),
    "notebook": ("jupyterlab", "voila", "polars"),
}
NEEDED_WITH_PODS = {
    "hub": NEEDED["hub"],
    "data": NEEDED["data"],
    "kubernetes": ("kubernetes_asyncio", "kubespawner"),
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LITTLE_SPACE, NO_SPACE = 2 * 2**30, 200 * 2**20
"""Bytes free below which people's work is in danger, and below which the record is."""


def python(_machine: Machine) -> Iterator[Finding]:
    """The Python that runs this, and whether it is an environment of its own."""
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    if sys.version_info[:2] < OLDEST_PYTHON:
        yield fail("Python", found, "Use Python 3.11 or newer: make setup PYTHON=/path/to/python3")
    elif sys.prefix == sys.base_prefix:
        mend = "Use a virtual environment: make setup, or python3 -m venv."
        yield warn("Python", f"{found}, which is no virtual environment", mend)
    else:
        yield ok("Python", found)


def packages(machine: Machine) -> Iterator[Finding]:
    """Whether what a hub needs, and what servers need, is installed. Pods bring their own."""
    usable = machine.usable_settings()
    needed = NEEDED if usable is None or usable.kubernetes is None else NEEDED_WITH_PODS
    for extra, names in needed.items():
        missing = [name for name in names if find_spec(name) is None]
        if missing:
            mend = f"make setup, or pip install 'allotment[{extra}]'"
            yield fail(f"Packages [{extra}]", f"{', '.join(missing)} not installed", mend)
        else:
            each = ", ".join(f"{name} {_version(name)}" for name in names)
            yield ok(f"Packages [{extra}]", each)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "of unknown version"


def settings(machine: Machine) -> Iterator[Finding]:
    """Whether the settings can be used."""
    if machine.settings is None:
        yield warn("Settings", "no file named", "Name it: --settings FILE, or SETTINGS=FILE")
        return
    try:
        found = load_settings(machine.settings, machine.state)
    except SettingsInvalid as invalid:
        for problem in invalid.problems:
            yield fail(
                "Settings", problem, "Change that line; docs/settings.md explains every key."
            )
        return
    people = counted(len(found.declared_people), "person").replace("persons", "people")
    yield ok("Settings", f"{machine.settings}: {people}, {counted(len(found.groups), 'group')}")
    yield from _trust(found)
    yield from _profiles(found)
    yield from _command(found)


def _trust(found: Settings) -> Iterator[Finding]:
    root = os.geteuid() == 0
    if found.servers.system_users and not root:
        mend = "Start the hub as root, or set servers.system_users: false."
        yield fail("System users", "the settings ask for them, and this is not root", mend)
    elif root and not found.servers_apart:
        yield warn(
            "System users",
            "this is root, and so would be everybody's servers",
            "Start the hub as an ordinary user, or set servers.system_users: true.",
        )
    elif found.kubernetes is not None:
        yield ok("System users", "every server runs in a pod of its own")
    elif found.servers.system_users and shutil.which("setpriv") is None:
        why = "servers under system users are started with setpriv, which is not on this machine"
        yield fail("System users", why, "Install util-linux.")
    elif found.servers.system_users:
        yield ok("System users", "every person's servers run under a system user of their own")
    else:
        yield ok("System users", "one for everybody: one trust domain, on loopback only")


def _profiles(found: Settings) -> Iterator[Finding]:
    from allotment.settings.catalogue import SUFFIXES, read_profile  # noqa: PLC0415 - needs a database's library

    files = [
        file for folder in found.profiles for file in folder.iterdir() if file.suffix in SUFFIXES
    ]
    read = [read_profile(file) for file in sorted(files) if not file.name.startswith(".")]
    for one in read:
        if one.problem:
            yield fail("Profiles", one.problem, "Mend the file; it counts as soon as it is good.")
    good = sorted(one.name for one in read if not one.problem)
    if not good:
        yield fail(
            "Profiles", "there is none, so nobody can launch", "Name a folder: profiles: […]"
        )
    elif CONSOLE_PROFILE not in good:
        mend = f"Put {CONSOLE_PROFILE}.yaml, as shipped, into a folder of profiles."
        yield warn("Profiles", f"{', '.join(good)}, but no {CONSOLE_PROFILE}", mend)
    else:
        yield ok("Profiles", ", ".join(good))


def _command(found: Settings) -> Iterator[Finding]:
    if found.kubernetes is not None:  # it is looked for in the image
        return
    command = found.servers.command[0]
    beside = Path(sys.prefix, "bin", command)
    if shutil.which(command) or beside.exists():
        yield ok("Server command", " ".join(found.servers.command))
    else:
        mend = "Install it, or change servers.command."
        yield fail("Server command", f"{command} is not found", mend)


def record(machine: Machine) -> Iterator[Finding]:
    """Whether the record can be used, and whether what it counts agrees with what it holds."""
    from allotment.record import counting, open_record  # noqa: PLC0415 - needs a database's library

    address = _settings_or_default(machine).record
    where = address.removeprefix("sqlite:///") if address.startswith("sqlite:") else "PostgreSQL"
    if address.startswith("sqlite:") and not Path(where).exists():
        yield ok("Record", f"{where} is made at the first start")
        return
    try:
        opened = open_record(address, patience=3)
    except RecordTooNew as error:
        yield fail("Record", str(error), "Install the newer version, or restore a backup.")
        return
    except RecordUnavailable as error:
        mend = "Is it a record, does its database run, and may this user open it?"
        yield fail("Record", f"{where}: {error}", mend)
        return
    except AllotmentError as error:  # an older schema
        yield warn("Record", str(error), "The hub's next start does it; or: allotment migrate")
        return
    try:
        with opened.reading() as reading:
            wrong = counting.discrepancies(reading)
        for each in wrong:
            yield fail(
                "Record", each, "Tell whoever keeps this installation: this must not happen."
            )
        if not wrong:
            yield ok("Record", f"{where}, of this version's schema")
    finally:
        opened.close()


def devices(machine: Machine) -> Iterator[Finding]:
    """Which devices there are, and how the platform knows."""
    from allotment.work.observing import observer  # noqa: PLC0415 - needs a hub's parts

    looking = observer(_settings_or_default(machine), {})
    found = looking.observe()
    looking.close()
    models: dict[str, int] = {}
    for device in found.devices:
        models[device.model] = models.get(device.model, 0) + 1
    each = ", ".join(f"{number} of {model}" for model, number in models.items()) or "none"
    if found.origin is DeviceOrigin.SIMULATED:
        mend = "Where there are GPUs: install the NVIDIA driver, or declare the devices."
        yield warn("Devices", f"{each}. {found.note}", mend)
    elif found.note or not found.devices:
        mend = (
            "Look at the cluster with kubectl get nodes, and at what its role permits."
            if found.origin is DeviceOrigin.KUBERNETES
            else "Look at the driver with nvidia-smi."
        )
        yield warn("Devices", f"{each}. {found.note}".strip(), mend)
    else:
        yield ok("Devices", f"{each} (from {found.origin})")
    for device in found.devices:
        if not device.healthy:
            mend = "It is not allotted meanwhile, and comes back by itself."
            yield warn("Devices", f"{device.id} is unhealthy: {device.health_note}", mend)


def strays(machine: Machine) -> Iterator[Finding]:
    """Processes of servers that the record does not know to run."""
    from allotment.inventory.processes import marked  # noqa: PLC0415 - needs a hub's parts
    from allotment.record import allotments, open_record  # noqa: PLC0415 - likewise

    address = _settings_or_default(machine).record
    if address.startswith("sqlite:") and not Path(address.removeprefix("sqlite:///")).exists():
        return
    try:
        opened = open_record(address, patience=3)
    except AllotmentError:
        return  # the check of the record says it
    running = marked()
    try:
        with opened.reading() as reading:
            known = allotments.some(reading, {one.allotment for one in running})
    finally:
        opened.close()
    ended = {one.id for one in known if not one.active}
    stray = [one for one in running if one.allotment in ended]
    if stray:
        pids = ", ".join(str(one.process.pid) for one in stray)
        mend = f"The hub ends them within minutes; without a hub: kill {pids.replace(',', '')}"
        yield warn("Processes", f"of servers that have ended: {pids}", mend)
    else:
        yield ok("Processes", "no server's process was left behind")


def space(machine: Machine) -> Iterator[Finding]:
    """Whether there is room where the hub writes."""
    folder = next(one for one in (machine.state, *machine.state.parents) if one.exists())
    free = shutil.disk_usage(folder).free
    found = f"{format_memory(free)} free in {folder}"
    if free < NO_SPACE:
        yield fail("Disk space", found, "Make room: the record cannot be written without.")
    elif free < LITTLE_SPACE:
        yield warn("Disk space", found, "Make room: homes and logs are written there.")
    else:
        yield ok("Disk space", found)


def browser(_machine: Machine) -> Iterator[Finding]:
    """Whether the tests that need a browser can run; asked only where tests are."""
    if find_spec("playwright") is None:
        return
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found:
        yield ok("Browser for tests", found)
    else:
        mend = "apt install chromium"
        yield warn("Browser for tests", "none, so tests in a browser are left out", mend)


def _settings_or_default(machine: Machine) -> Settings:
    """The settings, or what counts where there are none that can be used."""
    usable = machine.usable_settings()
    if usable is not None:
        return usable
    default = Settings()
    address = default.record.replace("{state}", str(machine.state.resolve()))
    return default.model_copy(update={"record": address})


CHECKS: tuple[Check, ...] = (
    python,
    packages,
    settings,
    record,
    secrets,
    sources,
    devices,
    strays,
    space,
    mail,
    aws,
    browser,
)
