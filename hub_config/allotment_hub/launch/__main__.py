"""Start the hub on this machine. PORT, STATE and SETTINGS in the environment say how.

Everything that the hub, its proxy, the control plane and people's servers print goes to a log; the
terminal shows where to go, and errors.
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

from allotment.model.refusals import SettingsInvalid
from allotment.settings import Settings, load_settings
from allotment_hub.launch import folder, orphans, ports
from allotment_hub.launch.hub import LaunchedHub
from allotment_hub.launch.place import Place, Ports
from allotment_hub.launch.programs import ProgramMissingError, proxy_command
from allotment_hub.launch.terminal import Terminal, banner, last_lines

PACKAGE = Path(__file__).resolve().parents[1]
BESIDE = PACKAGE.parent
"""In a checkout, the folder with the configuration; a wheel carries that inside the package."""
REFUSED = 2


def place_asked_for() -> Place:
    """Folder, settings and public port as the environment says; the other ports come later.

    Raises:
        ValueError: PORT is no port, or there is no settings file to begin with.
    """
    public = ports.parse_port(os.environ.get("PORT") or "8000")
    checkout = BESIDE.parent if (BESIDE / "allotment.yaml").exists() else Path.cwd()
    state = Path(os.environ.get("STATE") or checkout / "state").expanduser().resolve()
    settings = Path(os.environ.get("SETTINGS") or BESIDE / "allotment.yaml")
    if not settings.exists() and "SETTINGS" not in os.environ:
        raise ValueError("Which settings? Name the file: SETTINGS=/path/to/settings.yaml")
    return Place(state, settings.expanduser().resolve(), Ports(public, 0, 0, 0))


def main() -> int:
    """Run the hub until it is stopped; returns the exit status."""
    terminal = Terminal()
    _end_on_signals()
    try:
        asked = place_asked_for()
        settings = load_settings(asked.settings, asked.state)
        asked = replace(asked, bind=settings.bind)
        proxy_command()
        with folder.held(asked):
            return run(asked, settings, terminal)
    except (
        ValueError,
        SettingsInvalid,
        ProgramMissingError,
        folder.FolderInUseError,
        ports.PortTakenError,
    ) as refusal:
        terminal.say(str(refusal))
        return REFUSED


def run(asked: Place, settings: Settings, terminal: Terminal) -> int:
    """Run the hub in a folder that this process holds; returns the exit status."""
    warning = folder.prepare(asked)
    if warning:
        terminal.say(warning)
    left = orphans.parts_of_hub(asked.state)
    if left:
        terminal.say(f"Ending {len(left)} process(es) that a hub left behind here …")
        orphans.end(left)
    asked.proxy_pid.unlink(missing_ok=True)
    known = ports.read_known(asked.known_ports)
    chosen = ports.choose(asked.ports.public, known, address=asked.bind)
    ports.remember(asked.known_ports, chosen)
    place = replace(asked, ports=chosen)
    os.environ.update(place.to_environment())
    try:
        return _run_hub(place, settings, terminal)
    finally:
        orphans.end(orphans.parts_of_hub(place.state))
        place.proxy_pid.unlink(missing_ok=True)


def _run_hub(place: Place, settings: Settings, terminal: Terminal) -> int:
    log = folder.open_log(place)
    start = os.fstat(log).st_size
    os.dup2(log, 1)
    os.dup2(log, 2)
    hub = LaunchedHub.instance()
    hub.terminal = terminal
    hub.when_ready = lambda: terminal.say(banner(place, settings.sign_in.named))
    status = 0
    try:
        LaunchedHub.launch_instance(["--config", _config_file()])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:  # before JupyterHub listens for signals itself
        terminal.say("Stopped before it was ready.")
        return 0
    if hub.ending:
        orphans.end_servers(place)
        terminal.say("Stopped.")
        return 0
    terminal.say(last_lines(place.logs / "hub.log", start))
    terminal.say(f"\nThe hub ended by itself. All it said: {place.logs / 'hub.log'}")
    return status or 1


def _config_file() -> str:
    name = "jupyterhub_config.py"
    shipped = BESIDE / name if (BESIDE / name).exists() else PACKAGE / name
    return os.environ.get("CONFIG") or str(shipped)


def _end_on_signals() -> None:
    """Until JupyterHub listens for signals itself, end in order, so that nothing stays behind."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end)


if __name__ == "__main__":
    sys.exit(main())
