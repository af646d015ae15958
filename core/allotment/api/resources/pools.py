"""Pools: devices of one model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from allotment.api.answering import ExpectedRevision, Repeated, answer, answer_list, write_once
from allotment.api.fields import Body, DeviceField, NameField, NamePath, Title
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.capacity import pool_documents
from allotment.api.views.foreseeing import foreseen_in_pools
from allotment.model import documents
from allotment.model.names import DEFAULT_POOL
from allotment.model.nodes import NodeRule
from allotment.model.refusals import NotFound
from allotment.model.sharing import PoolPolicy
from allotment.record import Reading, Writing, events, pools
from allotment.record import devices as device_rows
from allotment.rules.permission import Action, Sight, sight

router = APIRouter(prefix="/pools", tags=["pools"])

DeviceIds = Annotated[tuple[DeviceField, ...], Field(max_length=10_000)]


class NewPool(Body):
    """A pool that is to be made: of devices, or of nodes. No model: that of its devices."""

    name: NameField
    devices: DeviceIds = ()
    model: Title = ""
    policy: PoolPolicy = PoolPolicy()
    nodes: NodeRule | None = None


class PoolEdit(Body):
    """The devices that a pool is to have, and no others; how it is shared. What is left out stays.

    ``nodes`` makes it a pool of nodes; null makes it one of the devices that it has now.
    """

    devices: DeviceIds | None = None
    nodes: NodeRule | None = None
    policy: PoolPolicy | None = None


@router.get("", response_model=documents.PoolListing, summary="List pools")
def list_pools(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """All pools for those who see everything; else those of own groups, and the default pool."""
    with plane.record.reading() as reading:
        found = pool_documents(reading, sight(caller))
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda pool: (pool.name,), page)
    return answer_list(
        request, documents.PoolListing(items=items, next=following, sequence=sequence)
    )


@router.get("/{name}", response_model=documents.Pool, summary="Read a pool")
def read_pool(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One pool, with its revision as the ETag."""
    with plane.record.reading() as reading:
        found = _pool(reading, sight(caller), name)
    return answer(found, revision=found.revision)


def _pool(reading: Reading, seen: Sight, name: str) -> documents.Pool:
    found = next((pool for pool in pool_documents(reading, seen) if pool.name == name), None)
    if found is None:
        raise NotFound("pool", name)
    return found


@router.post("", response_model=documents.Pool, status_code=201, summary="Make a pool")
def create_pool(plane: Plane, caller: Asker, repeat: Repeated, body: NewPool) -> Response:
    """Make a pool of these devices; they leave the pool that they are in."""
    require(caller, Action.CHANGE_POOLS)

    def change(writing: Writing) -> documents.Document:
        pools.create(writing, body.name, body.devices, body.model, body.policy, body.nodes)
        return _pool(writing, _all(caller.person), body.name)

    return write_once(plane, caller, repeat, change, status=201)


@router.patch("/{name}", response_model=documents.Pool, summary="Edit a pool")
def edit_pool(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: PoolEdit
) -> Response:
    """Give a pool these devices and no others (refused while one that moves is in use), or another policy."""
    require(caller, Action.CHANGE_POOLS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        _edit(writing, name, body, expected)
        found = _pool(writing, _all(caller.person), name)
    return answer(found, revision=found.revision)


def _edit(writing: Writing, name: str, body: PoolEdit, expected: int | None) -> None:
    """Change what the body names."""
    if body.policy is not None:
        revision = pools.set_policy(writing, name, body.policy, expected).revision
        expected = None if expected is None else revision
    if "nodes" in body.model_fields_set:
        revision = pools.set_nodes(writing, name, body.nodes, expected).revision
        expected = None if expected is None else revision
    if body.devices is not None:
        pools.edit(writing, name, body.devices, expected)


@router.post(
    "/{name}/consequences",
    response_model=documents.Consequences,
    summary="What changing a pool would do",
)
def foresee_pool(plane: Plane, caller: Asker, name: NamePath, body: PoolEdit) -> Response:
    """What other devices, or another policy, would do to what runs and waits. Nothing is changed.

    Refused as the change itself would be.
    """
    require(caller, Action.CHANGE_POOLS)
    with plane.record.reading() as reading:
        wanted = set(body.devices or ())
        known = device_rows.all_devices(reading)
    concerned = {name, DEFAULT_POOL, *(each.pool for each in known if each.id in wanted)}
    found = foreseen_in_pools(
        plane, caller, concerned, lambda writing: _edit(writing, name, body, None)
    )
    return answer(found)


@router.delete("/{name}", status_code=204, summary="Delete a pool")
def delete_pool(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision
) -> Response:
    """Delete a pool; its devices go back to the default pool."""
    require(caller, Action.CHANGE_POOLS)
    with plane.record.writing(caller.person, plane.now()) as writing:
        pools.delete(writing, name, expected)
    return Response(status_code=204)


def _all(person: str) -> Sight:
    """Whoever may change pools is answered with all of the one that was changed."""
    return Sight(everything=True, person=person, groups=(), leads=())
