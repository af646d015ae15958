"""What operators of a cluster see in the console: nodes, versions of software, service accounts, cordons, health."""

from collections.abc import Callable
from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from allotment.inventory.kubernetes.nodes import slots
from allotment.model.cordons import Cordon, Scope
from allotment.model.devices import Isolation
from allotment.model.nodes import Accelerator, ClusterSight, NodeSight, PodUse
from allotment.model.people import Permission
from allotment.model.profiles import Profile
from allotment.record import (
    Record,
    cluster,
    cordons,
    leases,
    presence,
    profiles,
    service_accounts,
    upkeep,
)
from allotment.work.loop import Step
from allotment.work.tenure import lease_name

GPU, MIG = "nvidia.com/gpu", "nvidia.com/mig-1g.10gb"
STEPS = (
    Step("devices", 10.0, lambda _now: "64 devices on 12 nodes."),
    Step("reconciling", 60.0, lambda _now: ""),
    Step("queue", 5.0, lambda _now: ""),
    Step("profiles", 2.0, lambda _now: ""),
    Step("endings", 15.0, lambda _now: ""),
)
"""Periodic work that says what a platform's would."""
VERSIONS = (
    ("2026.09", "PyTorch 2.7 with CUDA 12.6."),
    ("2026.10", "PyTorch 2.8 with CUDA 12.8; pandas 3."),
    ("2026.11", "PyTorch 2.9 with CUDA 13. Code that compiles kernels needs nvcc 13."),
)
Picture = Callable[[str], None]


def make(record: Record, now: datetime) -> None:
    """A cluster beside the machines, three versions of a profile's image, programs with tokens, a planned cordon."""
    with record.writing("inventory", now) as writing:
        nodes = tuple(_nodes())
        pods = tuple(_pods())
        found = [slot for node in nodes for slot in slots(node)]
        cluster.observe(writing, found, ClusterSight(nodes, pods))
    _publish(record, now)
    with record.writing("operator", now) as writing:
        may = {Permission.SEE_ALL}
        service_accounts.create(
            writing,
            "prometheus",
            may,
            "a" * 64,
            now + timedelta(days=300),
            maker="operator",
            note="Metrics",
        )
        may = {Permission.MANAGE_PEOPLE, Permission.STOP_SERVERS}
        service_accounts.create(
            writing,
            "directory",
            may,
            "b" * 64,
            now + timedelta(days=20),
            maker="operator",
            note="SCIM",
        )
        begins = now + timedelta(days=2)
        cordons.create(
            writing,
            Cordon(
                "",
                Scope.NODE,
                ("dgx-2",),
                "New power supply",
                begins,
                "",
                now,
                drain_at=begins + timedelta(hours=4),
                ends_at=begins + timedelta(hours=10),
            ),
        )
        upkeep.note_backup(writing, 184_220)
        leases.take(writing, lease_name("hub"), "hub-1 7", timedelta(hours=2))
        for holder, hours in (("hub-1 7", 90), ("hub-2 7", 89)):
            since = now - timedelta(hours=hours)
            said = presence.Presence("hub", holder, "0.1.0", since, now, ({},))
            presence.say(writing, said)


def _nodes() -> list[NodeSight]:
    l40s = Accelerator(GPU, 8, 8, "NVIDIA-L40S", 48 << 30, Isolation.EXCLUSIVE)
    slices = Accelerator(MIG, 7, 7, "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb", 10 << 30, Isolation.MIG)
    labels = {"topology.kubernetes.io/zone": "eu-1a"}
    more = {"version": "v1.36.2", "cpu": "96", "memory": "1Ti"}
    return [
        *(NodeSight(f"gpu-{n}", labels, (l40s,), **more) for n in (1, 2)),
        NodeSight(
            "gpu-3", labels, (l40s,), problem="The node is not ready (KubeletNotReady).", **more
        ),
        NodeSight("gpu-4", labels, (l40s,), cordon="The node is cordoned in its cluster.", **more),
        NodeSight("mig-1", labels, (slices,), **more),
    ]


def _pods() -> list[PodUse]:
    return [
        PodUse("research", "sweep-7f9c-0", "gpu-1", "Running", {GPU: 2}, ""),
        PodUse("research", "sweep-7f9c-1", "gpu-1", "Running", {GPU: 2}, ""),
        PodUse("rendering", "farm-0", "gpu-2", "Running", {GPU: 1}, ""),
    ]


def _publish(record: Record, now: datetime) -> None:
    for age, (version, notes) in zip((60, 30, 1), VERSIONS, strict=True):
        with record.writing("catalogue", now - timedelta(days=age)) as writing:
            known = profiles.get(writing, "pytorch-gpu").profile
            if known is None:
                raise RuntimeError("pytorch-gpu has no good version")
            said = {
                "image": f"lab.example.org/pytorch:{version}",
                "version": version,
                "notes": notes,
            }
            new = Profile.model_validate(known.model_dump() | said)
            profiles.publish(writing, new, "profiles/pytorch-gpu.yaml", version)


def take(page: Page, picture: Picture) -> None:
    """Each panel with something chosen, or with its form open."""
    rail = page.get_by_role("navigation", name="Panels")
    rail.locator("[data-go=nodes]").click()
    page.locator('.ag-row[row-id="gpu-1"] input[type=checkbox]').first.check()
    page.get_by_text("What runs on gpu-1").wait_for()
    page.get_by_text("What runs on gpu-1").evaluate("(found) => found.scrollIntoView()")
    picture("console-node")
    rail.locator("[data-go=software]").click()
    page.locator(".ag-row").filter(has_text="PyTorch, one GPU").first.click()
    page.get_by_text("needs nvcc 13").wait_for()
    page.get_by_text("needs nvcc 13").evaluate("(found) => found.scrollIntoView({block: 'center'})")
    picture("console-software-chosen")
    rail.locator("[data-go=service-accounts]").click()
    page.get_by_role("button", name="Make…").click()
    page.get_by_label("Name", exact=True).fill("nightly")
    page.get_by_role("group", name="Make a service account").evaluate(
        "(found) => found.scrollIntoView()"
    )
    picture("console-service-account-make")
    page.get_by_role("button", name="Cancel").click()
    take_cordon(page, picture)
    rail.locator("[data-go=health]").click()
    page.locator(".ag-row").filter(has_text="Control planes").first.click()
    expect(page.get_by_text("hub-2 (process 7)").first).to_be_visible()
    page.get_by_role("heading", name="About").evaluate("(found) => found.scrollIntoView()")
    picture("console-about")


def take_cordon(page: Page, picture: Picture) -> None:
    """A node that is to be emptied, with whom that concerns."""
    page.get_by_role("navigation", name="Panels").locator("[data-go=pools]").click()
    page.get_by_role("button", name="Take out of use…").last.click()
    form = page.get_by_role("group", name="Take out of use")
    form.get_by_label("What", exact=True).select_option("node dgx-1")
    form.get_by_label("Why (its users read this)").fill("New power supply")
    form.get_by_label("Stop its servers at").fill("2030-12-01 12:00")
    form.get_by_label("Stop its servers at").press("Tab")
    form.get_by_text("what still runs then is stopped").wait_for()
    form.evaluate("(found) => found.scrollIntoView()")
    picture("console-cordon")
    page.get_by_role("button", name="Cancel").click()
