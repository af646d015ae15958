"""A launch is admitted before anything runs, and gives its devices back when all of it is gone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from allotment.model.limits import LimitKind, LimitScope
from allotment.record import Writing, limits, servers
from hubs import HubUnderTest, alive, until

SILENT = [sys.executable, "-c", "import time; time.sleep(600)"]


def lift_device_limit(writing: Writing) -> None:
    limits.put(writing, LimitScope.PLATFORM, "", LimitKind.DEVICES, 8)


@pytest.mark.promise("LIMIT-3")
def test_a_launch_holds_a_device_until_its_server_is_stopped(hub: HubUnderTest) -> None:
    answer = hub.launch("ada", profile="gpu")

    assert answer.status_code in {201, 202}, answer.text
    hub.ready("ada")
    (held,) = hub.held("ada")
    assert (held.state, held.group, held.pool) == ("running", "vision", "a100")
    hub.stop("ada")
    assert hub.held("ada") == ()
    assert hub.latest("ada").stop_reason == "It was stopped."
    hub.assert_sound()


@pytest.mark.promise("LIMIT-2")
def test_forty_parallel_launches_against_a_limit_of_three_give_exactly_three_servers(
    hub: HubUnderTest,
) -> None:
    hub.change(lift_device_limit)
    hub.token("ada")
    with ThreadPoolExecutor(40) as callers:
        answers = list(callers.map(lambda n: hub.launch("ada", f"s{n}", profile="gpu"), range(40)))
    hub.settle("ada")

    assert {answer.status_code for answer in answers} <= {201, 202, 403}
    assert len(hub.held("ada")) == 3
    assert len(hub.refusals("ada")) == 37
    assert len({one.allotment for one in hub.marked()}) == 3
    assert len({device.id for one in hub.held() for device in one.devices}) == 3
    hub.assert_sound()


@pytest.mark.promise("LIMIT-2")
def test_parallel_launches_by_form_and_by_rest_share_one_limit(hub: HubUnderTest) -> None:
    hub.change(lift_device_limit)
    pages = [hub.signed_in("ada") for _ in range(4)]
    hub.token("ada")

    def launch(number: int) -> object:
        if number % 2:
            return hub.launch("ada", f"r{number}", profile="small")
        return hub.submit(pages[number // 2], "ada", f"f{number}", profile="small")

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(launch, range(8)))
    hub.settle("ada")

    assert len(hub.held("ada")) == 3
    assert len(hub.refusals("ada")) == 5


def test_a_server_knows_its_allotment_its_devices_and_its_limits(hub: HubUnderTest) -> None:
    hub.launch("ada", "work", profile="gpu")
    hub.ready("ada", "work")

    told = hub.ask_server("ada", "work", "env")

    (held,) = hub.held("ada")
    assert told["ALLOTMENT_ID"] == held.id
    assert told["ALLOTMENT_DEVICES"] == held.devices[0].id
    assert told["CUDA_VISIBLE_DEVICES"] == held.devices[0].uuid
    assert told["ALLOTMENT_PROFILE"] == "gpu"
    assert told["ALLOTMENT_GROUP"] == "vision"
    assert told["ALLOTMENT_HUB"] == "hub"
    assert told["ALLOTMENT_API_URL"].endswith("/services/allotment/api/v1")
    assert told["MEM_LIMIT"] == str(16 * 2**30)
    assert float(told["CPU_LIMIT"]) == 4
    assert told["OMP_NUM_THREADS"] == "4"
    assert told["HF_HOME"] == "/models"
    assert not [name for name in told if name in {"ALLOTMENT_STATE", "ALLOTMENT_RECORD_URL"}]


def test_a_server_without_devices_sees_none(hub: HubUnderTest) -> None:
    hub.launch("cy", profile="small")
    hub.ready("cy")

    told = hub.ask_server("cy", "", "env")

    assert told["CUDA_VISIBLE_DEVICES"] == ""
    assert told["ALLOTMENT_GROUP"] == ""


def test_the_record_knows_the_servers_process_and_its_token(hub: HubUnderTest) -> None:
    hub.launch("ada", profile="small")
    hub.ready("ada")

    (held,) = hub.held("ada")
    (running,) = hub.marked()
    assert held.process is not None
    assert held.process.pid == running.process.pid
    assert abs(held.process.started - running.process.started) < 0.1
    assert hub.of_token(running.token_hash) == held


@pytest.mark.promise("LIMIT-3")
def test_a_process_that_detached_itself_is_ended_before_the_device_is_free(
    hub: HubUnderTest,
) -> None:
    hub.launch("ada", profile="gpu")
    hub.ready("ada")
    detached = hub.ask_server("ada", "", "detach")
    assert alive(detached)

    hub.stop("ada")

    assert not alive(detached)
    assert hub.held() == ()


@pytest.mark.promise("LIMIT-3")
def test_a_server_that_obeys_no_signal_is_killed_and_then_gives_its_device_back(
    new_hub: Callable[..., HubUnderTest],
) -> None:
    hub = new_hub(
        extra="c.Spawner.environment['TINY_IGNORES'] = 'SIGINT,SIGTERM'\n"
        "c.LocalProcessSpawner.interrupt_timeout = c.LocalProcessSpawner.term_timeout = 1"
    )
    hub.launch("ada", profile="gpu")
    hub.ready("ada")

    hub.stop("ada")

    assert hub.marked() == []
    assert hub.held() == ()


@pytest.mark.promise("LIMIT-3")
def test_a_server_that_dies_by_itself_gives_its_device_back_with_what_it_left_running(
    hub: HubUnderTest,
) -> None:
    hub.launch("ada", profile="gpu")
    hub.ready("ada")
    detached = hub.ask_server("ada", "", "detach")
    (server,) = (one for one in hub.marked() if one.process.pid != detached)

    psutil.Process(server.process.pid).kill()

    until(lambda: not hub.held(), "the device to be free")
    assert not alive(detached)
    assert hub.latest("ada").stop_reason.startswith("It ended by itself")


def test_a_server_that_does_not_start_holds_nothing(new_hub: Callable[..., HubUnderTest]) -> None:
    hub = new_hub(command=["/no/such/program"])

    answer = hub.launch("ada", profile="gpu")

    assert answer.status_code == 500
    assert "could not be started (No such file or directory" in answer.json()["message"]
    assert hub.held() == ()
    assert hub.latest("ada").stop_reason.startswith("It did not start")
    hub.assert_sound()


def test_a_server_that_never_answers_is_ended_and_holds_nothing(
    new_hub: Callable[..., HubUnderTest],
) -> None:
    hub = new_hub(command=SILENT, extra="c.Spawner.http_timeout = 1")

    hub.launch("ada", profile="gpu")

    until(lambda: not hub.held(), "the device to be free")
    assert hub.marked() == []
    assert hub.latest("ada").stop_reason == "It did not answer in time."
    hub.assert_sound()


def test_a_launch_that_is_cancelled_holds_nothing(new_hub: Callable[..., HubUnderTest]) -> None:
    hub = new_hub(command=SILENT, extra="c.JupyterHub.tornado_settings = {'slow_spawn_timeout': 0}")
    assert hub.launch("ada", profile="gpu").status_code == 202
    until(hub.marked, "the process")

    hub.stop("ada")

    until(lambda: not hub.held(), "the device to be free")
    assert hub.marked() == []


@pytest.mark.promise("SERVER-3")
def test_a_deleted_server_is_forgotten_and_counts_no_more(hub: HubUnderTest) -> None:
    hub.launch("ada", "work", profile="gpu")
    hub.ready("ada", "work")

    hub.stop("ada", "work", remove=True)

    def existing() -> tuple[servers.Server, ...]:
        with hub.record.reading() as reading:
            return servers.all_servers(reading, person="ada")

    until(lambda: not existing(), "the server to be forgotten")
    assert hub.held() == ()


def test_a_start_with_an_empty_body_uses_the_options_of_the_last_one(hub: HubUnderTest) -> None:
    hub.launch("ada", profile="gpu", group="vision", note="for the paper")
    hub.ready("ada")
    hub.stop("ada")

    answer = hub.launch("ada")

    assert answer.status_code in {201, 202}, answer.text
    assert hub.held("ada")[0].profile == "gpu"


def test_a_renamed_server_is_the_same_server(hub: HubUnderTest) -> None:
    hub.launch("ada", "work", profile="small")
    hub.ready("ada", "work")
    hub.stop("ada", "work")

    answer = hub.api("PATCH", "/users/ada/servers/work", {"name": "play"}, token=hub.token("ada"))

    assert answer.status_code == 200, answer.text
    with hub.record.reading() as reading:
        assert [one.name for one in servers.all_servers(reading, person="ada")] == ["play"]


@pytest.mark.promise("SERVER-7")
def test_a_hub_that_was_killed_finds_its_server_and_its_allotment_again(hub: HubUnderTest) -> None:
    hub.launch("ada", profile="gpu")
    hub.ready("ada")
    (before,) = hub.held("ada")
    address = hub.address_of("ada", "")

    hub.kill()
    assert httpx.get(f"{address}api").status_code == 200
    hub.start()

    hub.ready("ada")
    assert hub.reconcile().words == ""
    assert hub.held("ada") == (before,)
    hub.stop("ada")
    assert (hub.held("ada"), hub.marked()) == ((), [])


@pytest.mark.promise("SERVER-7")
def test_a_server_that_died_while_the_hub_was_away_has_given_its_device_back(
    hub: HubUnderTest,
) -> None:
    hub.launch("ada", profile="gpu")
    hub.ready("ada")
    detached = hub.ask_server("ada", "", "detach")
    (server,) = (one for one in hub.marked() if one.process.pid != detached)

    hub.kill()
    psutil.Process(server.process.pid).kill()
    hub.start()

    until(lambda: not hub.held(), "the device to be free")
    assert not alive(detached)
