"""Pools and devices: chosen by their plots, moved, and refused with every reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from allotment.record import pools
from control_planes import Platform

OpenConsole = Callable[..., Any]
FREE = ("gpu-20", "gpu-21")


def devices_of(platform: Platform, pool: str) -> set[str]:
    return set(platform.client("operator").pools.get(pool).devices)


@pytest.mark.promise("POOL-3", "ADMIN-3")
def test_a_pool_is_made_of_the_plots_that_are_selected(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.choose("Devices by pool", *FREE)

    page.press("New pool of these…")
    page.sees("gpu-20 and gpu-21 leave pool default.")
    page.fill("Name", "reserve")
    page.press("Create pool")

    page.has_row("Pools", "reserve", held=[0, 2])
    assert devices_of(platform, "reserve") == set(FREE)


def test_plots_and_rows_are_chosen_together(open_console: OpenConsole) -> None:
    page = open_console(panel="pools")

    page.choose("Devices by pool", *FREE)

    page.until(lambda: set(page.grid("Devices").selected) == set(FREE))


@pytest.mark.promise("POOL-3")
def test_moving_says_who_uses_a_device_before_it_is_tried(open_console: OpenConsole) -> None:
    page = open_console(panel="pools")
    page.choose("Devices by pool", "gpu-05")

    page.press("Move to a pool…")

    page.sees("gpu-05 is in use by bob/segmentation: devices in use cannot be moved.")


@pytest.mark.promise("POOL-5")
def test_devices_move_to_another_pool_and_back_to_the_default_one(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.choose("Devices by pool", *FREE)
    page.press("Move to a pool…")
    page.fill("To pool", "a100")
    page.press("Move")
    page.has_row("Devices", "gpu-20", pool="a100")

    page.press("Move to a pool…")
    page.fill("To pool", "default")
    page.press("Move")
    page.has_row("Devices", "gpu-20", pool="default")

    assert set(FREE) <= devices_of(platform, "default")


@pytest.mark.promise("POOL-4")
def test_a_pool_of_two_models_is_refused_in_the_form(open_console: OpenConsole) -> None:
    page = open_console(panel="pools")
    page.choose("Devices by pool", "gpu-20", "gpu-44")
    page.press("New pool of these…")
    page.fill("Name", "mixed")

    page.press("Create pool")

    page.sees("A pool holds one model of device; &#x27;mixed&#x27; would hold 2")
    assert "Create pool" in page.buttons()


@pytest.mark.promise("POOL-5", "ADMIN-3")
def test_a_refused_deletion_shows_every_reason_and_names_the_servers(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.has_row("Devices", "gpu-47")
    page.select("Pools", "h100")
    page.act("Pools", "delete")

    page.press("Delete h100")

    page.sees("are held by mei/pretrain")
    page.sees("1 group has a share in it: nlp. Take the shares away first.")
    with platform.record.reading() as reading:
        assert pools.get(reading, "h100").name == "h100"


@pytest.mark.promise("POOL-5")
def test_the_devices_of_a_pool_are_exactly_those_that_are_selected(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    before = devices_of(platform, "l4")
    page.has_row("Devices", "gpu-47")
    page.select("Pools", "l4")
    page.act("Pools", "edit")
    page.until(lambda: set(page.plots("Devices by pool").selected) == before)

    page.choose("Devices by pool", *sorted(before - {"gpu-47"}))
    page.sees("gpu-47 goes to the default pool.")
    page.press("Save")

    page.has_row("Devices", "gpu-47", pool="default")
    assert devices_of(platform, "l4") == before - {"gpu-47"}


def test_the_default_pool_says_why_it_is_not_edited(open_console: OpenConsole) -> None:
    page = open_console(panel="pools")
    page.has_row("Devices", "gpu-47")
    page.select("Pools", "default")

    page.act("Pools", "edit")

    page.sees("The default pool holds every device that no other pool holds")
    page.until(lambda: page.button("Save", disabled=True))


@pytest.mark.promise("POOL-1", "POOL-6", "POOL-7")
def test_a_device_says_its_health_its_holder_its_use_and_how_it_is_isolated(
    open_console: OpenConsole,
) -> None:
    page = open_console(panel="pools")

    page.has_row(
        "Devices",
        "gpu-03",
        state="unhealthy",
        health="ECC: uncorrectable memory errors",
        holder="jonas · vad",
        isolation="cooperative",
        use=0,
    )


def test_a_pool_changed_by_somebody_else_meanwhile_is_not_overwritten(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.has_row("Devices", "gpu-47")
    page.select("Pools", "l4")
    page.act("Pools", "edit")
    page.until(lambda: "Save" in page.buttons())
    client = platform.client("operator")
    pool = client.pools.get("l4")
    client.pools.edit("l4", [*pool.devices[:-1]], revision=pool.revision)

    page.press("Save")

    page.sees("Somebody changed this meanwhile, so nothing was changed.")


@pytest.mark.promise("QUEUE-8", "ADMIN-3")
def test_devices_are_reserved_for_a_group_and_the_reservation_is_cancelled(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.act("Reservations", "reserve")
    page.fill("Pool", "a100")
    page.fill("Devices", 2)
    page.fill("For group", "vision")
    page.fill("From (UTC)", "2036-12-01 09:00")
    page.fill("To (UTC)", "2036-12-01 13:00")
    page.sees("2 devices of pool a100 are kept for group vision in that time")
    page.press("Reserve")
    page.sees("2 devices of pool a100 are kept for group vision.")

    (made,) = platform.client("operator").reservations.all().items
    page.has_row("Reservations", made.id, begins="2036-12-01 09:00", holder="group vision")
    page.select("Reservations", made.id)
    page.act("Reservations", "cancel")
    page.press("Cancel the reservation")

    page.until(lambda: platform.client("operator").reservations.all().items == ())


def test_a_time_that_is_none_is_refused_in_the_form(open_console: OpenConsole) -> None:
    page = open_console(panel="pools")
    page.act("Reservations", "reserve")
    page.fill("For group", "vision")
    page.fill("From (UTC)", "tomorrow")

    page.press("Reserve")

    page.sees("is no time.")


@pytest.mark.promise("GROUP-5", "QUEUE-4")
def test_how_a_pool_is_shared_is_saved_once_it_is_known_what_that_does(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.has_row("Devices", "gpu-47")
    page.select("Pools", "l4")
    page.act("Pools", "sharing")
    page.fill("From the notice to the stop", "soon")
    page.until(lambda: page.button("Save", disabled=True), "Save cannot be pressed")
    page.fill("From the notice to the stop", "7m")
    page.fill("Lend what groups do not use", True)
    page.press("Save")

    page.sees("Pool l4: Low-priority servers borrow what other groups do not use.")
    assert platform.client("operator").pools.get("l4").policy.sharing


@pytest.mark.promise("CLUSTER-3", "ADMIN-3")
def test_selected_devices_are_taken_out_of_use_once_it_is_known_what_that_does_and_given_back(
    open_console: OpenConsole, platform: Platform
) -> None:
    page = open_console(panel="pools")
    page.has_row("Devices", "gpu-47")
    held = next(one for one in platform.client("operator").devices.all().items if one.holder)
    assert held.holder is not None
    page.select("Devices", held.id)
    page.act("Out of use", "take")
    page.sees("Choose what, and write why.")
    page.fill("Why (its users read this)", "New power supply")
    page.fill("Stop its servers at (UTC)", "2036-12-01 09:00")
    page.sees("Users of 1 server there are told now; what still runs then is stopped.")
    page.sees(f"{held.holder.person}/{held.holder.name}")
    page.press("Take out of use")
    page.sees(f"{held.id.capitalize()} is out of use.")

    (made,) = platform.client("operator").cordons.all().items
    assert (made.names, made.reason) == ((held.id,), "New power supply")
    page.has_row("Out of use", made.id, begins="now", drains="2036-12-01 09:00", servers=1)
    page.select("Out of use", made.id)
    page.act("Out of use", "back")
    page.press("Give back")

    page.until(lambda: platform.client("operator").cordons.all().items == ())


@pytest.mark.promise("CLUSTER-3")
def test_a_node_that_is_out_of_use_is_shown_so(
    open_console: OpenConsole, platform: Platform
) -> None:
    client = platform.client("operator")
    free = next(one for one in client.devices.all().items if one.state == "free")
    client.cordons.create("node", [free.node], "Dust in its fans")

    page = open_console(panel="pools")

    page.has_row("Devices", free.id, state="cordoned", health="Dust in its fans")
