"""What the settings say of homes, and what the control plane makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from allotment.api.environment import ServiceEnvironment
from allotment.api.home_places import keeping_steps
from allotment.model.homes import HomeEnd
from allotment.model.pod_settings import PodSettings
from allotment.model.refusals import SettingsInvalid
from allotment.record import homes, open_record, people
from allotment.settings import parse_settings
from allotment.work.live_use import LiveUse
from allotment.work.steps import Declared

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PODS = "kubernetes: {namespace: jupyter, image: some/notebook:1}\n"


@pytest.mark.promise("SERVER-10")
def test_the_control_plane_keeps_homes_as_long_as_the_settings_say(tmp_path: Path) -> None:
    settings = tmp_path / "allotment.yaml"
    settings.write_text("homes: {keep: 30d, warn: 7d, then: archive, archives: kept}\n")
    record = open_record(f"sqlite:///{tmp_path}/record.sqlite", migrate=True)
    with record.writing("operator", NOW) as writing:
        people.onboard(writing, ["ann"], None, "data-scientist")
    home = tmp_path / "homes" / "ann"
    home.mkdir(parents=True)
    (home / "notes.txt").write_text("mine")
    environment = ServiceEnvironment.read(
        {
            "JUPYTERHUB_API_TOKEN": "secret",
            "JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api",
            "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:2",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/allotment/",
            "ALLOTMENT_RECORD_URL": "unused",
            "ALLOTMENT_HOMES": str(home.parent),
        }
    )
    keeping, claimed = keeping_steps(environment, record, LiveUse(), Declared(settings, None))

    assert claimed.run(NOW) == ""
    for days in (0, 23, 30):
        keeping.run(NOW + timedelta(days=days))

    assert not home.exists()
    (file,) = (tmp_path / "kept").iterdir()
    assert file.name.startswith("ann-20260331-120000-")
    with record.reading() as reading:
        assert homes.all_homes(reading) == ()
    record.close()


@pytest.mark.promise("SERVER-10")
def test_left_out_homes_are_kept_for_ever() -> None:
    terms = parse_settings("").homes.terms
    assert (terms.keep, terms.then) == (None, HomeEnd.REMOVE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("homes: {then: archive}\n", "homes.then: needs homes.archives"),
        ("homes: {keep: 0m}\n", "homes.keep"),
        (
            "servers: {system_users: true}\nhomes: {keep: 30d}\n",
            "homes.keep: homes of system users belong to the machine's accounts",
        ),
        (PODS + "homes: {then: archive}\n", "homes.then: homes of pods are claims of storage"),
        (PODS + "homes: {archives: kept}\n", "homes.archives: homes of pods are claims of storage"),
        (PODS + "homes: {groups: shared}\n", "homes.groups: servers are pods: say in"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        parse_settings(text, "allotment.yaml")
    assert words in str(refused.value)


def test_pods_may_have_homes_that_are_removed() -> None:
    settings = parse_settings(PODS + "homes: {keep: 30d}\n")
    assert settings.homes.keep == timedelta(days=30)


@pytest.mark.parametrize("name", ["home", "groups", "console", "shared-memory"])
def test_no_profile_gives_a_volume_one_of_our_names(name: str) -> None:
    volume = {"name": name, "empty_dir": {}, "mount_path": "/scratch"}
    with pytest.raises(ValidationError, match="the platform's own"):
        PodSettings.model_validate({"volumes": [volume]})
