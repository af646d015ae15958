"""Containers as processes of this machine: their environment, their folders, their end."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from . import kinds
from .statuses import Document
from .store import Store

REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")
ANY_ADDRESS = re.compile(r"(?<![\d.])0\.0\.0\.0(?![\d.])|\[::\]")
MARK = "CLUSTER_CONTAINER"
PART = re.compile(r"^metadata\.(labels|annotations)\['(.*)'\]$")


class NotConfigured(Exception):
    """A container names a secret or a key that is not there (CreateContainerConfigError)."""


@dataclass(frozen=True)
class Image:
    """What is in an image, as far as a process needs it: the command of pods that name none."""

    command: tuple[str, ...] = ("jupyterhub-singleuser",)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a pod runs: its address, its node, its folders by the paths that they are mounted at."""

    address: str
    folder: Path
    mounts: Mapping[str, Path]

    def here(self, text: str) -> str:
        """A text of the pod's, with its own address for any, and its folders for what is mounted."""
        text = ANY_ADDRESS.sub(self.address, text)
        for path in sorted(self.mounts, key=len, reverse=True):
            text = re.sub(
                rf"(^|[=:,\s]){re.escape(path)}(?=$|[/:,\s])", rf"\g<1>{self.mounts[path]}", text
            )
        return text


def environment_of(
    store: Store, pod: Document, container: Document, place: Place
) -> dict[str, str]:
    """The variables of a container, put together as the kubelet does.

    Raises:
        NotConfigured: a secret, config map or key that must be there is not.
    """
    found: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        found |= variables_from(store, pod, source)
    for variable in container.get("env") or []:
        if "valueFrom" in variable:
            value = value_from(store, pod, container, variable["valueFrom"], place)
        else:
            value = expanded(variable.get("value", ""), found)
        if value is not None:
            found[variable["name"]] = value
    return {name: place.here(value) for name, value in found.items()}


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced where there is such a variable; ``$$`` is a dollar."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return REFERENCE.sub(value, text)


def variables_from(store: Store, pod: Document, source: Document) -> dict[str, str]:
    """All variables of a secret or config map."""
    prefix = source.get("prefix", "")
    part = "secretRef" if "secretRef" in source else "configMapRef"
    data = data_of(store, pod, part, source[part])
    return {prefix + key: value for key, value in (data or {}).items()}


def data_of(store: Store, pod: Document, part: str, reference: Document) -> dict[str, str] | None:
    """The data of a secret or config map; none where it may be missing and is.

    Raises:
        NotConfigured: it must be there.
    """
    secret = part.startswith("secret")
    kind = kinds.SECRETS if secret else kinds.CONFIG_MAPS
    name = reference.get("name") or reference.get("secretName", "")
    found = store.find(kind, pod["metadata"]["namespace"], name)
    if found is None:
        if reference.get("optional"):
            return None
        raise NotConfigured(f'{"secret" if secret else "configmap"} "{name}" not found')
    data = found.get("data") or {}
    if not secret:
        return dict(data)
    return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}


def value_from(
    store: Store, pod: Document, container: Document, source: Document, place: Place
) -> str | None:
    """The value of a variable that is taken from elsewhere."""
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], place)
    if "resourceFieldRef" in source:
        kind, _, name = source["resourceFieldRef"]["resource"].partition(".")
        return str((container["resources"].get(kind) or {}).get(name, "0"))
    part = "secretKeyRef" if "secretKeyRef" in source else "configMapKeyRef"
    reference = source[part]
    data = data_of(store, pod, part, reference)
    if data is None or (reference["key"] not in data and reference.get("optional")):
        return None
    if reference["key"] not in data:
        about = "Secret" if part == "secretKeyRef" else "ConfigMap"
        where = f"{pod['metadata']['namespace']}/{reference['name']}"
        raise NotConfigured(f"couldn't find key {reference['key']} in {about} {where}")
    return data[reference["key"]]


def field_value(pod: Document, path: str, place: Place) -> str:
    """A field of the pod (downward API)."""
    if match := PART.match(path):
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    if path in ("status.podIP", "status.podIPs"):
        return place.address
    value: Any = pod
    for step in path.split("."):
        value = (value or {}).get(step)
    return str(value or "")


class Process:
    """A container that runs."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str) -> None:
        self._process = process
        # A handle on this very process, taken before anybody can collect it: its number alone may be
        # another's by the time of a signal.
        self._handle = os.pidfd_open(process.pid)
        self._mark = mark
        self.out_of_memory = False
        self._over = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._handle, self._collect)

    @property
    def pid(self) -> int:
        """The process of this machine."""
        return self._process.pid

    def ask_to_end(self) -> None:
        """SIGTERM to the container's first process."""
        self._signal(signal.SIGTERM)

    def end(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self._over.is_set():
            signal.pidfd_send_signal(self._handle, number)

    def _collect(self) -> None:
        """The process has ended."""
        asyncio.get_running_loop().remove_reader(self._handle)
        self._process.wait()
        self._over.set()
        os.close(self._handle)

    async def ended(self) -> int:
        """Wait for the end; all that the container had begun ends with it. The exit code."""
        await self._over.wait()
        await asyncio.to_thread(end_marked, self._mark)
        code = self._process.returncode
        return code if code >= 0 else 128 - code


def start(
    command: list[str], environment: Mapping[str, str], folder: Path, mark: str, log: Path
) -> Process:
    """Start a container.

    Raises:
        OSError: its command cannot be run.
    """
    variables = base_environment(folder) | dict(environment) | {MARK: mark}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=variables,
            start_new_session=True,
        )
    return Process(process, mark)


def base_environment(home: Path) -> dict[str, str]:
    """What an image gives: the programs of this environment, a home of its own."""
    programs = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return {"PATH": programs, "HOME": str(home), "LANG": "C.UTF-8", "USER": "jovyan"}


def end_marked(mark: str) -> None:
    """End what a container has left behind, wherever it has put itself."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                process.send_signal(signal.SIGKILL)
