"""Instance types: limits and use, changed, disabled, revoked and deleted; the quotas of the account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.model.documents import InstanceTypeListing
from allotment.model.refusals import NotFound
from allotment.record import allotments, instance_types
from allotment_widgets.type_rows import quota_row, reading_html, warnings_html
from control_planes import Platform
from example_cloud import add_cloud

OpenConsole = Callable[..., Any]
TYPES = "Instance types"


@pytest.fixture
def cloud(platform: Platform) -> Platform:
    """The example platform with machines of a cloud."""
    add_cloud(platform.record, datetime.now(UTC))
    return platform


@pytest.mark.promise("TYPE-1", "TYPE-3")
@pytest.mark.usefixtures("cloud")
def test_the_panel_shows_use_against_limits_and_what_is_near_them(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="instance-types")
    page.has_row(TYPES, "g5.xlarge", state="near", used=[4, 5], price=1.258)
    page.has_row(TYPES, "g6.12xlarge", state="full", used=[1, 1])
    page.has_row(TYPES, "g4dn.xlarge", state="disabled")
    page.has_row(TYPES, "m7i.2xlarge", state="enabled", used=[1, None])
    page.has_row("Quotas", "L-DB2E81BA", used=[92, 128], held=64, state="well")
    page.has_row("Quotas", "L-0263D0A3", used=[9, 10], held=6, state="near")
    page.sees("1 of 1 instances of g6.12xlarge are taken (typed in): profiles of this type are not")
    page.sees("EC2-VPC Elastic IPs: the account uses 9 of 10 addresses in eu-central-1.")
    page.sees("Profile cloud-h100 names the instance type p5.48xlarge, which this platform does")


@pytest.mark.promise("PROFILE-5")
def test_the_selected_type_says_who_holds_it_and_revoking_stops_them(
    open_console: OpenConsole, cloud: Platform
) -> None:
    page = open_console(panel="instance-types")
    page.select(TYPES, "g6.12xlarge")
    page.sees("<li>kim/cloud-1</li>")
    page.act(TYPES, "revoke")
    page.until(lambda: page.button("Revoke g6.12xlarge", disabled=True))
    page.fill("Why? Their users read it.", "Too dear")
    page.press("Revoke g6.12xlarge")
    page.has_row(TYPES, "g6.12xlarge", state="disabled")
    with cloud.record.reading() as reading:
        kim = allotments.latest(reading, "hub", "kim", "cloud-1")
        assert kim is not None
        assert kim.stop_reason == "Too dear"


@pytest.mark.promise("PROFILE-5")
@pytest.mark.usefixtures("cloud")
def test_disabling_says_who_keeps_it_and_enabling_offers_it_again(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="instance-types")
    page.select(TYPES, "m7i.2xlarge")
    page.act(TYPES, "disable")
    page.sees("cloud-cores vanishes from the launch page")
    page.sees("jonas/cloud-1")
    page.press("Disable")
    page.has_row(TYPES, "m7i.2xlarge", state="disabled")
    page.act(TYPES, "enable")
    page.press("Enable")
    page.has_row(TYPES, "m7i.2xlarge", state="enabled")


@pytest.mark.promise("TYPE-1")
def test_lowering_a_limit_says_who_is_over_it_and_only_what_is_changed_is_sent(
    open_console: OpenConsole, cloud: Platform
) -> None:
    page = open_console(panel="instance-types")
    page.select(TYPES, "g5.xlarge")
    page.act(TYPES, "change")
    page.fill("Instances at most", "2.5")
    page.sees("is no whole number. Write a number, or nothing.")
    page.fill("Instances at most", "2")
    page.sees("4 instances are taken")
    page.press("Save")
    page.has_row(TYPES, "g5.xlarge", state="full", used=[4, 2])
    with cloud.record.reading() as reading:
        found = instance_types.get(reading, "g5.xlarge")
    assert (found.most, found.title, str(found.price)) == (2, "One A10G, 24 GB", "1.258000")


def test_a_type_is_added_and_deleted(open_console: OpenConsole, cloud: Platform) -> None:
    page = open_console(panel="instance-types")
    page.has_row(TYPES, "g5.xlarge")
    page.act(TYPES, "add")
    page.until(lambda: page.button("Add", disabled=True))
    page.fill("Name", "p5.48xlarge")
    page.fill("Price per hour", "55.04")
    page.fill("Instances at most", "1")
    page.press("Add")
    page.has_row(TYPES, "p5.48xlarge", used=[0, 1])
    page.select(TYPES, "p5.48xlarge")
    page.act(TYPES, "delete")
    page.sees("It cannot be deleted now: cloud-h100 would name nothing.")
    page.select(TYPES, "p4d.24xlarge")
    page.act(TYPES, "delete")
    page.press("Delete")
    page.sees("p4d.24xlarge was deleted.")
    with cloud.record.reading() as reading, pytest.raises(NotFound):
        instance_types.get(reading, "p4d.24xlarge")


def test_without_types_the_panel_says_so_and_shows_no_account(open_console: OpenConsole) -> None:
    page = open_console(panel="instance-types")
    page.until(lambda: page.console._picture.types is not None)
    assert page.rows(TYPES) == {}
    assert page.button("Read now") is None or "Quotas" not in page.text()


@pytest.mark.promise("USER-7")
@pytest.mark.usefixtures("cloud")
def test_a_reader_sees_everything_and_is_offered_no_change(open_console: OpenConsole) -> None:
    page = open_console("auditor", panel="instance-types")
    page.has_row(TYPES, "g5.xlarge")
    offered = page.buttons()
    assert not {"Add…", "Change…", "Disable…", "Revoke…", "Delete…"} & set(offered)


@pytest.mark.promise("TYPE-2")
@pytest.mark.usefixtures("cloud")
def test_the_profiles_panel_says_which_profile_has_no_instance_left(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="profiles")
    page.has_row("Profiles", "cloud-l4", state="unavailable")
    page.has_row("Profiles", "cloud-cores", state="offered", price=0.483)


def test_what_is_away_is_said_once_and_names_are_not_markup() -> None:
    quota = {
        "code": "L-DB2E81BA",
        "region": "eu-central-1",
        "title": "<b>G</b>",
        "unit": "vCPU",
        "value": 8,
        "used": 1,
        "tried_at": "2026-03-01T12:00:00Z",
        "problem": "no answer",
        "warning": "<b>G</b> could not be read: no answer.",
    }
    listing = InstanceTypeListing.model_validate(
        {"items": [], "quotas": [quota, quota], "sequence": 1, "warnings": []}
    )
    said = warnings_html(listing)
    assert said.count("could not be read") == 1
    assert "<b>G" not in said
    assert quota_row(listing.quotas[0])["state"] == "away"
    assert "as it was read last" in reading_html(listing)
