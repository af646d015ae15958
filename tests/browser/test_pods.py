"""Servers as pods, as a person has them in a browser: JupyterLab in a pod, what it waits for, its update, its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from allotment.model.allotments import Allotment
from cluster import cluster
from hubs import until
from page_hubs import launch
from pod_page_hubs import GPU, NAMESPACE, NEWER, SIZES, TINY, PodPageHub

pytestmark = pytest.mark.needs("chromium")

Open = Callable[..., Page]
Check = Callable[..., None]
STARTED = 90_000
"""Milliseconds within which JupyterLab is there, on a busy machine with two cores."""

MORE_NEEDED = "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor l40s, 1 more needed"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodPageHub]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        made = PodPageHub(tmp_path_factory.mktemp("pods") / "hub", running)
        try:
            yield made.start()
        finally:
            made.stop()


def launched(page: Page, hub: PodPageHub, name: str, size: str) -> None:
    page.goto(f"{hub.url}/hub/spawn")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("radio", name=re.compile(size)).check()
    page.get_by_role("button", name=re.compile("^Launch")).click()


def running(hub: PodPageHub, person: str) -> Allotment:
    (found,) = until(lambda: [one for one in hub.held(person) if one.running_at], "the server", 60)
    return found


def stop(hub: PodPageHub, person: str) -> None:
    """Stop somebody's only server, as its owner does."""
    (held,) = hub.held(person)
    browser = hub.signed_in(person)
    headers = {"X-XSRFToken": browser.cookies["_xsrf"], "Sec-Fetch-Site": "same-origin"}
    browser.delete(f"/api/users/{person}/servers/{held.server}", headers=headers).raise_for_status()
    browser.close()
    until(lambda: not hub.held(person), "the server to be gone")


@pytest.mark.promise("SERVER-1", "SERVER-2", "MONEY-1")
def test_a_person_works_in_jupyterlab_in_a_pod_sees_its_cost_and_stops_it(
    hub: PodPageHub, signed_in: Open
) -> None:
    page = signed_in("ada")
    launched(page, hub, "Training", "JupyterLab")
    page.wait_for_url(re.compile("/user/ada/[^/]*/lab"), timeout=STARTED)
    page.locator(".jp-LauncherCard", has_text="Python 3").first.click(timeout=STARTED)
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=STARTED)
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.fill("import os; print('mine:', os.environ['ALLOTMENT_DEVICES'])")
    cell.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output", has_text="mine:")
    expect(output.first).to_contain_text("mine: dgx-1-gpu-", timeout=STARTED)
    assert [one["spec"]["nodeName"] for one in hub.cluster.pods(NAMESPACE)] == ["dgx-1"]

    page.goto(f"{hub.url}/hub/home")
    row = page.get_by_role("row", name=re.compile("Training"))
    expect(row).to_contain_text("Running")
    expect(row).to_contain_text(re.compile(r"[1-9][0-9.,]* so far"))
    row.get_by_role("button", name=re.compile("^Stop")).click()
    expect(row).to_contain_text("Stopped")
    until(lambda: not hub.held("ada"), "the device to be free")
    assert hub.cluster.pods(NAMESPACE) == []


@pytest.mark.promise("SERVER-1")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_a_pod_without_a_node_says_so_in_the_schedulers_words_and_starts_when_there_is_one(
    hub: PodPageHub, signed_in: Open, accessible: Check, scheme: str, width: int
) -> None:
    hub.cluster.add_pod(f"other-{scheme}", resources={GPU: 4})
    page = signed_in("ben", scheme=scheme, width=width)
    launched(page, hub, f"Fit {scheme}", "One GPU")

    expect(page.get_by_role("heading", name=re.compile("is starting"))).to_be_visible()
    message = page.locator("#progress-message")
    expect(message).to_contain_text("0/2 nodes are available")
    expect(message).to_contain_text("Insufficient nvidia.com/gpu")
    accessible(page)

    hub.cluster.delete_pod(f"other-{scheme}", grace=0)
    page.wait_for_url(re.compile("/user/ben/"), timeout=STARTED)
    assert hub.held("ben")[0].running_at
    stop(hub, "ben")


@pytest.mark.promise("SOFT-2")
def test_a_reset_to_update_is_another_pod_with_the_new_image_and_the_same_home(
    hub: PodPageHub, signed_in: Open
) -> None:
    hub.publish("small", f"{SIZES['small']}version: '1'\nimage: {TINY}\n")
    browser = hub.signed_in("ada")
    launch(browser, name="Notes", profile="small")
    browser.close()
    before = running(hub, "ada")
    (first,) = hub.cluster.pods(NAMESPACE)
    hub.publish("small", f"{SIZES['small']}version: '2'\nimage: {NEWER}\n")

    page = signed_in("ada")
    row = page.get_by_role("row", name=re.compile("Notes"))
    row.get_by_role("button", name=re.compile("Reset to update")).click()
    page.get_by_role("dialog").get_by_role("button", name="Reset to update").click()

    page.wait_for_url(re.compile("/user/|/spawn-pending/"))
    until(lambda: before.id not in {one.id for one in hub.held("ada")}, "the first to end")
    running(hub, "ada")
    (second,) = hub.cluster.pods(NAMESPACE)
    assert [one["spec"]["containers"][0]["image"] for one in (first, second)] == [TINY, NEWER]
    homes = [one["spec"]["volumes"][0]["persistentVolumeClaim"] for one in (first, second)]
    assert homes[0] == homes[1]
    stop(hub, "ada")


@pytest.mark.promise("POOL-7")
def test_a_time_slice_of_a_node_says_on_the_launch_page_that_its_memory_is_shared(
    signed_in: Open,
) -> None:
    page = signed_in("lee", "/hub/spawn")
    shared = page.locator(".card", has_text="One GPU")
    whole = signed_in("ben", "/hub/spawn").locator(".card", has_text="One GPU")

    expect(shared).to_contain_text("NVIDIA-L40S-SHARED")
    expect(shared).to_contain_text("Time slice")
    expect(page.get_by_text("Time slice: memory is shared with others.")).to_be_visible()
    expect(whole).to_contain_text("NVIDIA-A100-SXM4-80GB")
    expect(whole).not_to_contain_text("Time slice")


@pytest.mark.promise("QUEUE-1", "SERVER-2")
def test_a_pod_that_waits_for_kueue_says_so_with_kueues_words_and_runs_when_it_is_admitted(
    hub: PodPageHub, signed_in: Open, accessible: Check
) -> None:
    page = signed_in("kim")
    launched(page, hub, "Turn", "One GPU")
    (pod,) = until(lambda: hub.cluster.pods(NAMESPACE), "the pod")
    name = pod["metadata"]["name"]
    message = page.locator("#progress-message")
    expect(message).to_contain_text("It waits for Kueue's admission in the queue language-queue.")
    hub.cluster.kueue_says(name, MORE_NEEDED, NAMESPACE)
    expect(message).to_contain_text(f"Kueue: {MORE_NEEDED}.")
    accessible(page)

    home = signed_in("kim")
    row = home.get_by_role("row", name=re.compile("Turn"))
    expect(row).to_contain_text("Starting")
    expect(row).to_contain_text(f"in the queue language-queue. Kueue: {MORE_NEEDED}.")
    (held,) = hub.held("kim")
    assert held.running_at is None

    hub.cluster.kueue_admit(name, NAMESPACE)
    page.wait_for_url(re.compile("/user/kim/"), timeout=STARTED)
    assert running(hub, "kim").id == held.id
    stop(hub, "kim")
