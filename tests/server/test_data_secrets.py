"""What a server is lent lies with its keeper and in the kernel that asked: nowhere else that anything is written."""

from __future__ import annotations

import logging
import secrets
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from allotment.client import AllotmentClient
from allotment.model.sources import SourceKind
from allotment.notebook.keeper import lend_from_keeper
from allotment.notebook.lending import Lender
from stand_in_control_plane import TOKEN, ControlPlane

SECRETS = (
    "password",
    "private_key",
    "secret_access_key",
    "session_token",
    "sas",
    "token",
)
"""The fields of what is lent that nobody may see, of whichever kind."""


@pytest.fixture
def lent(control_plane: ControlPlane) -> dict[str, str]:
    """A source of each kind, by its name; every secret of what the control plane lends of it is one canary."""
    planted = {f"of-{kind.value}": secrets.token_hex(24) for kind in SourceKind}
    now = datetime.now(UTC)
    for kind in SourceKind:
        name = f"of-{kind.value}"
        control_plane.answers[f"/sources/{name}/credentials"] = {
            "source": name,
            "kind": kind.value,
            "fields": dict.fromkeys(SECRETS, planted[name]),
            "expires_at": (now + timedelta(hours=1)).isoformat(),
            "now": now.isoformat(),
        }
    return planted


def _environment_of_a_kernel() -> str:
    """What a process reads of itself that this server starts, as it starts kernels and terminals."""
    look = "print(open('/proc/self/environ').read(), open('/proc/self/cmdline').read())"
    asked = [sys.executable, "-c", look]
    return subprocess.run(asked, capture_output=True, check=True, text=True, timeout=60).stdout


@pytest.mark.promise("DATA-5", "OPS-3")
def test_what_is_lent_stands_in_no_environment_no_log_no_file_and_no_words(
    lent: dict[str, str],
    started: dict[str, str],
    control_plane: ControlPlane,
    run: Callable[[Any], Any],
    fetch: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from allotment_server.background import in_background  # noqa: PLC0415 - as the server does

    caplog.set_level(logging.DEBUG)
    ask = lend_from_keeper(started, AllotmentClient(control_plane.url, TOKEN))
    assert ask is not None
    lender = Lender(ask, lambda _: None)

    def read() -> list[Any]:
        return [lender.credential(name) for name in lent]

    held = run(in_background(read))
    tested = [
        fetch("allotment", "test", method="POST", body=f'{{"name": "{name}"}}').body.decode()
        for name in ("of-s3", "of-sqlite")
    ]

    assert [one.text("password") for one in held] == list(lent.values())
    found = {
        "environment": _environment_of_a_kernel(),
        "log": caplog.text + "".join(str(vars(one)) for one in caplog.records),
        "words": repr(held) + repr(lender) + "".join(tested),
        "started with": str(started),
    }
    found |= {
        str(place): place.read_bytes().decode("latin-1")
        for place in tmp_path.rglob("*")
        if place.is_file()
    }
    leaked = [place for place, text in found.items() for one in lent.values() if one in text]
    assert leaked == []
