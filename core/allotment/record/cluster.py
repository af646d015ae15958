"""Taking in what a cluster has: its nodes, their devices, and who uses these beside us."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from allotment.model.amounts import counted
from allotment.model.devices import Device, DeviceOrigin, DeviceSpec
from allotment.model.nodes import ClusterSight, NodeRule
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record import devices, node_pools, nodes, platform
from allotment.record.engine import Reading, Writing
from allotment.record.schema import allotments, pools
from allotment.rules.slots import Settled, Slot, settle

LEAVES = timedelta(seconds=30)
"""How long a server's pod may be seen after its release: what is watched comes a little late."""
Place = tuple[str, str]
"""A node and a resource; for elastic pools no node, and the pool."""


class AnotherCluster(Refusal):
    """A look at another cluster than the one whose devices the record counts. Nothing of it was taken in."""


def observe(
    writing: Writing,
    found: Sequence[DeviceSpec],
    sight: ClusterSight,
    gone: Collection[str] = (),
) -> bool:
    """Take in a look at a cluster. Returns whether any device changed.

    Devices that others use are taken; pools of nodes get what is on theirs; elastic pools have as
    many devices as they may. Only for a look that is complete. ``gone`` are clusters that an operator
    has said to be gone for good: another one may be counted after them.

    Raises:
        AnotherCluster: the record counts the devices of another one.
    """
    _recognise(writing, sight.cluster, gone)
    forgotten = nodes.observe(writing, sight)
    rules = node_pools.rules(writing)
    slots = _slots(writing, found, sight, rules)
    known = {device.id: device for device in devices.all_devices(writing)}
    settled = _settled(writing, slots, sight, rules, known)
    changed = devices.observe(writing, settled, DeviceOrigin.KUBERNETES)
    devices.forget(writing, forgotten)
    return node_pools.fill(writing) or changed


def _recognise(writing: Writing, cluster: str, gone: Collection[str]) -> None:
    """Refuse what may be another cluster: to it all devices of the first would be missing, and the other way round.

    Until one has said which it is, nothing is known and nothing is refused.
    """
    known = platform.cluster_counted(writing)
    if known and cluster != known and known not in gone:
        raise AnotherCluster(_not_taken_in(cluster, known))
    if cluster not in {"", known}:
        platform.count_cluster(writing, cluster)


def _not_taken_in(cluster: str, known: str) -> Reason:
    counts = f"the record counts those of the cluster {known}, and of no other beside it"
    over = f"If {known} is gone for good with all of its pods, name it in kubernetes: gone_clusters of the settings."
    if cluster:
        message = f"Devices of the cluster {cluster} are not taken in: {counts}."
        remedy = f"Give hubs in another cluster a record of their own. {over}"
    else:
        message = f"Devices of a cluster that does not say which it is are not taken in: {counts}."
        remedy = (
            f"Allow 'get' on the namespace kube-system by the role allotment-which-cluster. {over}"
        )
    return Reason(Rule.SETTINGS, message, limit=1, used=1, asked=1, remedy=remedy)


def _slots(
    reading: Reading,
    found: Sequence[DeviceSpec],
    sight: ClusterSight,
    rules: Mapping[str, NodeRule],
) -> dict[Place, list[DeviceSpec]]:
    """The devices that there are, by where they are counted."""
    labels = {node.name: node.labels for node in sight.nodes}
    slots: dict[Place, list[DeviceSpec]] = defaultdict(list)
    for spec in found:
        elastic = node_pools.elastic_pool(rules, spec.node, labels[spec.node], spec.resource)
        if elastic is None:
            slots[spec.node, spec.resource].append(spec)
    models = {row.name: row.model for row in reading.all(sa.select(pools.c.name, pools.c.model))}
    for pool, rule in rules.items():
        if rule.elastic:
            slots[node_pools.ANY_NODE, pool] += node_pools.elastic_slots(pool, models[pool], rule)
    return slots


def _settled(
    writing: Writing,
    slots: Mapping[Place, Sequence[DeviceSpec]],
    sight: ClusterSight,
    rules: Mapping[str, NodeRule],
    known: Mapping[str, Device],
) -> list[DeviceSpec]:
    """The same, each with its health and with who uses it."""
    ailing = {
        (node.name, each.resource): max(0, each.capacity - each.allocatable)
        for node in sight.nodes
        for each in node.accelerators
    }
    users = _users(writing, sight, rules, known)
    settled: list[DeviceSpec] = []
    for place, specs in slots.items():
        answer = settle(
            [_slot(spec, known.get(spec.id)) for spec in specs],
            ailing.get(place, 0),
            users.get(place, ()),
        )
        for spec in specs:
            taken = answer.taken.get(spec.id, "")
            if sight.pods is None:
                # Nobody may say who uses what: what was known stays.
                taken = known[spec.id].taken_by if spec.id in known else ""
            settled.append(replace(_with_health(spec, answer, len(specs)), taken_by=taken))
    return settled


def _slot(spec: DeviceSpec, known: Device | None) -> Slot:
    if known is None:
        return Slot(spec.id, held=False)
    return Slot(spec.id, known.holder is not None, known.taken_by, not known.healthy)


def _with_health(spec: DeviceSpec, answer: Settled, total: int) -> DeviceSpec:
    if spec.id not in answer.ailing or not spec.healthy:
        return spec
    number = len(answer.ailing)
    note = (
        f"{number} of {counted(total, 'device')} of the node {'is' if number == 1 else 'are'} not healthy; "
        "which, the cluster does not say."
    )
    return replace(spec, healthy=False, health_note=note)


def _users(
    writing: Writing,
    sight: ClusterSight,
    rules: Mapping[str, NodeRule],
    known: Mapping[str, Device],
) -> dict[Place, list[tuple[str, int]]]:
    """Who else uses devices, in devices, by where they are counted."""
    labels = {node.name: node.labels for node in sight.nodes}
    own = _held(known.values())
    leaving = _released_lately(writing, {pod.allotment for pod in sight.pods or ()})
    users: dict[Place, list[tuple[str, int]]] = defaultdict(list)
    for pod in sorted(sight.pods or (), key=lambda each: (each.namespace, each.name)):
        if pod.allotment in leaving:
            continue
        for resource, number in sorted(pod.asks.items()):
            elastic = node_pools.elastic_pool(rules, pod.node, labels.get(pod.node, {}), resource)
            place = (pod.node, resource) if elastic is None else (node_pools.ANY_NODE, elastic)
            # An allotment accounts for as many as it holds there, once, whatever a label claims.
            accounted = min(number, own.get((place, pod.allotment), 0)) if pod.allotment else 0
            own[place, pod.allotment] = own.get((place, pod.allotment), 0) - accounted
            if number > accounted:
                users[place].append((pod.words, number - accounted))
    return users


def _held(known: Iterable[Device]) -> dict[tuple[Place, str], int]:
    """How many devices each allotment holds, by where they are counted."""
    held: dict[tuple[Place, str], int] = defaultdict(int)
    for device in known:
        if device.holder is not None:
            elastic = device.node == node_pools.ANY_NODE
            place = (device.node, device.pool if elastic else device.resource)
            held[place, device.holder] += 1
    return held


def _released_lately(writing: Writing, seen: Collection[str]) -> frozenset[str]:
    """Those of these allotments that were released a moment ago."""
    rows = writing.all(
        sa.select(allotments.c.id).where(
            allotments.c.id.in_(sorted(seen)), allotments.c.released_at >= writing.now - LEAVES
        )
    )
    return frozenset(row.id for row in rows)
