"""Forms for pools: making, editing, deleting, and moving devices between them.

The devices are those whose plots are selected; the forms follow the selection while they are open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from allotment.model.documents import Device, Pool
from allotment.model.names import DEFAULT_POOL, NAME_RULE
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import choice_field, show, text_field
from allotment_widgets.foreseeing import Foreseen, together
from allotment_widgets.picture import Picture, Topic
from allotment_widgets.sentences import counted_as, devices_count, listed

Chosen = Callable[[], list[Device]]
"""The devices that are selected now."""
_CHANGED = (Topic.OVERVIEW, Topic.DEVICES)


def _pools(picture: Picture) -> tuple[Pool, ...]:
    return picture.overview.pools if picture.overview else ()


def _names(devices: Iterable[Device]) -> str:
    return listed(each.id for each in devices)


def _leaving(devices: Sequence[Device], target: str) -> list[str]:
    """Which devices leave which pool, in sentences."""
    by_pool: dict[str, list[Device]] = {}
    for device in devices:
        if device.pool != target:
            by_pool.setdefault(device.pool, []).append(device)
    return [
        f"{_names(some)} {'leaves' if len(some) == 1 else 'leave'} pool {pool}."
        for pool, some in sorted(by_pool.items())
    ]


def _obstacles(devices: Sequence[Device]) -> list[str]:
    """What will be refused, said before it is tried."""
    lines = []
    held = [each for each in devices if each.holder is not None]
    if held:
        holders = sorted(
            {f"{one.holder.person}/{one.holder.name or 'default'}" for one in held if one.holder}
        )
        verb = "is" if len(held) == 1 else "are"
        lines.append(
            f"{_names(held)} {verb} in use by {listed(holders)}: "
            "devices in use cannot be moved. Stop these servers first."
        )
    models = sorted({each.model for each in devices})
    if len(models) > 1:
        lines.append(f"A pool has one model of device; these are {listed(models)}.")
    return lines


def making(desk: Desk, slot: Slot, chosen: Chosen) -> Asking:
    """The form that makes a pool of the selected devices, or an empty one."""
    name = text_field("Name", placeholder="a100")
    model = text_field("Model of devices to come (optional)", placeholder="NVIDIA A100 80GB")

    async def act() -> str:
        ids, wanted = [each.id for each in chosen()], name.value.strip()
        known = "" if ids else model.value.strip()
        await desk.call(desk.client.pools.create, wanted, ids, model=known)
        desk.again(*_CHANGED)
        return f"Pool {wanted} was made, with {devices_count(len(ids))}."

    asking = Asking(desk, slot, "New pool", confirm="Create pool", act=act, fields=[name, model])

    def refresh() -> None:
        devices = chosen()
        show(model, shown=not devices)
        asking.will(*_making_lines(devices))
        asking.enable(possible=bool(name.value.strip()))

    name.observe(lambda _: desk.backend.soon(refresh), "value")
    return _begun(asking, refresh)


def _begun(asking: Asking, refresh: Callable[[], None]) -> Asking:
    asking.refresh = refresh
    refresh()
    return asking


def _making_lines(devices: Sequence[Device]) -> list[str]:
    rule = f"A name has {NAME_RULE}."
    if not devices:
        return ["The pool begins empty. Select plots below to give it devices of one model.", rule]
    return [
        f"The pool holds {_names(devices)} ({listed(sorted({each.model for each in devices}))}).",
        *_leaving(devices, ""),
        *_obstacles(devices),
        f"Nobody can use it until a group has a share in it. {rule}",
    ]


def moving(desk: Desk, slot: Slot, chosen: Chosen) -> Asking:
    """The form that moves the selected devices to another pool."""
    here = {each.pool for each in chosen()}
    pools = sorted((each.name for each in _pools(desk.picture)), key=lambda one: (one in here, one))
    target = choice_field("To pool", pools)

    async def act() -> str:
        devices = chosen()
        for pool, ids in _edits(desk.picture, devices, target.value):
            await desk.call(desk.client.pools.edit, pool.name, ids, revision=pool.revision)
        desk.again(*_CHANGED)
        verb = "is" if len(devices) == 1 else "are"
        return f"{_names(devices)} {verb} in pool {target.value} now."

    asking = Asking(desk, slot, "Move devices", confirm="Move", act=act, fields=[target])
    foreseen = Foreseen(desk, asking)

    def refresh() -> None:
        devices = chosen()
        joining = [each for each in devices if each.pool != target.value]
        lines = _leaving(devices, target.value)
        if joining:
            verb = "joins" if len(joining) == 1 else "join"
            lines.append(f"{_names(joining)} {verb} pool {target.value}.")
        nothing = "Select plots below." if not devices else "They are in this pool already."
        asking.enable(possible=bool(joining))
        edits, calls = _edits(desk.picture, devices, target.value), desk.client.pools
        foreseen.say(
            [*(lines or [nothing]), *_obstacles(joining)],
            lambda: together(calls.consequences(pool.name, devices=ids) for pool, ids in edits),
            of=(target.value, [each.id for each in devices], lines),
        )

    target.observe(lambda _: desk.backend.soon(refresh), "value")
    return _begun(asking, refresh)


def _edits(
    picture: Picture, devices: Sequence[Device], target: str
) -> list[tuple[Pool, list[str]]]:
    """What to change so that devices come into a pool; to the default pool they go by leaving theirs.

    Where one edit of several is refused, those before it stay.
    """
    pools = {each.name: each for each in _pools(picture)}
    ids = {each.id for each in devices}
    if target != DEFAULT_POOL:
        pool = pools[target]
        return [(pool, sorted({*pool.devices, *ids}))] if ids - set(pool.devices) else []
    left = sorted({each.pool for each in devices} - {DEFAULT_POOL})
    return [
        (pools[name], [each for each in pools[name].devices if each not in ids]) for name in left
    ]


_DEFAULT_IS_NOT_EDITED = (
    "The default pool holds every device that no other pool holds; it is not edited. "
    "Select plots and move them to a pool instead."
)


def editing(desk: Desk, slot: Slot, pool: Pool, chosen: Chosen) -> Asking:
    """The form that gives a pool exactly the devices that are selected."""

    async def act() -> str:
        ids = [each.id for each in chosen()]
        await desk.call(desk.client.pools.edit, pool.name, ids, revision=pool.revision)
        desk.again(*_CHANGED)
        return f"Pool {pool.name} has {devices_count(len(ids))} now."

    asking = Asking(desk, slot, f"Devices of pool {pool.name}", confirm="Save", act=act)
    foreseen = Foreseen(desk, asking)

    def refresh() -> None:
        asking.enable(possible=pool.name != DEFAULT_POOL and pool.nodes is None)
        if pool.name == DEFAULT_POOL:
            foreseen.say([_DEFAULT_IS_NOT_EDITED])
            return
        if pool.nodes is not None:
            foreseen.say([f"Its devices come and go with its nodes: {pool.nodes.words}."])
            return
        ids, calls = sorted(each.id for each in chosen()), desk.client.pools
        lines = _editing_lines(desk.picture, pool, chosen())
        same = set(ids) == set(pool.devices)
        ask = None if same else lambda: calls.consequences(pool.name, devices=ids)
        foreseen.say(lines, ask, of=(ids, lines))

    return _begun(asking, refresh)


def _editing_lines(picture: Picture, pool: Pool, wanted: Sequence[Device]) -> list[str]:
    ids = {each.id for each in wanted}
    own = [picture.devices[name] for name in pool.devices if name in picture.devices]
    out = [each for each in own if each.id not in ids]
    coming = [each for each in wanted if each.pool != pool.name]
    lines = ["It gets exactly the plots that are selected below: add to them, or take some away."]
    lines += _leaving(coming, pool.name)
    if out:
        verb = "goes" if len(out) == 1 else "go"
        lines.append(f"{_names(out)} {verb} to the default pool.")
    lines += _obstacles([*out, *coming])
    if len(ids) < pool.guaranteed:
        lines.append(
            f"Groups are guaranteed {devices_count(pool.guaranteed)} of it: lower the guarantees first."
        )
    return lines


def deleting(desk: Desk, slot: Slot, pool: Pool) -> Asking:
    """The form that deletes a pool."""

    async def act() -> str:
        await desk.call(desk.client.pools.delete, pool.name, revision=pool.revision)
        desk.again(*_CHANGED)
        return f"Pool {pool.name} was deleted."

    title = f"Delete pool {pool.name}"
    asking = Asking(desk, slot, title, confirm=f"Delete {pool.name}", act=act, tone="risk")
    verb = "goes" if pool.total == 1 else "go"
    lines = [f"Its {devices_count(pool.total)} {verb} to the default pool, free for other pools."]
    if pool.nodes is not None and pool.nodes.elastic:
        lines = ["Its devices are counted and on no node: they are gone with it."]
    if pool.held:
        verb = "is" if pool.held == 1 else "are"
        lines.append(f"{devices_count(pool.held)} of it {verb} held, which stands in the way.")
    if pool.shares:
        number = counted_as(len(pool.shares), "group has", "groups have")
        names = listed(each.group for each in pool.shares)
        lines.append(f"{number} a share in it, which stands in the way: {names}.")
    asking.will(*lines)
    return asking
