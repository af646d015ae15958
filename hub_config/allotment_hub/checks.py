"""What ``allotment doctor`` examines of a hub: its programs, its folder, its port, what was left behind."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from allotment.cli.findings import Finding, Machine, fail, ok, warn
from allotment.model.amounts import counted
from allotment.model.profiles import Profile
from allotment.model.refusals import AllotmentError, SettingsInvalid
from allotment.settings import Settings
from allotment.settings.catalogue import SUFFIXES, read_profile
from allotment.settings.sign_on import LOCAL
from allotment_hub.identity import identity_of
from allotment_hub.launch import orphans, ports
from allotment_hub.launch.place import LOOPBACK, Place, Ports
from allotment_hub.launch.programs import ProgramMissingError, proxy_command
from allotment_spawner import software
from allotment_spawner.refusing import LaunchRefused

OLDEST_NODE = 20
SECONDS = 10.0
"""How long a program may take to say its version."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""What a mode lets anybody but the owner do."""


def examine(machine: Machine) -> Iterator[Finding]:
    """Everything that a hub on this machine needs besides Python packages."""
    usable = machine.usable_settings()
    if usable is not None and usable.control_plane is not None:
        yield from _apart(machine, usable)
        return
    place = Place(machine.state, machine.settings or Path(), Ports(machine.port, 0, 0, 0))
    yield from _proxy()
    yield from _widgets()
    yield from _folder(place)
    yield from _running(place)
    yield from _origin(machine)
    yield from _software(machine)
    yield from sign_in(machine)


def _apart(machine: Machine, settings: Settings) -> Iterator[Finding]:
    """What can be seen from a pod, the hub's or the control plane's: proxy and host names are the chart's."""
    try:
        identity_of(settings, Place(machine.state, machine.settings or Path(), Ports(0, 0, 0, 0)))
    except SettingsInvalid as invalid:
        mend = "Does the pod mount the Secret that the chart makes?"
        yield fail("Control plane", str(invalid), mend)
    else:
        yield ok("Control plane", "hub and control plane know each other by a token")
    secret = settings.sign_in.client_secret_variable
    if secret is None or secret in os.environ:  # the hub's pod alone has it
        yield from sign_in(machine)


def _proxy() -> Iterator[Finding]:
    try:
        node, *script = proxy_command()
    except ProgramMissingError as error:
        found, _, mend = str(error).partition(". ")
        yield fail("Proxy", found, mend)
        return
    if not script:  # installed on the machine: it finds its own Node.js
        yield ok("Proxy", node)
        return
    try:
        said = subprocess.run(
            [node, "--version"], capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        yield fail("Node.js", f"{node} does not run: {type(error).__name__}", "make clean setup")
        return
    version = said.stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < OLDEST_NODE:
        yield fail("Node.js", f"{version} is too old", f"Use Node.js {OLDEST_NODE} or newer.")
    else:
        yield ok("Proxy", f"configurable-http-proxy on Node.js {version}")


def _widgets() -> Iterator[Finding]:
    found = find_spec("allotment_widgets")
    if found is None or found.origin is None:
        yield fail(
            "Console", "allotment_widgets is not installed", "pip install 'allotment[notebook]'"
        )
        return
    static = Path(found.origin).parent / "static"
    if any(static.glob("*.js")):
        yield ok("Console", "its scripts are built")
    else:
        yield fail("Console", f"its scripts are not built: {static} is empty", "make setup")


def _folder(place: Place) -> Iterator[Finding]:
    if not place.state.exists():
        yield ok("State", f"{place.state} is made at the first start")
        return
    if not os.access(place.state, os.W_OK | os.X_OK):
        mend = "Own it, or choose another: STATE=folder"
        yield fail("State", f"{place.state} cannot be written to", mend)
        return
    open_to_others = [path for path in _private(place) if _mode(path) & OTHERS]
    for path in open_to_others:
        wanted = "700" if path.is_dir() else "600"
        found = f"others on this machine can read {path} (mode {_mode(path):o})"
        yield warn("State", found, f"chmod {wanted} {path}")
    if not open_to_others:
        yield ok("State", f"{place.state}, readable by its owner only")
    if place.first_passwords.exists():
        number = len(place.first_passwords.read_text().splitlines())
        found = f"{place.first_passwords} holds {counted(number, 'first password')}"
        yield ok("First passwords", f"{found}; delete it when everybody has signed in")


def _private(place: Place) -> list[Path]:
    """What must be readable by its owner only: the folder, and whatever the modes of JupyterHub demand."""
    private = [place.state, place.first_passwords, place.cookie_secret, place.proxy_token]
    private.append(place.people_key)
    if _mode(place.state) & OTHERS:
        private += [place.hub_database, place.state / "record.sqlite"]
    return [one for one in private if one.exists()]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _running(place: Place) -> Iterator[Finding]:
    """The hub of this folder, if it runs; else its port, and what a hub that was killed left behind."""
    if _hub_runs(place):
        known = ports.read_known(place.known_ports)
        where = f" on http://{LOOPBACK}:{known.public}" if known else ""
        yield ok("Hub", f"runs{where}")
        return
    yield ok("Hub", "does not run here")
    left = orphans.parts_of_hub(place.state)
    if left:
        pids = " ".join(str(process.pid) for process in left)
        found = "a hub that was killed left processes behind"
        yield warn("Processes", f"{found}: {pids}", "The next start ends them; or: kill " + pids)
        return  # they may hold the port, and will not at the next start
    try:
        ports.choose(place.ports.public, None)
    except ports.PortTakenError as error:
        found, _, mend = str(error).partition(". ")
        yield fail("Port", found, mend)
    else:
        yield ok("Port", f"{place.ports.public} is free")


def _hub_runs(place: Place) -> bool:
    """Whether a hub holds the folder: its lock ends with it, whatever its pid file says."""
    if not place.lock.exists():
        return False
    with place.lock.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _origin(machine: Machine) -> Iterator[Finding]:
    """Whether pages of people's servers are kept apart from the hub's by a host name of their own."""
    settings = machine.usable_settings()
    if settings is None:
        return
    config = os.environ.get("CONFIG")
    if config and Path(config).is_file() and "subdomain_host" in Path(config).read_text():
        yield ok("Host names", f"{config} sets subdomain_host")
    elif settings.loopback_only:
        yield ok("Host names", "one for hub and servers: one trust domain anyway, on loopback only")
    else:
        yield warn(
            "Host names",
            "hub and servers share one, so a page of one person's server acts as whoever opens it",
            "Set c.JupyterHub.subdomain_host in a configuration of your own, and start with CONFIG=file.",
        )


def _software(machine: Machine) -> Iterator[Finding]:
    """Whether the Python environments that profiles name can be used on this machine."""
    settings = machine.usable_settings()
    if settings is None:
        return
    allowed = [str(folder) for folder in settings.servers.python_environments]
    number = 0
    for profile in _profiles(settings):
        for choice in profile.software:
            try:
                folder = software.folder_of(choice, allowed)
                if folder is not None:
                    software.command_of(folder, settings.servers.command)
                    number += 1
            except LaunchRefused as refused:
                said, mend = refused.reasons[0].message, refused.reasons[0].remedy
                mend = mend.removeprefix("Choose other software. Ask an operator to ")
                found = f"{profile.name}, {choice.name}: {said.partition(': ')[2]}"
                yield fail("Software", found, mend[:1].upper() + mend[1:])
    if number:
        yield ok("Software", f"{counted(number, 'Python environment')} of profiles")


def sign_in(machine: Machine) -> Iterator[Finding]:
    """Whether the identity provider signs people in as the settings say: what the hub's start looks at."""
    settings = machine.usable_settings()
    if settings is None or settings.sign_in.kind == LOCAL:
        return
    from allotment_hub.sign_on_checks import problem_lines  # noqa: PLC0415 - few need it
    from allotment_hub.sign_on_looking import kept  # noqa: PLC0415 - likewise
    from allotment_hub.sign_on_wiring import callback_of, try_secrets  # noqa: PLC0415 - likewise

    secret = settings.sign_in.client_secret_file
    if secret is not None and secret.exists() and _mode(secret) & OTHERS:
        found_open = f"others on this machine can read the client's secret in {secret}"
        yield warn("Sign-in", found_open, f"chmod 600 {secret}")
    place = Place(machine.state, machine.settings or Path(), Ports(machine.port, 0, 0, 0))
    try:
        replaced = kept(settings).replaced
        tried = try_secrets(settings, machine.state, callback_of(settings, place), replaced)
    except AllotmentError as invalid:
        yield fail("Sign-in", str(invalid), "The hub does not start before that is mended.")
        return
    client, found = tried.secret, tried.found
    for line in problem_lines(found, settings.where):
        yield fail("Sign-in", line, "The hub does not start before that is mended.")
    if found.away:
        mend = "Nobody can sign in meanwhile, and a hub that never saw it does not start."
        yield fail("Sign-in", found.away, mend)
    for note in found.notes:
        yield warn("Sign-in", note, "Sign in once to be sure.")
    if found.endpoints is not None and not (found.problems or found.away or found.notes):
        who = f"{settings.sign_in.provider_issuer} knows this client, its secret and its callback"
        yield ok("Sign-in", who)
    if tried.refused:
        yield warn("Sign-in", tried.refused, "allotment sign-in withdraw-secret")
    if client is not None and replaced is not None and tried.in_force != client.said:
        said = f"{replaced.by} replaced the client's secret on {replaced.at:%Y-%m-%d}; that of the settings is not used"
        yield ok("Sign-in", said)


def _profiles(settings: Settings) -> Iterator[Profile]:
    for folder in settings.profiles:
        for file in sorted(folder.iterdir()):
            found = read_profile(file).profile if file.suffix in SUFFIXES else None
            if found is not None:
                yield found
