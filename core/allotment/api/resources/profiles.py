"""Profiles: what can be launched, and what is wrong with their files."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from pydantic import Field

from allotment.api.answering import (
    ExpectedRevision,
    Repeated,
    answer,
    answer_list,
    keep_answer,
    recall_answer,
)
from allotment.api.fields import Body, NamePath, Words
from allotment.api.paging import Paged, cut
from allotment.api.plane import Asker, Plane, require
from allotment.api.stopping import Wanted, stop_servers
from allotment.api.views.launching import profile_document
from allotment.model import documents
from allotment.model.instance_types import TypeUse
from allotment.model.names import CONSOLE_PROFILE
from allotment.model.refusals import NotFound
from allotment.record import Reading, allotments, counts, events, instance_types, profiles
from allotment.record.profiles import PublishedProfile
from allotment.rules.instance_types import unavailable
from allotment.rules.permission import Action, Caller, sight

router = APIRouter(prefix="/profiles", tags=["profiles"])


class ProfileEdit(Body):
    """Whether a profile is to be offered to new servers."""

    enabled: bool = Field(strict=True)


class Revocation(Body):
    """Why a profile is revoked; the users of its servers read it."""

    reason: Words = Field(min_length=1)


@router.get("", response_model=documents.ProfileListing, summary="List profiles")
def list_profiles(request: Request, plane: Plane, caller: Asker, page: Paged) -> Response:
    """All profiles, broken and withdrawn ones too, for those who see everything; else what can be launched."""
    with plane.record.reading() as reading:
        holders, types = counts.servers_by_profile(reading), _types(reading)
        found = [
            profile_document(one, sight(caller), holders.get(one.name, 0), _use(one, types))
            for one in profiles.all_profiles(reading)
            if _visible(one, caller, types)
        ]
        sequence = events.latest_sequence(reading)
    items, following = cut(found, lambda profile: (profile.name,), page)
    return answer_list(
        request, documents.ProfileListing(items=items, next=following, sequence=sequence)
    )


def _types(reading: Reading) -> dict[str, TypeUse]:
    return {use.type.name: use for use in instance_types.uses(reading)}


def _use(one: PublishedProfile, types: Mapping[str, TypeUse]) -> TypeUse | None:
    """What is known of the instance type that a profile names."""
    return types.get((one.profile.instance_type or "") if one.profile else "")


def _visible(one: PublishedProfile, caller: Caller, types: Mapping[str, TypeUse]) -> bool:
    """Whether the caller may see it: whoever sees everything, or whoever could launch it."""
    if sight(caller).everything:
        return True
    if not one.offered or one.profile is None or unavailable(one.profile, _use(one, types)):
        return False
    if one.name == CONSOLE_PROFILE and not caller.authority.opens_console:
        return False
    return one.profile.visible_for(caller.person, caller.authority.groups)


@router.get("/{name}", response_model=documents.Profile, summary="Read a profile")
def read_profile(plane: Plane, caller: Asker, name: NamePath) -> Response:
    """One profile, with its revision as the ETag."""
    with plane.record.reading() as reading:
        found = _profile(reading, caller, name)
    return answer(found, revision=found.revision)


def _profile(reading: Reading, caller: Caller, name: str) -> documents.Profile:
    published, types = profiles.get(reading, name), _types(reading)
    if not _visible(published, caller, types):
        raise NotFound("profile", name)
    holders = counts.servers_by_profile(reading).get(name, 0)
    return profile_document(published, sight(caller), holders, _use(published, types))


@router.patch("/{name}", response_model=documents.Profile, summary="Enable or disable a profile")
def edit_profile(
    plane: Plane, caller: Asker, name: NamePath, expected: ExpectedRevision, body: ProfileEdit
) -> Response:
    """Offer a profile to new servers, or no longer. Servers that run with it keep what they were promised."""
    require(caller, Action.CHANGE_PROFILES)
    with plane.record.writing(caller.person, plane.now()) as writing:
        profiles.set_enabled(writing, name, enabled=body.enabled, revision=expected)
        found = _profile(writing, caller, name)
    return answer(found, revision=found.revision)


@router.post(
    "/{name}/revoke", response_model=documents.ProfileRevocation, summary="Revoke a profile at once"
)
def revoke_profile(
    plane: Plane, caller: Asker, repeat: Repeated, name: NamePath, body: Revocation
) -> Response:
    """Disable a profile and stop every server that holds it."""
    require(caller, Action.REVOKE_PROFILE)
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    with plane.record.writing(caller.person, plane.now()) as writing:
        profiles.set_enabled(writing, name, enabled=False)
        holding = [one for one in allotments.active(writing) if one.profile == name]
        found = _profile(writing, caller, name)
    outcomes = stop_servers(plane, caller, [Wanted.of(one) for one in holding], body.reason)
    done = documents.ProfileRevocation(profile=found, outcomes=outcomes.outcomes)
    return keep_answer(plane, caller, repeat, done)
