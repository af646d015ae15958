"""Pools that are made of nodes: their devices come and go with these, by themselves.

Only what nobody holds moves, and only between such a pool and the default pool: what an operator put
elsewhere stays there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from allotment.model.devices import Device, DeviceOrigin, DeviceSpec, Isolation
from allotment.model.names import DEFAULT_POOL
from allotment.model.nodes import NodeRule
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record import cordons, nodes
from allotment.record import devices as device_rows
from allotment.record.counting import recount_pools
from allotment.record.engine import Reading, Writing
from allotment.record.schema import devices, pools

ANY_NODE = ""
"""The node of a device of an elastic pool: it has none yet."""
Labels = Mapping[str, Mapping[str, str]]
"""The labels of nodes, by name."""


def rules(reading: Reading) -> dict[str, NodeRule]:
    """The rules of pools that are made of nodes, by pool, in the order of their names."""
    rows = reading.all(
        sa.select(pools.c.name, pools.c.nodes).where(pools.c.nodes != {}).order_by(pools.c.name)
    )
    return {row.name: NodeRule.model_validate(row.nodes) for row in rows}


def elastic_pool(
    known: Mapping[str, NodeRule], node: str, labels: Mapping[str, str], resource: str
) -> str | None:
    """The elastic pool that a resource of a node belongs to: it is counted there, and not on the node."""
    fitting = (
        pool
        for pool, rule in known.items()
        if rule.elastic and rule.resource == resource and rule.fits(node, labels)
    )
    return next(fitting, None)


def elastic_slots(pool: str, model: str, rule: NodeRule) -> tuple[DeviceSpec, ...]:
    """As many devices as an elastic pool may have, on no node."""
    return tuple(
        DeviceSpec(
            id=f"{pool}-any-{number}",
            node=ANY_NODE,
            model=model,
            memory=rule.memory,
            uuid="",
            origin=DeviceOrigin.KUBERNETES,
            isolation=Isolation.EXCLUSIVE,
            resource=rule.resource,
            pool=pool,
        )
        for number in range(rule.maximum or 0)
    )


def check(name: str, rule: NodeRule, model: str) -> None:
    """Refuse an elastic pool of which nothing says what its devices will be.

    Raises:
        Refusal: it has no model.
    """
    if rule.elastic and not model:
        message = f"Pool {name!r} is elastic: nothing says which model of device it will have."
        raise Refusal(
            Reason(Rule.POOL_MODEL, message, remedy="Name the model, as its nodes' labels say it.")
        )


def refuse_devices(name: str) -> None:
    """Refuse to give devices to a pool that is made of nodes.

    Raises:
        Refusal: always.
    """
    message = f"The devices of pool {name!r} come from its nodes; none can be given to it."
    raise Refusal(
        Reason(Rule.POOL_NODES, message, remedy="Name its nodes or its devices, not both.")
    )


def apply(writing: Writing) -> None:
    """Let the rules decide now what belongs where: after one was changed, from what was seen last."""
    rows = writing.all(sa.select(pools.c.name, pools.c.model))
    models: dict[str, str] = {row.name: row.model for row in rows}
    wanted = {
        spec.id: spec
        for pool, rule in rules(writing).items()
        for spec in elastic_slots(pool, models[pool], rule)
    }
    there = {each.id: each for each in device_rows.all_devices(writing) if each.node == ANY_NODE}
    device_rows.take_in(writing, wanted.values())
    drop(
        writing,
        [each for key, each in there.items() if key not in wanted and each.holder is None],
    )
    fill(writing)


def drop(writing: Writing, slots: Sequence[Device]) -> None:
    """Take devices of elastic pools away, which nobody holds."""
    ids = [each.id for each in slots]
    writing.run(devices.delete().where(devices.c.id.in_(ids)))
    for each in slots:
        writing.event("device.forgotten", each.id, before={"pool": each.pool})
    recount_pools(writing, {each.pool for each in slots})


def fill(writing: Writing) -> bool:
    """Move devices that nobody holds where the rules want them. Returns whether any moved."""
    known = rules(writing)
    labels = {node.sight.name: node.sight.labels for node in nodes.all_nodes(writing)}
    found = [
        device
        for device in device_rows.all_devices(writing)
        if device.origin is DeviceOrigin.KUBERNETES and device.node != ANY_NODE
    ]
    models = _models(writing, known, found, labels)
    moves: dict[str, str] = {}
    for device in found:
        wanted = _wanted(device, known, models, labels)
        if device.holder is None and wanted != device.pool and wanted is not None:
            moves[device.id] = wanted
    _move(writing, [device for device in found if device.id in moves], moves)
    return bool(moves)


def _wanted(
    device: Device, known: Mapping[str, NodeRule], models: Mapping[str, str], labels: Labels
) -> str | None:
    """The pool that a device should be in; None where no rule says anything about it."""
    fitting = [
        pool
        for pool, rule in known.items()
        if models[pool] == device.model and _fits(device, rule, labels)
    ]
    if device.pool in fitting:
        return device.pool
    if device.pool == DEFAULT_POOL:
        return fitting[0] if fitting else None
    of_rules = device.pool in known
    # A node that was given other labels, or slices of another size, leaves what it was in.
    changed = device.pool in models and models[device.pool] != device.model
    return (fitting[0] if fitting else DEFAULT_POOL) if of_rules or changed else None


def _fits(device: Device, rule: NodeRule, labels: Labels) -> bool:
    named = device.resource == rule.resource and not rule.elastic
    return named and rule.fits(device.node, labels.get(device.node, {}))


def _models(
    writing: Writing, known: Mapping[str, NodeRule], found: Sequence[Device], labels: Labels
) -> dict[str, str]:
    """The model of every pool but the default one. A pool of nodes without one takes that of most of its devices."""
    rows = writing.all(sa.select(pools.c.name, pools.c.model).where(pools.c.name != DEFAULT_POOL))
    models: dict[str, str] = {row.name: row.model for row in rows}
    for pool, rule in known.items():
        if models[pool]:
            continue
        numbers = Counter(
            device.model
            for device in sorted(found, key=lambda each: each.model)
            if device.pool in {DEFAULT_POOL, pool} and _fits(device, rule, labels)
        )
        if numbers:
            models[pool] = numbers.most_common(1)[0][0]
            writing.run(pools.update().where(pools.c.name == pool).values(model=models[pool]))
    return models


def _move(writing: Writing, moving: Sequence[Device], moves: Mapping[str, str]) -> None:
    for pool in sorted(set(moves.values())):
        ids = [device.id for device in moving if moves[device.id] == pool]
        writing.run(devices.update().where(devices.c.id.in_(ids)).values(pool=pool))
        writing.event("pool.filled", pool, after={"devices": sorted(ids)})
    if moves:
        recount_pools(writing, {device.pool for device in moving} | set(moves.values()))
        cordons.apply(writing)
