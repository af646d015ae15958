"""Configuration as a file: export, plan, apply."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from allotment.api.answering import Repeated, answer, keep_answer, recall_answer, without
from allotment.api.fields import Body, NameField
from allotment.api.plane import Asker, Plane, require
from allotment.model import documents
from allotment.model.people import Permission
from allotment.rules.permission import Action, Target
from allotment.settings import declare, parse_settings
from allotment.settings.declare import Change
from allotment.settings.parts import Secrets

router = APIRouter(prefix="/configuration", tags=["configuration"])

FILE = "request"
"""What the sent file is called in messages."""
Yaml = Annotated[
    str,
    StringConstraints(max_length=500_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"),
    Field(description="A settings file", examples=["groups: [{name: vision}]\n"]),
]
FieldName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
SecretText = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class SentFile(Body):
    """A settings file. ``restore``: also what operators changed or deleted since it was applied."""

    yaml: Yaml
    restore: bool = Field(default=False, strict=True)


class AppliedFile(SentFile):
    """A settings file, with the secrets of the sources that it declares.

    The file says where each secret is for whoever sends it: the platform reads none of these places.
    """

    secrets: dict[NameField, dict[FieldName, SecretText]] = Field(
        default_factory=dict,
        max_length=1000,
        repr=False,
        description="By source and field of its form; for those that are to be made or lead elsewhere",
    )


@router.get("", response_model=documents.ConfigurationFile, summary="Export what is configured")
def export_configuration(plane: Plane, caller: Asker) -> Response:
    """What is configured, as a settings file. It holds no secret."""
    require(caller, Action.SEE_PLATFORM)
    with plane.record.reading() as reading:
        text = declare.export(reading, plane.now())
    return answer(documents.ConfigurationFile(yaml=text))


@router.post("/plan", response_model=documents.ConfigurationPlan, summary="Compare a file")
def plan_configuration(plane: Plane, caller: Asker, body: SentFile) -> Response:
    """What applying this file would do. Nothing is changed."""
    require(caller, Action.CONFIGURE)
    settings = parse_settings(body.yaml, FILE)
    with plane.record.reading() as reading:
        changes = declare.plan(reading, settings, now=plane.now(), restore=body.restore)
    return answer(_plan(changes, applied=False))


@router.post("/apply", response_model=documents.ConfigurationPlan, summary="Apply a file")
def apply_configuration(
    plane: Plane, caller: Asker, repeat: Repeated, body: AppliedFile
) -> Response:
    """Make the platform as the file says: all of it or nothing. Applying it again changes nothing.

    Sources that are made by it are proven read-only within a minute; nobody uses them before.
    """
    # A file can name operators and roles: whoever applies it gives away nothing that they lack.
    require(caller, Action.CONFIGURE, Target(touches=frozenset(Permission)))
    repeat = without(repeat, body, {"secrets"})
    known = recall_answer(plane, caller, repeat)
    if known is not None:
        return known
    settings = parse_settings(body.yaml, FILE)
    changes = declare.apply(
        plane.record,
        settings,
        actor=caller.person,
        now=plane.now(),
        restore=body.restore,
        secrets=Secrets(lambda name: body.secrets.get(name, {}), plane.data.opening.vault.encrypt),
    )
    return keep_answer(plane, caller, repeat, _plan(changes, applied=True))


def _plan(changes: Iterable[Change], *, applied: bool) -> documents.ConfigurationPlan:
    return documents.ConfigurationPlan(
        changes=tuple(
            documents.ConfigurationChange(
                action=change.action,
                kind=change.kind,
                name=change.name,
                sentence=change.sentence,
                before=change.before,
                after=change.after,
                note=change.note,
            )
            for change in changes
        ),
        applied=applied,
    )
