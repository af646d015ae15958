"""A directory keeps people here: SCIM 2.0 (RFC 7644), with the token of a service account.

The protocol describes itself (``/Schemas``, ``/ResourceTypes``) and has errors of its own, so these
routes are not in the API's description.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from allotment.api.letting_go import stop_servers_of
from allotment.api.plane import Asker, ControlPlane, Plane
from allotment.api.scim.filtering import read_filter, without_schema
from allotment.api.scim.keeping import Keeper, check_directory
from allotment.api.scim.patching import patched
from allotment.api.scim.problems import MEDIA_TYPE, ScimProblem, answer_problem
from allotment.api.scim.resources import (
    group_resource,
    read_group,
    read_user,
    user_resource,
)
from allotment.api.scim.words import LIST, PAGE, resource_types, schemas, service_provider
from allotment.model.refusals import AllotmentError
from allotment.record import Reading, directory
from allotment.record.directory import Entry
from allotment.rules.permission import Caller

PREFIX = "/scim/v2"


class ScimRoute(APIRoute):
    """A route whose errors are SCIM's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Serve, and answer errors in SCIM's own words."""
        serve = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await serve(request)
            except RequestValidationError:
                message = "The request is no JSON object, or a parameter has the wrong shape."
                return answer_problem(ScimProblem(400, message, "invalidSyntax"))
            except AllotmentError as error:
                return answer_problem(error)

        return handler


router = APIRouter(
    prefix=PREFIX, route_class=ScimRoute, include_in_schema=False, default_response_class=Response
)
Sent = Annotated[dict[str, Any], Body()]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Filter = Annotated[str, Query(max_length=2000)]


@dataclass(frozen=True, slots=True)
class Page:
    """Which resources of a list are asked for, and what of each."""

    filter: str
    start: int
    count: int | None
    only: str
    without: str


def _page(
    filter: Filter = "",  # noqa: A002 - SCIM's own name
    start: Annotated[int, Query(alias="startIndex")] = 1,
    count: int | None = None,
    only: Annotated[str, Query(alias="attributes", max_length=2000)] = "",
    without: Annotated[str, Query(alias="excludedAttributes", max_length=2000)] = "",
) -> Page:
    return Page(filter, start, count, only, without)


Paged = Annotated[Page, Depends(_page)]


def _keeper(plane: ControlPlane, caller: Caller) -> Keeper:
    """The directory, where it may speak.

    Raises:
        NotPermitted: the token may not, or is not permitted all that the provider's groups give.
        ScimProblem: the settings let no directory keep people here.
    """
    with plane.record.reading() as reading:
        check_directory(reading, caller, plane.sign_in.mapping)
    if plane.scim is None:
        message = "No directory keeps people here: the settings have no section scim."
        raise ScimProblem(404, message)
    return Keeper(caller, plane.scim, plane.sign_in)


def _base(plane: ControlPlane) -> str:
    return f"{plane.environment.public_url}{PREFIX}"


def _answer(document: Mapping[str, Any], status: int = 200) -> Response:
    meta = document.get("meta")
    headers = {"Cache-Control": "no-store"}
    if status == 201 and isinstance(meta, Mapping):  # noqa: PLR2004 - made
        headers["Location"] = str(meta["location"])
    return Response(json.dumps(document), status, headers=headers, media_type=MEDIA_TYPE)


def _chosen(resource: Mapping[str, Any], only: str, without: str) -> dict[str, Any]:
    """The attributes that were asked for; ``id`` and ``schemas`` are always told."""
    wanted = {_first(name) for name in only.split(",") if name.strip()}
    left = {_first(name) for name in without.split(",") if name.strip()}
    always = {"id", "schemas"}
    return {
        key: value
        for key, value in resource.items()
        if key in always or ((not wanted or key.lower() in wanted) and key.lower() not in left)
    }


def _first(name: str) -> str:
    return without_schema(name.strip()).partition(".")[0].lower()


def _listed(resources: Sequence[Mapping[str, Any]], page: Page) -> Response:
    question = read_filter(page.filter) if page.filter else None
    found = [one for one in resources if question is None or question(one)]
    start = max(page.start, 1)
    number = PAGE if page.count is None else max(0, min(page.count, PAGE))
    items = found[start - 1 : start - 1 + number]
    return _answer(
        {
            "schemas": [LIST],
            "totalResults": len(found),
            "startIndex": start,
            "itemsPerPage": len(items),
            "Resources": [_chosen(one, page.only, page.without) for one in items],
        }
    )


@router.get("/ServiceProviderConfig")
def service_provider_config(plane: Plane, caller: Asker) -> Response:
    """What a directory may rely on."""
    _keeper(plane, caller)
    return _answer(service_provider(_base(plane)))


@router.get("/ResourceTypes")
def list_resource_types(plane: Plane, caller: Asker, page: Paged) -> Response:
    """Users and groups."""
    _keeper(plane, caller)
    return _listed(resource_types(_base(plane)), page)


@router.get("/ResourceTypes/{name}")
def read_resource_type(plane: Plane, caller: Asker, name: str) -> Response:
    """Users, or groups."""
    _keeper(plane, caller)
    return _named(resource_types(_base(plane)), name)


@router.get("/Schemas")
def list_schemas(plane: Plane, caller: Asker, page: Paged) -> Response:
    """What users and groups consist of."""
    _keeper(plane, caller)
    return _listed(schemas(_base(plane)), page)


@router.get("/Schemas/{name}")
def read_schema(plane: Plane, caller: Asker, name: str) -> Response:
    """What users, or groups, consist of."""
    _keeper(plane, caller)
    return _named(schemas(_base(plane)), name)


def _named(documents: Sequence[Mapping[str, Any]], name: str) -> Response:
    found = next((one for one in documents if one["id"] == name), None)
    if found is None:
        raise ScimProblem(404, f"There is no {name[:80]!r}.")
    return _answer(found)


@router.get("/Users")
def list_users(plane: Plane, caller: Asker, page: Paged) -> Response:
    """People whom the directory may see: everybody on board, and whom it let go."""
    _keeper(plane, caller)
    with plane.record.reading() as reading:
        lacking = directory.lacking(reading)
    if lacking:
        with plane.record.writing(caller.person, plane.now()) as writing:
            directory.ensure(writing)
    with plane.record.reading() as reading:
        groups = directory.groups_of(reading)
        found = [
            user_resource(one, groups.get(one.id, ()), _base(plane))
            for one in directory.entries(reading)
        ]
    return _listed(found, page)


@router.get("/Users/{key}")
def read_user_of_directory(plane: Plane, caller: Asker, key: Id, page: Paged) -> Response:
    """One person."""
    _keeper(plane, caller)
    with plane.record.reading() as reading:
        found = _user(reading, directory.entry(reading, key), plane)
    return _answer(_chosen(found, page.only, page.without))


@router.post("/Users")
def add_user(plane: Plane, caller: Asker, sent: Sent) -> Response:
    """On-board somebody."""
    keeper, wanted = _keeper(plane, caller), read_user(sent)
    with plane.record.writing(caller.person, plane.now()) as writing:
        found = _user(writing, keeper.add(writing, wanted), plane)
    return _answer(found, 201)


@router.put("/Users/{key}")
def put_user(plane: Plane, caller: Asker, key: Id, sent: Sent) -> Response:
    """Take in what the directory says of somebody now; not active any more: they leave."""
    return _change_user(plane, caller, key, lambda _: sent)


@router.patch("/Users/{key}")
def patch_user(plane: Plane, caller: Asker, key: Id, sent: Sent) -> Response:
    """Change some of what the directory says of somebody."""
    return _change_user(plane, caller, key, lambda before: patched(before, sent))


def _change_user(
    plane: ControlPlane,
    caller: Caller,
    key: str,
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Response:
    keeper = _keeper(plane, caller)
    with plane.record.reading() as reading:
        before = _user(reading, directory.entry(reading, key), plane)
    wanted = read_user(change(before))  # it may take long, so nobody waits for it
    with plane.record.writing(caller.person, plane.now()) as writing:
        now = _user(writing, directory.entry(writing, key), plane)
        if now != before:  # somebody changed it meanwhile: once more, and nobody can now
            wanted = read_user(change(now))
        entry, left = keeper.put(writing, key, wanted)
        found = _user(writing, entry, plane)
    if left:
        stop_servers_of(plane, caller, entry.person)
    return _answer(found)


@router.delete("/Users/{key}", status_code=204)
def delete_user(plane: Plane, caller: Asker, key: Id) -> Response:
    """Let somebody go. Their id never comes back; the record of what they did stays."""
    keeper = _keeper(plane, caller)
    with plane.record.writing(caller.person, plane.now()) as writing:
        person = keeper.remove(writing, key)
    stop_servers_of(plane, caller, person)
    return Response(status_code=204)


def _user(reading: Reading, entry: Entry, plane: ControlPlane) -> dict[str, Any]:
    groups = directory.groups_of(reading, entry.id).get(entry.id, ())
    return user_resource(entry, groups, _base(plane))


@router.get("/Groups")
def list_groups(plane: Plane, caller: Asker, page: Paged) -> Response:
    """The directory's own groups; the platform's are another thing."""
    _keeper(plane, caller)
    with plane.record.reading() as reading:
        found = [group_resource(one, _base(plane)) for one in directory.groups(reading)]
    return _listed(found, page)


@router.get("/Groups/{key}")
def read_group_of_directory(plane: Plane, caller: Asker, key: Id, page: Paged) -> Response:
    """One group of the directory."""
    _keeper(plane, caller)
    with plane.record.reading() as reading:
        found = group_resource(directory.group(reading, key), _base(plane))
    return _answer(_chosen(found, page.only, page.without))


@router.post("/Groups")
def add_group(plane: Plane, caller: Asker, sent: Sent) -> Response:
    """Keep a group of the directory."""
    keeper, wanted = _keeper(plane, caller), read_group(sent)
    with plane.record.writing(caller.person, plane.now()) as writing:
        found = group_resource(keeper.add_group(writing, wanted), _base(plane))
    return _answer(found, 201)


@router.put("/Groups/{key}")
def put_group(plane: Plane, caller: Asker, key: Id, sent: Sent) -> Response:
    """Take in what the directory says of a group now."""
    return _change_group(plane, caller, key, lambda _: sent)


@router.patch("/Groups/{key}")
def patch_group(plane: Plane, caller: Asker, key: Id, sent: Sent) -> Response:
    """Change a group's name or members."""
    return _change_group(plane, caller, key, lambda before: patched(before, sent))


def _change_group(
    plane: ControlPlane,
    caller: Caller,
    key: str,
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> Response:
    keeper = _keeper(plane, caller)
    with plane.record.reading() as reading:
        before = group_resource(directory.group(reading, key), _base(plane))
    wanted = read_group(change(before))  # likewise
    with plane.record.writing(caller.person, plane.now()) as writing:
        now = group_resource(directory.group(writing, key), _base(plane))
        if now != before:
            wanted = read_group(change(now))
        found = group_resource(keeper.put_group(writing, key, wanted), _base(plane))
    return _answer(found)


@router.delete("/Groups/{key}", status_code=204)
def delete_group(plane: Plane, caller: Asker, key: Id) -> Response:
    """Forget a group of the directory, and take what it gave."""
    keeper = _keeper(plane, caller)
    with plane.record.writing(caller.person, plane.now()) as writing:
        keeper.remove_group(writing, key)
    return Response(status_code=204)
