"""The mapping of a provider's groups, foreseen before it is applied."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from allotment.api.answering import answer
from allotment.api.fields import Body
from allotment.api.plane import Asker, Plane, require
from allotment.model import documents
from allotment.model.groups import Mode
from allotment.record import mapped, platform
from allotment.record.mapped import Change, Foreseen
from allotment.rules.permission import Action
from allotment.settings import parse_settings

router = APIRouter(prefix="/sign-on", tags=["users"])


class MappingFile(Body):
    """A settings file, of which the mapping of the provider's groups is looked at."""

    yaml: Annotated[str, Field(max_length=500_000)]


@router.post(
    "/foresee",
    response_model=documents.MappingForesight,
    summary="Foresee what a mapping of groups would change",
)
def foresee_mapping(plane: Plane, caller: Asker, body: MappingFile) -> Response:
    """Who would gain and lose what if this file's mapping were in force, by what the provider said last of everybody."""
    require(caller, Action.FORESEE_MAPPING)
    mapping = parse_settings(body.yaml).sign_in.mapping
    with plane.record.reading() as reading:
        found = mapped.foresee(reading, mapping)
        strict = platform.mode(reading) is Mode.STRICT
    return answer(
        documents.MappingForesight(
            changes=tuple(_change(one) for one in found.changes),
            unknown_groups=found.unknown_groups,
            unknown_roles=found.unknown_roles,
            notes=tuple(_notes(found, strict=strict)),
        )
    )


def _change(one: Change) -> documents.ProviderChange:
    what = {
        "group": f"the membership in {one.name}",
        "lead": f"leading {one.name}",
        "role": f"the role {one.name}",
    }[one.kind]
    verb = "gains" if one.gains else "loses"
    return documents.ProviderChange.model_validate(
        {
            "person": one.person,
            "kind": one.kind,
            "name": one.name,
            "gains": one.gains,
            "sentence": f"{one.person} {verb} {what}.",
        }
    )


def _notes(found: Foreseen, *, strict: bool) -> list[str]:
    notes = []
    if found.unknown_groups:
        notes.append(
            f"These groups are not here yet, and give nothing until they are: {', '.join(found.unknown_groups)}."
        )
    if found.unknown_roles:
        notes.append(
            f"These roles are not here yet, and give nothing until they are: {', '.join(found.unknown_roles)}."
        )
    if strict:
        notes += [
            f"{person} would be in {' and '.join(groups)}, and could launch nothing with devices: "
            "here a person is in one group at a time."
            for person, groups in found.several
        ]
    return notes
