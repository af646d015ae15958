"""A browser, and notebooks served as pages: for tests, benchmarks and pictures of what people see."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, sync_playwright

START_SECONDS = 60
STOP_SECONDS = 20
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Nothing is asked of the network, and a container's root may start it.
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class NotStartedError(Exception):
    """A server did not say that it was ready; the message carries what it said."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium of this machine, without a window.

    While it runs no other event loop can run in this thread: that is how Playwright's plain
    interface works, so keep it as short as one module of tests.
    """
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        raise NotStartedError(f"No browser on this machine: none of {', '.join(NAMES)}.")
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, *root])
        try:
            yield browser
        finally:
            browser.close()


def stay_here(page: Page, asked_outside: list[str]) -> None:
    """Refuses and notes whatever the page asks of another machine than this one."""

    def decide(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in ("http", "https") and address.hostname not in (
            "127.0.0.1",
            "localhost",
        ):
            asked_outside.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/*", decide)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write_notebook(path: Path, *cells: str) -> Path:
    """Writes a notebook of these cells for the kernel of this environment."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code: dict[str, object] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": [
            code | {"id": f"cell-{place}", "source": cell} for place, cell in enumerate(cells)
        ],
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


class Server:
    """A server of notebooks on a free port of the loopback, over one folder."""

    def __init__(self, folder: Path, address: str, page_prefix: str, query: str = "") -> None:
        """Take where it is; ``page_prefix`` leads to a notebook by name."""
        self.folder = folder
        self.address = address
        self._page_prefix = page_prefix
        self._query = query

    def page(self, name: str, *cells: str) -> str:
        """Writes a notebook and returns the address of its page."""
        write_notebook(self.folder / f"{name}.ipynb", *cells)
        return f"{self.address}{self._page_prefix}{name}.ipynb{self._query}"


@contextmanager
def voila(folder: Path, *options: str) -> Iterator[Server]:
    """Voilà over a folder of notebooks; each page has a kernel of its own."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "voila", str(folder), f"--port={port}", "--no-browser"),
        *("--Voila.ip=127.0.0.1", "--show_tracebacks=True", *options),
    ]
    with _served(command, "Voilà is running at"):
        yield Server(folder, f"http://127.0.0.1:{port}", "/voila/render/")


@contextmanager
def lab(folder: Path, *options: str) -> Iterator[Server]:
    """JupyterLab over a folder of notebooks, each opened alone, with its menus reachable by tests."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--expose-app-in-browser"),
        *(f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--IdentityProvider.token="),
        *("--allow-root", f"--ServerApp.root_dir={folder}", *options),
    ]
    with _served(command, "is running at"):
        yield Server(folder, f"http://127.0.0.1:{port}", "/doc/tree/", "?reset")


@contextmanager
def _served(command: Sequence[str], ready: str) -> Iterator[None]:
    """Runs a program, waits for the line that says it is ready, ends it with its children."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: list[str] = []
    said_ready = threading.Event()
    reader = threading.Thread(target=_read, args=(process, ready, lines, said_ready), daemon=True)
    reader.start()
    try:
        if not said_ready.wait(START_SECONDS) or process.poll() is not None:
            raise NotStartedError(f"{' '.join(command)}\n{''.join(lines[-25:])}")
        yield
    finally:
        _end(process)
        reader.join(STOP_SECONDS)


def _read(
    process: subprocess.Popen[str], ready: str, lines: list[str], said_ready: threading.Event
) -> None:
    """Reads on after the line too: a full pipe would stop the program."""
    assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
    for line in process.stdout:
        lines.append(line)
        if ready in line:
            said_ready.set()
    said_ready.set()


def _end(process: subprocess.Popen[str]) -> None:
    """A word first, so that kernels are ended by their server; then the hard way."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
