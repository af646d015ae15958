"""Nodes: the machines that devices are in, how they are, and what runs on them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from allotment.api.answering import answer, answer_list
from allotment.api.fields import DevicePath
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.views.nodes import node_documents
from allotment.model import documents
from allotment.model.refusals import NotFound
from allotment.record import events
from allotment.rules.permission import Action

router = APIRouter(prefix="/nodes", tags=["devices"])


@router.get("", response_model=documents.NodeListing, summary="List nodes")
def list_nodes(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """Every node of the cluster, or the machine, with its devices counted and what runs on it.

    Of a cluster: pods that use devices, and those of servers, as its API said it last.
    """
    require(caller, Action.SEE_PLATFORM)
    now = plane.now()
    reported, observed = plane.use.latest(now), plane.use.observed(now)
    with plane.record.reading() as reading:
        found = node_documents(reading, reported, observed)
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda node: (node.name,), page)
    return answer_list(
        request, documents.NodeListing(items=items, next=following, sequence=sequence)
    )


@router.get("/{node}", response_model=documents.Node, summary="Read a node")
def read_node(plane: Plane, caller: Asker, node: DevicePath) -> Response:
    """One node."""
    require(caller, Action.SEE_PLATFORM)
    now = plane.now()
    reported, observed = plane.use.latest(now), plane.use.observed(now)
    with plane.record.reading() as reading:
        found = node_documents(reading, reported, observed)
    known = next((each for each in found if each.name == node), None)
    if known is None:
        raise NotFound("node", node)
    return answer(known)
