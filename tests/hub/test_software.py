"""Software on one machine: a server runs in the Python environment that its user chose."""

from __future__ import annotations

import sys
import venv
from pathlib import Path
from typing import Any

import psutil
import pytest

from allotment.model.profiles import Profile
from allotment.record import Writing, profiles
from hubs import HubUnderTest


def offer(hub: HubUnderTest, name: str, *software: dict[str, Any]) -> None:
    """Publish a size with a choice of software."""
    profile = Profile.model_validate({"name": name, "title": name, "software": software})

    def publish(writing: Writing) -> None:
        profiles.publish(writing, profile, "tests", name)

    hub.change(publish)


def environment(hub: HubUnderTest, name: str) -> Path:
    """A Python environment in the folder that the hub allows."""
    folder = hub.folder / "environments" / name
    if not folder.exists():
        venv.create(folder, with_pip=False, symlinks=True)
    return folder


def runs(hub: HubUnderTest, person: str) -> str:
    """The program of a person's server."""
    process = hub.latest(person).process
    assert process is not None
    return psutil.Process(process.pid).cmdline()[0]


@pytest.mark.promise("PROFILE-4")
def test_a_server_runs_in_the_environment_that_was_chosen(hub: HubUnderTest) -> None:
    folder = environment(hub, "newest")
    offer(
        hub,
        "choosing",
        {"name": "usual", "title": "Usual"},
        {
            "name": "newest",
            "title": "Newest",
            "python_environment": str(folder),
            "environment": {"CHANNEL": "newest"},
        },
    )

    hub.launch("ada", profile="choosing", software="newest")
    hub.ready("ada")

    told = hub.environment_of("ada", "")
    assert runs(hub, "ada") == str(folder / "bin" / Path(sys.executable).name)
    assert told["VIRTUAL_ENV"] == str(folder)
    assert told["PATH"].split(":")[0] == str(folder / "bin")
    assert (told["CHANNEL"], told["ALLOTMENT_SOFTWARE"]) == ("newest", "newest")


@pytest.mark.promise("PROFILE-4")
def test_the_next_start_without_a_choice_runs_what_is_proposed(hub: HubUnderTest) -> None:
    folder = environment(hub, "newest")
    offer(
        hub,
        "choosing",
        {"name": "usual", "title": "Usual"},
        {"name": "newest", "title": "Newest", "python_environment": str(folder)},
    )
    hub.launch("ada", profile="choosing", software="newest")
    hub.ready("ada")
    hub.stop("ada")

    hub.launch("ada", profile="choosing")
    hub.ready("ada")

    assert runs(hub, "ada") == sys.executable
    assert hub.environment_of("ada", "")["ALLOTMENT_SOFTWARE"] == "usual"


@pytest.mark.promise("PROFILE-4")
@pytest.mark.parametrize(
    ("place", "why"),
    [("environments/empty", "has no program"), ("elsewhere", "is not below a folder")],
)
def test_an_environment_that_cannot_be_used_is_refused_and_nothing_is_held(
    hub: HubUnderTest, place: str, why: str
) -> None:
    folder = hub.folder / place
    folder.mkdir(parents=True, exist_ok=True)
    offer(hub, "broken", {"name": "one", "title": "One", "python_environment": str(folder)})

    answer = hub.launch("ada", profile="broken")

    assert answer.status_code == 409
    assert why in answer.text
    hub.settle("ada")
    assert hub.held("ada") == ()


@pytest.mark.promise("PROFILE-4")
def test_a_link_that_leads_out_of_the_allowed_folder_is_not_followed(hub: HubUnderTest) -> None:
    outside = hub.folder / "outside"
    outside.mkdir(exist_ok=True)
    link = hub.folder / "environments" / "link"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside)
    offer(hub, "linked", {"name": "one", "title": "One", "python_environment": str(link)})

    answer = hub.launch("ada", profile="linked")

    assert answer.status_code == 409
    assert str(outside) in answer.text
