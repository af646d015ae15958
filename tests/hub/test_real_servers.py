"""What only a real Jupyter server shows: kernels and their children, and the console's isolation."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import hubs
from hubs import HubUnderTest, alive
from kernels import Kernel

DETACH = f"""
import subprocess, sys
done = subprocess.run([sys.executable, "-c", {hubs.DETACHED!r}], stdout=subprocess.PIPE, text=True)
print(done.stdout)
"""
TRAP = "import pathlib; pathlib.Path({marker!r}).open('a').write({name!r} + chr(10))\n"


@pytest.fixture(scope="module")
def real_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    hub = HubUnderTest(tmp_path_factory.mktemp("hub"), ["jupyterhub-singleuser"])
    hub.change(hubs.seed)
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture(scope="module")
def marker(real_hub: HubUnderTest) -> Path:
    """A file that exists when a trap in the home of olga's ordinary servers was run."""
    path = real_hub.folder / "marker"
    plant(real_hub.folder / "homes/olga", path)
    return path


@pytest.fixture(scope="module")
def console(real_hub: HubUnderTest, marker: Path) -> Kernel:
    """A kernel of olga's console, started with traps in the home of her ordinary servers."""
    assert not marker.exists()
    return open_server(real_hub, "olga", "console", profile="operator-console")


def open_server(hub: HubUnderTest, person: str, server: str = "", **options: object) -> Kernel:
    """Launch a server, and start a kernel in it."""
    answer = hub.launch(person, server, **options)
    assert answer.status_code in {201, 202}, answer.text
    hub.ready(person, server)
    return Kernel(hub.address_of(person, server), hub.token(person)).start()


def plant(home: Path, marker: Path) -> None:
    """Put a trap wherever Python, IPython and Jupyter look for code in a home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = home / ".local/lib" / version / "site-packages"
    traps = {
        site / "usercustomize.py": "user customization",
        site / "sitecustomize.py": "site customization",
        site / "trap.pth": "path file",
        site / "ipywidgets/__init__.py": "package of the user's",
        home / ".ipython/profile_default/startup/00-first.py": "ipython start-up file",
        home / ".ipython/profile_default/ipython_config.py": "ipython configuration",
        home / ".jupyter/jupyter_server_config.py": "jupyter configuration",
        home / ".jupyter/jupyter_config.py": "common configuration",
        home / ".jupyter/voila.py": "voila configuration",
        home / "json.py": "module beside the notebook",
        home / "sitecustomize.py": "customization beside the notebook",
        home / ".pythonrc.py": "python start-up file",
    }
    for path, name in traps.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(TRAP.format(marker=str(marker), name=name))
    kernel = home / ".local/share/jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-c", TRAP.format(marker=str(marker), name="kernel specification")]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Trap"}))


@pytest.mark.promise("LIMIT-3")
def test_the_children_of_a_kernel_end_with_the_server_before_the_device_is_free(
    real_hub: HubUnderTest,
) -> None:
    kernel = open_server(real_hub, "ada", profile="gpu")
    devices = kernel.run("import os; print(os.environ['CUDA_VISIBLE_DEVICES'])")
    assert devices.strip() == real_hub.held("ada")[0].devices[0].uuid
    child = int(kernel.run("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"))
    detached = int(kernel.run(DETACH))

    real_hub.stop("ada")

    assert not alive(child)
    assert not alive(detached)
    assert real_hub.held("ada") == ()


@pytest.mark.promise("USER-7")
def test_nothing_that_an_ordinary_server_wrote_runs_in_the_operator_console(
    console: Kernel, marker: Path, real_hub: HubUnderTest
) -> None:
    console.run("import json, IPython, ipywidgets, sys")

    assert not marker.exists()
    told = json.loads(console.run("import json, os; print(json.dumps(dict(os.environ)))"))
    assert told["HOME"] == str(real_hub.folder / "consoles/olga")
    assert not {"PYTHONSTARTUP", "PYTHONPATH"} & set(told)
    flags = console.run("import sys, site; print(site.ENABLE_USER_SITE, sys.flags.safe_path)")
    assert flags.split() == ["False", "True"]


def test_only_the_consoles_token_may_operate_and_those_traps_do_work(
    console: Kernel, marker: Path, real_hub: HubUnderTest
) -> None:
    assert "custom:allotment:operate" in scopes_of(real_hub, token_of(real_hub, "console"))

    answer = real_hub.launch("olga", "work", profile="small")
    assert answer.status_code in {201, 202}, answer.text
    real_hub.ready("olga", "work")

    assert console.id
    assert "custom:allotment:operate" not in scopes_of(real_hub, token_of(real_hub, "work"))
    assert "jupyter configuration" in marker.read_text()
    assert "voila configuration" in marker.read_text()


def token_of(hub: HubUnderTest, server: str) -> str:
    """The token that a server of olga's was given."""
    return hub.environment_of("olga", server)["JUPYTERHUB_API_TOKEN"]


def scopes_of(hub: HubUnderTest, token: str) -> list[str]:
    """What a token may do."""
    return list(hub.api("GET", "/user", token=token).raise_for_status().json()["scopes"])


def test_the_console_cannot_be_shared_and_another_server_can(
    console: Kernel, real_hub: HubUnderTest
) -> None:
    real_hub.token("ada")
    olga = real_hub.token("olga")
    real_hub.api("PUT", "/users/olga/servers/other", {}, token=olga)

    shared = real_hub.api("POST", "/shares/olga/other", {"user": "ada"}, token=olga)
    refused = real_hub.api("POST", "/shares/olga/console", {"user": "ada"}, token=olga)
    code = real_hub.api("POST", "/share-codes/olga/console", {}, token=olga)

    assert console.id
    assert shared.status_code == 200, shared.text
    assert (refused.status_code, code.status_code) == (403, 403)
    assert "never shared" in refused.json()["message"]
    assert real_hub.api("GET", "/shares/olga/console", token=olga).json()["items"] == []


def test_access_by_name_is_not_enough_for_the_console(
    console: Kernel, real_hub: HubUnderTest
) -> None:
    by_name = {"scopes": ["access:servers!server=olga/console"]}
    olga = real_hub.token("olga")
    answer = real_hub.api("POST", "/users/olga/tokens", by_name, token=olga)
    token = answer.raise_for_status().json()["token"]

    refused = httpx.get(f"{console.url}api/status", headers={"Authorization": f"token {token}"})
    owner = httpx.get(f"{console.url}api/status", headers={"Authorization": f"token {olga}"})

    assert (refused.status_code, owner.status_code) == (403, 200)


def test_the_consoles_home_is_empty_at_each_start(console: Kernel, real_hub: HubUnderTest) -> None:
    console.run(
        "import pathlib\n"
        "startup = pathlib.Path('~/.ipython/profile_default/startup').expanduser()\n"
        "startup.mkdir(parents=True, exist_ok=True)\n"
        "(startup / 'x.py').write_text('planted = True')"
    )
    real_hub.stop("olga", "console")

    again = open_server(real_hub, "olga", "console", profile="operator-console")

    assert again.run("print('planted' in globals())").strip() == "False"


def test_a_server_is_not_renamed_to_be_the_console(real_hub: HubUnderTest) -> None:
    ada = real_hub.token("ada")
    real_hub.api("PUT", "/users/ada/servers/plain", {}, token=ada).raise_for_status()

    answer = real_hub.api("PATCH", "/users/ada/servers/plain", {"name": "console"}, token=ada)

    assert answer.status_code == 403
    assert "is the operator console" in answer.json()["message"]
