"""The platform with the shipped settings and roles, from its start to a server with a device and its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from cluster import Cluster, cluster
from database_servers import DatabaseServer
from hubs import until
from installed_platforms import FILES, NAMESPACE, Installed, installed

API = "/services/allotment/api/v1"


@pytest.fixture(scope="module")
def platform(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: DatabaseServer
) -> Iterator[Installed]:
    """Hub and control plane over a cluster with one node of two devices."""
    folder = tmp_path_factory.mktemp("installed")
    with cluster(folder / "cluster") as running:
        labels = {"nvidia.com/gpu.product": "NVIDIA-A100", "nvidia.com/gpu.memory": "81920"}
        running.add_node("dgx-1", resources={"nvidia.com/gpu": 2}, labels=labels, memory="64Gi")
        with installed(folder / "platform", running, postgresql_server.new_database()) as made:
            yield made


@pytest.fixture
def database(postgresql_server: DatabaseServer) -> DatabaseServer:
    """Another database, with nothing in it."""
    return postgresql_server.new_database()


@pytest.fixture
def operator(platform: Installed) -> Iterator[httpx.Client]:
    with closing(platform.signed_in("operator")) as browser:
        yield browser


def launch(browser: httpx.Client, name: str, profile: str) -> None:
    form = {"_xsrf": browser.cookies["_xsrf"], "name": name, "profile": profile}
    answer = browser.post("/spawn", data=form)
    assert answer.is_redirect, answer.text


def server(browser: httpx.Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = browser.get("/api/users/operator").json()["servers"].get(name, {})
    return found


def pods(running: Cluster) -> list[Any]:
    return running.pods(NAMESPACE)


def may(account: str) -> set[tuple[str, str, str]]:
    """What the shipped roles let an account do: verb, group, resource."""
    documents = list(YAML(typ="safe").load_all((FILES / "rbac.yaml").read_text()))
    bound = {
        one["roleRef"]["name"]
        for one in documents
        for subject in one.get("subjects", [])
        if subject["name"] == account
    }
    return {
        (verb, group, resource)
        for one in documents
        if one["metadata"]["name"] in bound
        for rule in one.get("rules", [])
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


@pytest.mark.promise("POOL-1", "SERVER-7")
def test_a_server_starts_in_a_pod_with_a_device_and_its_end_frees_it(
    platform: Installed, operator: httpx.Client
) -> None:
    launch(operator, "Training", "one-gpu")
    until(lambda: server(operator, "training").get("ready"), "the server", 60)

    (pod,) = pods(platform.cluster)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert pod["spec"]["priorityClassName"] == "allotment-dedicated"
    assert pod["metadata"]["labels"]["hub.jupyter.org/network-access-hub"] == "true"
    assert pod["metadata"]["labels"]["app.kubernetes.io/component"] == "singleuser-server"
    told = {one["name"]: one.get("value") for one in container["env"]}
    assert str(told["ALLOTMENT_API_URL"]).endswith(API)
    # A server at its owner's host name, where the tests' server asks nobody who they are; never at the platform's.
    path = "/user/operator/training/"
    assert platform.get(path, of="operator").json() == {"version": "tiny"}
    assert not platform.get(path).is_success

    given = operator.post("/allotment/kubeconfig", headers=from_page(operator))
    assert given.raise_for_status().json()["pods"] == [pod["metadata"]["name"]]

    stopped = operator.delete("/api/users/operator/servers/training", headers=from_page(operator))
    assert stopped.status_code in {202, 204}
    until(lambda: not pods(platform.cluster), "the pod to go", 60)


def from_page(browser: httpx.Client) -> dict[str, str]:
    return {"X-XSRFToken": browser.cookies["_xsrf"], "Sec-Fetch-Site": "same-origin"}


@pytest.mark.promise("USER-7", "SERVER-6")
def test_a_kubeconfig_is_for_who_has_a_pod_and_asks_from_the_page(
    platform: Installed, operator: httpx.Client
) -> None:
    assert operator.post("/allotment/kubeconfig", headers=from_page(operator)).status_code == 409
    assert operator.post("/allotment/kubeconfig").status_code == 403
    assert platform.browser().post("/hub/allotment/kubeconfig").status_code == 403


def test_what_the_chart_has_said_stays_but_what_the_settings_say(
    platform: Installed, operator: httpx.Client
) -> None:
    assert operator.get("/api/user").json()["admin"] is False
    ready = platform.get(f"{API}/ready").json()
    assert (ready["status"], ready["record"], ready["hub"]) == ("ready", "ok", "ok")


def test_a_browser_that_signed_in_to_the_hub_is_known_to_the_control_plane(
    platform: Installed, operator: httpx.Client
) -> None:
    with platform.browser() as browser:
        browser.cookies = operator.cookies
        me = f"{API}/me"
        assert browser.get(me).status_code == 401
        entered = browser.get(f"/services/allotment/login?next={me}", follow_redirects=True)

    seen = entered.raise_for_status().json()
    assert (seen["person"], seen["reach"]) == ("operator", "read-own")


@pytest.mark.promise("USER-7")
def test_hub_and_control_plane_ask_the_cluster_for_nothing_that_their_roles_lack(
    platform: Installed, operator: httpx.Client
) -> None:
    launch(operator, "Reading", "minimal")
    until(lambda: server(operator, "reading").get("ready"), "the server", 60)
    operator.delete("/api/users/operator/servers/reading", headers=from_page(operator))
    until(lambda: not pods(platform.cluster), "the pod to go", 60)

    plane = platform.cluster.calls_of("allotment", NAMESPACE)
    hub = platform.cluster.calls_of("hub", NAMESPACE)
    assert plane <= may("allotment")
    assert {("list", "", "nodes"), ("watch", "", "nodes"), ("list", "", "pods")} <= plane
    kubeconfigs = {one for one in hub if one[2].startswith(("role", "serviceaccounts"))}
    assert hub - kubeconfigs <= may("hub")
    assert {("create", "", "pods"), ("delete", "", "pods"), ("watch", "", "pods")} <= hub


PAGE = Path(__file__).parents[2] / "docs" / "kubernetes.md"


def commands_in_pods() -> set[str]:
    """What the page says to run in pods."""
    found = re.findall(r"(?m)^kubectl .* exec \S+ -- (allotment .*)$", PAGE.read_text())
    return {line.strip() for line in found}


@pytest.mark.promise("OPS-5")
def test_what_the_page_says_to_run_in_pods_works_there(
    platform: Installed, database: DatabaseServer, tmp_path: Path
) -> None:
    assert commands_in_pods() == {
        "allotment password operator",
        "allotment doctor",
        "allotment backup /tmp/record.gz",
        "allotment restore /tmp/record.gz",
    }
    file = str(tmp_path / "record.gz")

    examined = platform.run("allotment", "doctor", STATE=str(tmp_path))
    assert " 0 failed" in examined, examined
    assert "read back" in platform.run("allotment", "backup", file, STATE=str(tmp_path))
    settings = platform.settings_with(database)
    restored = platform.run("allotment", "restore", file, ALLOTMENT_SETTINGS=str(settings))
    assert "restored, and found as they were" in restored
