"""What a cluster says becomes devices of the record: taken, given back, in pools of nodes, elastic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from allotment.inventory.kubernetes.nodes import slots
from allotment.model.claims import Queued, Waits
from allotment.model.devices import Device, Isolation
from allotment.model.nodes import Accelerator, ClusterSight, NodeRule, NodeSight, PodUse
from allotment.model.refusals import Refusal
from allotment.model.tickets import TicketState
from allotment.record import allotments, cluster, counting, devices, events, nodes, pools, tickets
from allotment.work.queueing import Queueing

GPU = "nvidia.com/gpu"


def node(name: str, number: int = 2, model: str = "A100", **more: Any) -> NodeSight:
    given = more.pop("allocatable", number)
    accelerator = Accelerator(GPU, number, given, model, 80 << 30, Isolation.EXCLUSIVE)
    labels = more.pop("labels", {"model": model})
    return NodeSight(name, labels, (accelerator,) if number else (), **more)


def pod(on: str, number: int = 1, name: str = "training-0", allotment: str = "") -> PodUse:
    return PodUse("vision", name, on, "Running", {GPU: number}, allotment)


class Looking:
    """Takes looks at a cluster into the record, and reads what became of them."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def see(
        self,
        *seen: NodeSight,
        pods: tuple[PodUse, ...] | None = (),
        of: str = "",
        gone: tuple[str, ...] = (),
    ) -> None:
        sight = ClusterSight(tuple(seen), pods, of)
        found = [spec for each in seen for spec in slots(each)]
        with self.world.write("inventory") as writing:
            cluster.observe(writing, found, sight, gone)
        with self.world.record.reading() as reading:
            assert counting.discrepancies(reading) == ()

    def pool(self, name: str, model: str = "", **rule: Any) -> None:
        with self.world.write() as writing:
            pools.create(writing, name, (), model, nodes=NodeRule.model_validate(rule))

    @property
    def devices(self) -> dict[str, Device]:
        with self.world.record.reading() as reading:
            return {device.id: device for device in devices.all_devices(reading)}

    def states(self) -> dict[str, str]:
        return {key: device.state for key, device in self.devices.items()}

    def kinds(self, subject: str) -> list[str]:
        with self.world.record.reading() as reading:
            return [one.kind for one in events.after(reading, 0) if one.subject == subject]


@pytest.fixture
def look(world: Any) -> Looking:
    world.people("ann", "bob")
    world.profile("one", devices=1)
    world.profile("two", devices=2)
    return Looking(world)


@pytest.mark.promise("POOL-1")
def test_nodes_become_devices_of_the_default_pool_and_a_claim_takes_those_of_one_node(
    look: Looking,
) -> None:
    look.see(node("n1", 1), node("n2", 2))
    granted = look.world.granted("ann", "two")
    with look.world.record.reading() as reading:
        held = allotments.get(reading, granted).devices
    assert [(one.node, one.resource) for one in held] == [("n2", GPU)] * 2
    outcome = look.world.claim("bob", "two")
    assert isinstance(outcome, Waits)


@pytest.mark.promise("POOL-1")
def test_what_others_use_is_taken_until_they_end(look: Looking) -> None:
    look.see(node("n1", 2), pods=(pod("n1"),))
    assert look.states() == {"n1-gpu-0": "taken", "n1-gpu-1": "free"}
    assert look.devices["n1-gpu-0"].taken_by == "pod vision/training-0"
    assert isinstance(look.world.claim("ann", "two"), Waits)
    look.see(node("n1", 2))
    assert set(look.states().values()) == {"free"}
    assert look.kinds("n1-gpu-0") == ["device.found", "device.given_back"]
    look.world.granted("ann", "two")


@pytest.mark.promise("POOL-1")
def test_pods_of_our_own_servers_take_nothing_beside_what_these_hold(look: Looking) -> None:
    look.see(node("n1", 2))
    granted = look.world.granted("ann", "one")
    look.see(node("n1", 2), pods=(pod("n1", allotment=granted),))
    assert sorted(look.states().values()) == ["free", "held"]


@pytest.mark.promise("POOL-1")
def test_a_label_of_an_allotment_accounts_for_no_more_than_it_holds(look: Looking) -> None:
    look.see(node("n1", 3))
    granted = look.world.granted("ann", "one")
    ours, borrowed = pod("n1", allotment=granted), pod("n1", name="x", allotment=granted)
    look.see(node("n1", 3), pods=(ours, borrowed))
    assert sorted(look.states().values()) == ["free", "held", "taken"]


@pytest.mark.promise("POOL-1")
def test_a_pod_that_outlives_its_release_takes_its_devices_after_a_while(look: Looking) -> None:
    look.see(node("n1", 2))
    granted = look.world.granted("ann", "one")
    look.world.end(granted)
    lingering = (pod("n1", allotment=granted),)
    look.see(node("n1", 2), pods=lingering)
    assert set(look.states().values()) == {"free"}
    look.world.later(seconds=40)
    look.see(node("n1", 2), pods=lingering)
    assert sorted(look.states().values()) == ["free", "taken"]


@pytest.mark.promise("POOL-1")
def test_another_pod_on_what_a_server_holds_is_shown_there_and_releases_nothing(
    look: Looking,
) -> None:
    look.see(node("n1", 1))
    granted = look.world.granted("ann", "one")
    look.see(node("n1", 1), pods=(pod("n1", allotment=granted), pod("n1", name="intruder")))
    device = look.devices["n1-gpu-0"]
    assert (device.state, device.taken_by) == ("held", "pod vision/intruder")
    look.world.end(granted)
    assert not look.devices["n1-gpu-0"].allottable
    assert isinstance(look.world.claim("bob", "one"), Waits)


@pytest.mark.promise("POOL-6")
def test_a_node_that_is_gone_takes_its_devices_along_and_its_servers_keep_theirs(
    look: Looking,
) -> None:
    look.see(node("n1", 1), node("n2", 1))
    granted = look.world.granted("ann", "one")
    look.see(node("n2", 1))
    gone = look.devices["n1-gpu-0"]
    assert (gone.state, gone.holder) == ("missing", granted)
    look.see(node("n1", 1), node("n2", 1))
    assert look.states() == {"n1-gpu-0": "held", "n2-gpu-0": "free"}


@pytest.mark.promise("POOL-6")
def test_a_node_that_gives_out_less_than_it_has_has_unhealthy_devices(look: Looking) -> None:
    look.see(node("n1", 4, allocatable=3))
    assert sorted(look.states().values()) == ["free", "free", "free", "unhealthy"]
    look.see(node("n1", 4))
    assert set(look.states().values()) == {"free"}


@pytest.mark.promise("CLUSTER-3")
def test_a_cordoned_node_is_given_to_nobody(look: Looking) -> None:
    look.see(node("n1", 1, cordon="The node is cordoned in its cluster."))
    assert look.states() == {"n1-gpu-0": "cordoned"}
    assert isinstance(look.world.claim("ann", "one"), Waits)
    look.see(node("n1", 1))
    look.world.granted("ann", "one")


@pytest.mark.promise("POOL-1")
def test_where_nobody_may_ask_about_pods_what_was_taken_stays(look: Looking) -> None:
    look.see(node("n1", 1), pods=(pod("n1"),))
    look.see(node("n1", 1), pods=None)
    assert look.states() == {"n1-gpu-0": "taken"}


@pytest.mark.promise("POOL-3")
def test_a_pool_of_nodes_has_their_devices_and_gets_those_that_come_later(look: Looking) -> None:
    look.see(node("n1", 1), node("n2", 1, "H100"))
    look.pool("a100", selector={"model": "A100"})
    assert {key: device.pool for key, device in look.devices.items()} == {
        "n1-gpu-0": "a100",
        "n2-gpu-0": "default",
    }
    look.see(node("n1", 1), node("n2", 1, "H100"), node("n3", 1))
    assert look.devices["n3-gpu-0"].pool == "a100"
    look.see(node("n1", 1), node("n2", 1, "H100"), node("n3", 1, labels={}))
    assert look.devices["n3-gpu-0"].pool == "default"


@pytest.mark.promise("POOL-4")
def test_devices_of_another_model_on_its_nodes_do_not_enter_a_pool(look: Looking) -> None:
    look.pool("west", names=["n1", "n2", "n3"])
    look.see(node("n1", 1), node("n2", 1), node("n3", 1, "H100"))
    assert [device.pool for device in look.devices.values()] == ["west", "west", "default"]
    look.see(node("n1", 1), node("n2", 1, "A100-MIG-1g.10gb"), node("n3", 1, "H100"))
    assert look.devices["n2-gpu-0"].pool == "default"


@pytest.mark.promise("POOL-5")
def test_a_pool_of_nodes_is_given_no_devices_and_frees_its_own_when_deleted(look: Looking) -> None:
    look.see(node("n1", 1))
    look.pool("a100", selector={"model": "A100"})
    with pytest.raises(Refusal, match="come from its nodes"), look.world.write() as writing:
        pools.edit(writing, "a100", ["n1-gpu-0"])
    with look.world.write() as writing:
        pools.delete(writing, "a100")
    look.see(node("n1", 1))
    assert look.devices["n1-gpu-0"].pool == "default"


@pytest.mark.promise("POOL-3")
def test_an_elastic_pool_has_as_many_devices_as_it_may_whatever_nodes_there_are(
    look: Looking,
) -> None:
    look.pool("burst", "A100", selector={"tier": "burst"}, maximum=3)
    look.see()
    assert {(d.pool, d.node, d.state) for d in look.devices.values()} == {("burst", "", "free")}
    look.see(node("b1", 2, labels={"tier": "burst"}), pods=(pod("b1"),))
    assert sorted(look.states().values()) == ["free", "free", "taken"]
    with look.world.write() as writing:
        pools.set_nodes(writing, "burst", NodeRule(selector={"tier": "burst"}, maximum=2))
    assert len(look.devices) == 2


@pytest.mark.promise("POOL-3")
def test_servers_of_an_elastic_pool_are_accounted_for_on_whatever_node_they_run(
    look: Looking,
) -> None:
    look.pool("burst", "A100", selector={"tier": "burst"}, maximum=2)
    look.world.group("vision", ("burst", 2))
    look.world.people("mei", group="vision")
    granted = look.world.granted("mei", "two")
    with look.world.record.reading() as reading:
        held = allotments.get(reading, granted).devices
    assert {(one.node, one.resource) for one in held} == {("", GPU)}
    look.see(node("b1", 4, labels={"tier": "burst"}), pods=(pod("b1", 2, allotment=granted),))
    assert look.states() == {"burst-any-0": "held", "burst-any-1": "held"}
    with look.world.write() as writing:
        pools.set_nodes(writing, "burst", NodeRule(selector={"tier": "burst"}, maximum=1))
    assert len(look.devices) == 2
    look.world.end(granted)
    look.see(node("b1", 4, labels={"tier": "burst"}))
    assert look.states() == {"burst-any-0": "free"}


@pytest.mark.promise("POOL-3")
def test_an_elastic_pool_says_which_model_it_will_have_and_lends_its_devices_to_none(
    look: Looking,
) -> None:
    with pytest.raises(Refusal, match="nothing says which model"):
        look.pool("burst", selector={"tier": "burst"}, maximum=2)
    look.pool("burst", "A100", selector={"tier": "burst"}, maximum=2)
    with pytest.raises(Refusal, match="on no node"), look.world.write() as writing:
        pools.create(writing, "other", ["burst-any-0"])


@pytest.mark.promise("CLUSTER-1")
def test_nodes_are_remembered_with_their_pods_and_forgotten_a_week_after_they_went(
    look: Looking,
) -> None:
    look.see(node("n1", 1), pods=(pod("n1"),))
    with look.world.record.reading() as reading:
        (known,) = nodes.all_nodes(reading)
    assert known.present
    assert [one.words for one in known.pods or ()] == ["pod vision/training-0"]
    look.see()
    assert look.kinds("n1") == ["node.found", "node.vanished"]
    look.world.later(days=nodes.GONE_LASTS / timedelta(days=1))
    look.see()
    assert look.kinds("n1")[-1] == "node.forgotten"
    assert look.devices == {}


@pytest.fixture
def queueing(world: Any) -> Iterator[Queueing]:
    step = Queueing(world.record, Hub(), "hub")  # type: ignore[arg-type]  # as much of a hub as is asked
    yield step
    step.close()


class Hub:
    """Starts servers on paper."""

    def start_server(self, person: str, name: str, *_: Any, **__: Any) -> None:
        """Say yes."""


@pytest.mark.promise("QUEUE-1", "POOL-1")
def test_who_waits_gets_what_a_stranger_gives_back(look: Looking, queueing: Queueing) -> None:
    look.see(node("n1", 1), pods=(pod("n1"),))
    outcome = look.world.claim("ann", "one", wait=True)
    assert isinstance(outcome, Queued)
    queueing.round(look.world.later(seconds=1))
    look.see(node("n1", 1))
    queueing.round(look.world.later(seconds=1))
    with look.world.record.reading() as reading:
        assert tickets.get(reading, outcome.ticket.id).state is TicketState.OFFERED


@pytest.mark.promise("QUEUE-1", "POOL-3")
def test_who_waits_for_an_elastic_pool_is_offered_a_device_on_no_node(
    look: Looking, queueing: Queueing
) -> None:
    look.pool("burst", "A100", selector={"tier": "burst"}, maximum=1)
    look.world.group("vision", ("burst", 1))
    look.world.people("mei", "zoe", group="vision")
    granted = look.world.granted("mei", "one")
    outcome = look.world.claim("zoe", "one", wait=True)
    assert isinstance(outcome, Queued)
    queueing.round(look.world.later(seconds=1))
    look.world.end(granted)
    queueing.round(look.world.later(seconds=1))
    with look.world.record.reading() as reading:
        offered = [one for one in allotments.active(reading) if one.person == "zoe"]
    assert [device.node for one in offered for device in one.devices] == [""]


@pytest.mark.promise("POOL-6")
def test_a_look_at_another_cluster_is_refused_and_marks_nothing_missing(look: Looking) -> None:
    look.see(node("n1"), of="north")
    with pytest.raises(cluster.AnotherCluster) as refused:
        look.see(node("m1"), of="south")

    said = str(refused.value)
    assert "Devices of the cluster south are not taken in" in said
    assert "the record counts those of the cluster north" in said
    assert "gone_clusters" in said
    assert look.states() == {"n1-gpu-0": "free", "n1-gpu-1": "free"}


@pytest.mark.promise("POOL-6")
def test_another_cluster_is_counted_once_an_operator_says_that_the_first_is_gone(
    look: Looking,
) -> None:
    look.see(node("n1", 1), of="north")
    look.see(node("m1", 1), of="south", gone=("north",))
    assert look.states() == {"n1-gpu-0": "missing", "m1-gpu-0": "free"}

    with pytest.raises(cluster.AnotherCluster):
        look.see(node("n1", 1), of="north")
    look.see(node("m1", 1), of="south")
    assert look.states()["m1-gpu-0"] == "free"


@pytest.mark.promise("POOL-6")
def test_a_look_that_does_not_say_which_cluster_it_is_of_is_taken_in_until_one_has(
    look: Looking,
) -> None:
    look.see(node("n1", 1))
    look.see(node("n1", 2), of="north")
    with pytest.raises(cluster.AnotherCluster, match="allotment-which-cluster"):
        look.see(node("m1", 1))
    assert look.states() == {"n1-gpu-0": "free", "n1-gpu-1": "free"}
