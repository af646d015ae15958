"""What a running server reports, and a whole Jupyter Server as a process: enabled, quiet, ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

TOKEN = "the-servers-own-token"
UUID = "GPU-11111111-aaaa-4000-8000-000000000001"


class Server:
    """A Jupyter Server as a person's server runs it, with what it wrote so far."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        homes = {"HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
        arguments = [
            "--ip=127.0.0.1",
            "--port=0",
            "--no-browser",
            "--allow-root",
            "--ServerApp.base_url=/user/bob/train/",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *arguments, "--IdentityProvider.token=open"],
            cwd=folder,
            env={**os.environ, **homes, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self.line_with("http://127.0.0.1:").split("?")[0].split()[-1]

    def line_with(self, text: str) -> str:
        """The next line that holds a text; fails when the server ends without it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return line
        pytest.fail(f"The server ended without saying {text!r}: {''.join(self.lines)}")

    def get(self, path: str) -> str:
        request = urllib.request.Request(self.url + path, headers={"Authorization": "token open"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return str(answer.read().decode())

    def end(self) -> int:
        """Ask it to end, as its spawner does, and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=60)
        self.lines.append(rest)
        return self.process.returncode


@pytest.fixture
def without_lab(tmp_path: Path) -> None:
    """Leave JupyterLab and its kin out, which takes most of a server's start."""
    others = ("jupyter_lsp", "jupyterlab", "notebook_shim", "voila.server_extension")
    config = {"ServerApp": {"jpserver_extensions": dict.fromkeys(others, False)}}
    (tmp_path / ".jupyter").mkdir()
    (tmp_path / ".jupyter" / "jupyter_server_config.json").write_text(json.dumps(config))


@pytest.fixture
def start(tmp_path: Path, server_environment: dict[str, str]) -> Iterator[Any]:
    started: list[Server] = []

    def starting(**more: str) -> Server:
        started.append(Server(tmp_path, {**server_environment, **more}))
        return started[-1]

    yield starting
    for server in started:
        with suppress(ProcessLookupError):
            server.process.kill()
        server.process.wait(60)


def test_it_reports_kernels_terminals_and_when_something_last_happened(
    run: Any, jp_serverapp: Any, jp_fetch: Any, control_plane: Any
) -> None:
    run(jp_fetch("api", "terminals", method="POST", body="{}"))
    run(jp_serverapp.extension_manager.start_all_extensions())
    report = run(jp_serverapp.io_loop.run_in_executor(None, control_plane.report))
    began = jp_serverapp.web_app.settings["started"].isoformat().replace("+00:00", "Z")
    last_activity = jp_serverapp.web_app.last_activity().isoformat().replace("+00:00", "Z")
    # When the server began is the last that anybody worked in it: a terminal that waits is no work.
    assert report.pop("worked_at") == began
    assert report == {
        "kernels": 0,
        "kernels_busy": 0,
        "terminals": 1,
        "terminals_busy": 0,
        "last_activity": last_activity,
        "home_used": None,
        "devices": [
            {
                "id": "sim-0",
                "measured": "simulated",
                "utilisation": None,
                "memory_used": None,
                "memory_total": None,
                "note": "",
                "measurable": True,
            }
        ],
    }


def test_it_reports_with_the_servers_own_token(
    run: Any, jp_serverapp: Any, control_plane: Any
) -> None:
    run(jp_serverapp.extension_manager.start_all_extensions())
    run(jp_serverapp.io_loop.run_in_executor(None, control_plane.report))
    path = "/services/allotment/api/v1/reports"
    assert control_plane.asked == [("POST", path, f"Bearer {TOKEN}")]


@pytest.mark.promise("SERVER-7")
def test_a_server_under_the_hubs_address_has_the_extension_without_being_told(
    start: Any, control_plane: Any
) -> None:
    server = start()
    assert server.url.endswith("/user/bob/train/")
    assert control_plane.report()["kernels"] == 0
    assert '"person":"bob"' in server.get("allotment/me")


@pytest.mark.promise("POOL-1")
@pytest.mark.needs("gcc")
@pytest.mark.usefixtures("without_lab")
def test_a_real_device_is_reported_as_its_driver_measures_it(
    start: Any, control_plane: Any, nvml_library: Path, tmp_path: Path
) -> None:
    answers = tmp_path / "answers"
    answers.write_text(f"gpu uuid={UUID} name=NVIDIA_A100 memory=40960 used=1024 util=93\n")
    start(
        LD_LIBRARY_PATH=str(nvml_library),
        ALLOTMENT_TEST_NVML=str(answers),
        ALLOTMENT_DEVICES="gpu-11111111",
        CUDA_VISIBLE_DEVICES=UUID,
    )
    assert control_plane.report()["devices"] == [
        {
            "id": "gpu-11111111",
            "measured": "nvml",
            "utilisation": 93.0,
            "memory_used": 2**30,
            "memory_total": 40 * 2**30,
            "note": "",
            "measurable": True,
        }
    ]


@pytest.mark.promise("POOL-1", "CLUSTER-1")
@pytest.mark.needs("gcc")
@pytest.mark.usefixtures("without_lab")
def test_a_pods_gpu_is_reported_as_the_one_that_its_container_is_shown(
    start: Any, control_plane: Any, nvml_library: Path, tmp_path: Path
) -> None:
    answers = tmp_path / "answers"
    answers.write_text(f"gpu uuid={UUID} name=NVIDIA_A100 memory=40960 used=1024 util=93\n")
    start(
        LD_LIBRARY_PATH=str(nvml_library),
        ALLOTMENT_TEST_NVML=str(answers),
        ALLOTMENT_DEVICES="node-1-gpu-0",
        ALLOTMENT_DEVICE_KINDS="gpu",
        CUDA_VISIBLE_DEVICES="",
    )
    (use,) = control_plane.report()["devices"]
    assert (use["id"], use["measured"], use["utilisation"]) == ("node-1-gpu-0", "nvml", 93.0)


@pytest.mark.promise("SERVER-7")
@pytest.mark.usefixtures("without_lab")
def test_a_refused_report_is_logged_once_without_the_token_and_the_server_works_on(
    start: Any, control_plane: Any
) -> None:
    control_plane.problem = (403, "This token is of no running server.")
    server = start()
    server.line_with("This token is of no running server.")
    assert "reachable" in server.get("allotment/me")
    assert server.end() == 0
    written = "".join(server.lines)
    assert written.count("does not take this server's reports") == 1
    assert TOKEN not in written


@pytest.mark.usefixtures("without_lab")
def test_it_ends_at_once_while_the_control_plane_hangs(start: Any, control_plane: Any) -> None:
    control_plane.silent.set()
    server = start()
    assert control_plane.arrived.get(timeout=60).endswith("/reports")
    assert server.end() == 0
    assert not control_plane.resume.is_set()
