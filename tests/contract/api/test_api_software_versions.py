"""Versions of software: who is told of a new one, and who sees which servers run which."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.record import claims, mails, people
from allotment.settings.mail import MailServer
from allotment.work.mailing import Mailing

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
OLD = {"image": "example.org/lab:1", "version": "2026.10"}
NEW = {"image": "example.org/lab:2", "version": "2026.11", "notes": "CUDA 13."}


@pytest.fixture
def released(lab: Any, api: Any) -> Any:
    """Ann runs the old version of a size, bob the new one."""
    lab.profile("image", **OLD)
    claims.mark_running(lab.record, lab.granted("ann", "image", "train"), lab.now)
    lab.profile("image", **NEW)
    claims.mark_running(lab.record, lab.granted("bob", "image", "notes"), lab.now)
    return api


@pytest.mark.promise("SOFT-3")
def test_operators_see_which_servers_run_which_version(released: Any) -> None:
    (found,) = [
        one for one in released.client("olga+").software.all().items if one.profile == "image"
    ]

    assert (found.version, found.current, found.behind) == ("2026.11", 1, ("hub~ann~train",))
    assert [(one.version, one.notes, one.servers) for one in found.releases] == [
        ("2026.11", "CUDA 13.", ("hub~bob~notes",)),
        ("2026.10", "", ("hub~ann~train",)),
    ]


@pytest.mark.promise("SOFT-1", "SOFT-2")
def test_who_runs_the_old_version_is_told_and_who_runs_the_new_one_is_not(released: Any) -> None:
    released.plane.software.look(released.plane.now())

    told = {
        name: [one.message for one in released.client(name).me().notices if one.kind == "software"]
        for name in ("ann+", "bob+")
    }

    assert told == {
        "ann+": [
            (
                "Your server train can be updated. It runs 2026.10; 2026.11 is there. CUDA 13. "
                "Reset it on the home page when it suits you."
            )
        ],
        "bob+": [],
    }


@pytest.mark.promise("SOFT-1")
def test_operators_are_told_that_servers_are_behind(released: Any) -> None:
    released.plane.software.look(released.plane.now())

    alerts = released.client("olga+").overview().alerts

    assert [(one.subject, one.message) for one in alerts if one.kind == "software"] == [
        ("image", "image: 1 server runs something older than 2026.11.")
    ]


@pytest.mark.promise("SOFT-3")
def test_the_command_line_lists_versions_and_who_is_behind(
    released: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOTMENT_API_URL", released.url)
    monkeypatch.setenv("ALLOTMENT_TOKEN", "olga+")

    said = CliRunner().invoke(app, ["software", "--json"])

    (found,) = [one for one in json.loads(said.stdout)["items"] if one["profile"] == "image"]
    assert found["behind"] == ["hub~ann~train"]


@pytest.mark.promise("SOFT-1", "OPS-4")
def test_who_is_affected_is_written_to_and_operators_are(lab: Any, released: Any) -> None:
    del released
    with lab.write() as writing:
        for name in ("ann", "bob"):
            people.set_email(writing, name, f"{name}@example.org")
        mails.note_read(writing, 0)
    nobody_answers = MailServer(host="127.0.0.1", port=9, sender="hub@example.org", security="none")
    writer = Mailing(lab.record, lambda: nobody_answers, link="", holder="here")

    writer._write(lab.now)

    with lab.record.reading() as reading:
        found = mails.due(reading, lab.later(minutes=1), 50)
    software = [one.notice for one in found if one.notice.kind == "software.released"]
    assert [(one.person, one.subject) for one in software] == [("ann", "image: version 2026.11")]
    assert "CUDA 13." in software[0].body
    assert "A server of yours runs an older version" in software[0].body
