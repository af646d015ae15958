"""Pools and devices, on both stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allotment.model.devices import DeviceOrigin
from allotment.model.groups import Share
from allotment.model.pools import PoolUse
from allotment.model.reasons import Rule
from allotment.model.refusals import AlreadyExists, NotFound, Refusal, RevisionStale
from allotment.model.sharing import PoolPolicy
from allotment.record import devices, events, groups, pools


def ids(world: Any, pool: str) -> list[str]:
    with world.record.reading() as reading:
        return [device.id for device in devices.all_devices(reading, pool)]


@pytest.mark.promise("POOL-1")
def test_a_device_shows_everything_and_who_holds_it(lab: Any) -> None:
    holder = lab.granted("ann", "gpu")
    with lab.record.reading() as reading:
        device = devices.get(reading, "gpu-0")
    assert (device.node, device.model, device.memory, device.pool) == (
        "n1",
        "A100",
        80 << 30,
        "a100",
    )
    assert (device.healthy, device.present, device.origin) == (True, True, DeviceOrigin.SETTINGS)
    assert device.holder == holder
    assert not device.allottable


@pytest.mark.promise("POOL-2", "POOL-3")
def test_devices_of_a_new_pool_leave_the_default_pool(world: Any) -> None:
    world.devices(3)
    world.pool("a100", ["gpu-0", "gpu-2"])
    assert ids(world, "a100") == ["gpu-0", "gpu-2"]
    assert ids(world, "default") == ["gpu-1"]
    assert world.sound()


@pytest.mark.promise("POOL-3")
def test_devices_of_a_free_pool_can_be_taken_over(world: Any) -> None:
    world.devices(2)
    world.pool("old", ["gpu-0", "gpu-1"])
    world.pool("new", ["gpu-1"])
    assert ids(world, "old") == ["gpu-0"]


@pytest.mark.promise("POOL-3")
def test_a_device_that_a_server_holds_cannot_be_moved_and_the_server_is_named(lab: Any) -> None:
    lab.granted("ann", "gpu", "training")
    with pytest.raises(Refusal) as refused, lab.write() as writing:
        pools.create(writing, "other", ["gpu-0"])
    assert Rule.POOL_IN_USE in {reason.rule for reason in refused.value.reasons}
    assert "ann/training" in str(refused.value)
    assert ids(lab, "a100") == ["gpu-0", "gpu-1"]


@pytest.mark.promise("POOL-4")
def test_a_pool_holds_one_model_only(world: Any) -> None:
    world.devices(1, model="A100", prefix="a")
    world.devices(1, model="A100 MIG 1g.10gb", prefix="m")
    with pytest.raises(Refusal) as refused, world.write() as writing:
        pools.create(writing, "mixed", ["a-0", "m-0"])
    assert refused.value.reasons[0].rule is Rule.POOL_MODEL
    assert refused.value.reasons[0].details == ("A100", "A100 MIG 1g.10gb")
    world.pool("a100", ["a-0"])
    with pytest.raises(Refusal), world.write() as writing:
        pools.edit(writing, "a100", ["a-0", "m-0"])


def test_a_pool_may_change_its_model_by_changing_all_its_devices(world: Any) -> None:
    world.devices(1, model="A100", prefix="a")
    world.devices(1, model="H100", prefix="h")
    world.pool("big", ["a-0"])
    with world.write() as writing:
        assert pools.edit(writing, "big", ["h-0"]).model == "H100"


@pytest.mark.promise("POOL-5")
def test_editing_a_pool_gives_it_exactly_these_devices(world: Any) -> None:
    world.devices(3)
    world.pool("a100", ["gpu-0", "gpu-1"])
    with world.write() as writing:
        pools.edit(writing, "a100", ["gpu-1", "gpu-2"])
    assert ids(world, "a100") == ["gpu-1", "gpu-2"]
    assert ids(world, "default") == ["gpu-0"]
    assert world.sound()


@pytest.mark.promise("POOL-5")
def test_a_deleted_pools_devices_are_free_for_others(world: Any) -> None:
    world.devices(2)
    world.pool("a100", ["gpu-0", "gpu-1"])
    with world.write() as writing:
        pools.delete(writing, "a100")
    assert ids(world, "default") == ["gpu-0", "gpu-1"]
    assert world.sound()


@pytest.mark.promise("POOL-5")
def test_a_pool_in_use_or_shared_is_not_deleted_and_all_reasons_are_named(lab: Any) -> None:
    lab.granted("ann", "gpu", "training")
    with pytest.raises(Refusal) as refused, lab.write() as writing:
        pools.delete(writing, "a100")
    assert [reason.rule for reason in refused.value.reasons] == [Rule.POOL_IN_USE, Rule.POOL_SHARED]
    assert refused.value.reasons[0].details == ("ann/training",)
    assert refused.value.reasons[1].details == ("vision",)


def test_devices_that_a_guarantee_needs_are_not_taken_away(lab: Any) -> None:
    with pytest.raises(Refusal) as refused, lab.write() as writing:
        pools.edit(writing, "a100", ["gpu-0"])
    assert refused.value.reasons[0].rule is Rule.POOL_CAPACITY


@pytest.mark.promise("POOL-2")
@pytest.mark.parametrize("act", ["edit", "delete"])
def test_the_default_pool_stays(world: Any, act: str) -> None:
    world.devices(1)
    with pytest.raises(Refusal), world.write() as writing:
        pools.edit(writing, "default", []) if act == "edit" else pools.delete(writing, "default")


def test_a_name_is_taken_once_and_must_be_a_name(world: Any) -> None:
    world.devices(1)
    world.pool("a100", [])
    with pytest.raises(AlreadyExists), world.write() as writing:
        pools.create(writing, "a100", [])
    for name in ("", "A", "a b", "-a", "a" * 64, "a/b", "ä", "a\n"):
        with pytest.raises(ValueError, match="is no name"), world.write() as writing:
            pools.create(writing, name, [])
    with pytest.raises(NotFound), world.write() as writing:
        pools.create(writing, "b", ["gpu-9"])


def test_a_change_against_an_older_revision_is_stale(world: Any) -> None:
    world.devices(2)
    world.pool("a100", ["gpu-0"])
    with world.write() as writing:
        pools.edit(writing, "a100", ["gpu-1"], revision=1)
    with pytest.raises(RevisionStale), world.write() as writing:
        pools.edit(writing, "a100", ["gpu-0"], revision=1)
    assert ids(world, "a100") == ["gpu-1"]


def test_use_is_told_per_pool(lab: Any) -> None:
    lab.granted("ann", "gpu")
    with lab.record.reading() as reading:
        default, a100 = pools.use(reading)
    assert default.total == 0
    assert a100 == PoolUse("a100", "A100", 2, 2, 2, 1, 1, 2, 1)
    assert a100.spare == 0


@pytest.mark.promise("OPS-2")
def test_every_change_is_an_event_with_what_was_before(world: Any) -> None:
    world.devices(2)
    world.pool("a100", ["gpu-0"])
    with world.write("olga") as writing:
        pools.edit(writing, "a100", ["gpu-1"])
        pools.delete(writing, "a100")
    with world.record.reading() as reading:
        happened = [e for e in events.after(reading, 0) if e.subject == "a100"]
    assert [e.kind for e in happened] == ["pool.created", "pool.changed", "pool.deleted"]
    assert happened[1].actor == "olga"
    assert happened[1].before == {"model": "A100", "devices": ["gpu-0"]}
    assert happened[1].after == {"model": "A100", "devices": ["gpu-1"]}


def test_a_transaction_that_fails_leaves_nothing(world: Any) -> None:
    world.devices(2)

    def half(writing: Any) -> None:
        pools.create(writing, "a100", ["gpu-0"])
        groups.create(writing, "vision", wanted=[Share("vision", "nowhere", 1, 1)])

    with pytest.raises(NotFound), world.write() as writing:
        half(writing)
    with world.record.reading() as reading:
        assert [pool.name for pool in pools.all_pools(reading)] == ["default"]
        assert not [e for e in events.after(reading, 0) if e.kind == "pool.created"]
    assert world.sound()


@pytest.mark.promise("QUEUE-4")
def test_how_a_pool_is_shared_is_kept_and_its_change_is_an_event(lab: Any) -> None:
    wanted = PoolPolicy(sharing=True, grace=timedelta(minutes=7))
    with lab.write() as writing:
        before = pools.get(writing, "a100")
        changed = pools.set_policy(writing, "a100", wanted, before.revision)
    assert before.policy == PoolPolicy()
    assert (changed.policy, changed.revision) == (wanted, before.revision + 1)
    with lab.record.reading() as reading:
        last = events.after(reading, 0, limit=1000)[-1]
    assert (last.kind, last.after["policy"]["grace"]) == ("pool.changed", "7m")


def test_the_default_pool_can_be_shared_though_it_is_not_edited(world: Any) -> None:
    with world.write() as writing:
        pools.set_policy(writing, "default", PoolPolicy(sharing=True))
        assert pools.get(writing, "default").policy.sharing


def test_a_policy_that_somebody_else_changed_meanwhile_is_not_overwritten(lab: Any) -> None:
    with lab.write() as writing, pytest.raises(RevisionStale):
        pools.set_policy(writing, "a100", PoolPolicy(sharing=True), revision=99)
