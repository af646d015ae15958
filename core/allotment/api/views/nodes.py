"""Nodes as documents: what clusters say of theirs, and the machines that devices are in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.devices import Device
from allotment.model.documents.nodes import NodeState
from allotment.model.nodes import Accelerator, PodUse
from allotment.record import Reading, allotments, devices, nodes
from allotment.record.nodes import KnownNode
from allotment.work.live_use import Observed, Reported


def node_documents(
    reading: Reading, reported: Mapping[str, Reported], observed: Mapping[str, Observed]
) -> list[documents.Node]:
    """Every node, by name. Devices of elastic pools are on none."""
    mine: dict[str, list[Device]] = defaultdict(list)
    for device in devices.all_devices(reading):
        if device.node:
            mine[device.node].append(device)
    known = {node.sight.name: node for node in nodes.all_nodes(reading)}
    active = allotments.active(reading)
    use = _measured(reported, observed)
    machines = [name for name in mine if name not in known]
    by_id = {one.id: one for one in active}
    found = [_of_cluster(node, mine[name], by_id, use) for name, node in known.items()]
    found += [_machine(name, mine[name], active, machines, use) for name in machines]
    return sorted(found, key=lambda node: node.name)


def _of_cluster(
    node: KnownNode,
    mine: Sequence[Device],
    active: Mapping[str, Allotment],
    use: Mapping[str, float],
) -> documents.Node:
    sight = node.sight
    return documents.Node(
        name=sight.name,
        state=_state(node),
        problem=sight.problem,
        cordon=sight.cordon,
        version=sight.version,
        cpu=sight.cpu,
        memory=sight.memory,
        labels=dict(sight.labels),
        models=_models(mine),
        resources=tuple(_resource(each) for each in sight.accelerators),
        devices=_counted(mine, use),
        occupants=tuple(_pod(pod, active.get(pod.allotment)) for pod in node.pods or ()),
        pods_known=node.pods is not None,
        since=node.since,
    )


def _models(mine: Iterable[Device]) -> tuple[str, ...]:
    return tuple(sorted({device.model for device in mine}))


def _state(node: KnownNode) -> NodeState:
    if not node.present:
        return "gone"
    if node.sight.problem:
        return "not ready"
    return "cordoned" if node.sight.cordon else "ready"


def _resource(each: Accelerator) -> documents.NodeResource:
    return documents.NodeResource(
        resource=each.resource,
        model=each.model,
        memory=each.memory,
        isolation=each.isolation,
        isolation_words=each.isolation.words,
        capacity=each.capacity,
        allocatable=each.allocatable,
    )


def _pod(pod: PodUse, allotment: Allotment | None) -> documents.Occupant:
    return documents.Occupant(
        kind="pod",
        name=f"{pod.namespace}/{pod.name}",
        state=pod.state,
        devices=sum(pod.asks.values()),
        server=None if allotment is None else _server(allotment),
        person=None if allotment is None else allotment.person,
    )


def _machine(
    name: str,
    mine: Sequence[Device],
    active: Iterable[Allotment],
    machines: Sequence[str],
    use: Mapping[str, float],
) -> documents.Node:
    """A machine that is no cluster's node. What holds no device runs on the only one, where there is only one."""
    here = [
        one
        for one in active
        if one.process is not None
        and ({device.node for device in one.devices} or set(machines[:1])) == {name}
        and (one.devices or len(machines) == 1)
    ]
    return documents.Node(
        name=name,
        state="machine",
        models=_models(mine),
        devices=_counted(mine, use),
        occupants=tuple(_process(one) for one in here),
    )


def _process(allotment: Allotment) -> documents.Occupant:
    return documents.Occupant(
        kind="process",
        name=str(allotment.process.pid) if allotment.process else "",
        state=str(allotment.state),
        devices=len(allotment.devices),
        server=_server(allotment),
        person=allotment.person,
    )


def _server(allotment: Allotment) -> str:
    return server_id(allotment.hub, allotment.person, allotment.server)


def _measured(
    reported: Mapping[str, Reported], observed: Mapping[str, Observed]
) -> dict[str, float]:
    """The utilisation of devices that were measured, in percent; what this machine saw comes first."""
    uses = [use for each in reported.values() for use in each.report.devices]
    uses += [each.use for each in observed.values()]
    return {use.id: use.utilisation for use in uses if use.utilisation is not None}


def _counted(mine: Sequence[Device], use: Mapping[str, float]) -> documents.NodeDevices:
    states = [device.state for device in mine]
    measured = [use[device.id] for device in mine if device.id in use]
    return documents.NodeDevices(
        total=len(mine),
        held=sum(device.holder is not None for device in mine),
        free=states.count("free"),
        taken=states.count("taken"),
        cordoned=states.count("cordoned"),
        unhealthy=states.count("unhealthy"),
        missing=states.count("missing"),
        utilisation=round(sum(measured) / len(measured), 1) if measured else None,
    )
