"""Registered models as documents."""

from __future__ import annotations

from allotment.api.plane import ControlPlane, require
from allotment.api.views.onlooker import NotShared, Onlooker
from allotment.api.views.sources import audience_document
from allotment.model import documents
from allotment.model.refusals import NotFound
from allotment.model.registered_models import RegisteredModel
from allotment.record import registered_models
from allotment.rules.data_access import may_use_model
from allotment.rules.permission import Action, Caller, Target, judge


def model_document(model: RegisteredModel, caller: Caller) -> documents.RegisteredModel:
    """A model, as far as the caller may know it."""
    manages = judge(caller, Action.CHANGE_MODEL, Target(person=model.person)) is None
    return documents.RegisteredModel(
        name=model.name,
        version=model.version,
        person=model.person,
        uri=model.uri,
        target=model.target,
        file=model.file,
        size=model.size,
        sha256=model.sha256,
        description=model.description,
        metrics=dict(model.metrics),
        datasets=model.datasets,
        audience=audience_document(model.audience) if manages else None,
        manages=manages,
        created_at=model.created_at,
    )


def known_model(plane: ControlPlane, caller: Caller, name: str, version: str) -> RegisteredModel:
    """A model that the caller may know of.

    Raises:
        NotShared: there is none, or the caller may not know it.
    """
    with plane.record.reading() as reading:
        onlooker = Onlooker.of(reading, caller, plane.now())
        try:
            model = registered_models.get(reading, name, version)
        except NotFound:
            raise NotShared("model", f"{name}/{version}") from None
    if may_know_model(onlooker, model):
        return model
    raise NotShared("model", f"{name}/{version}")


def may_know_model(onlooker: Onlooker, model: RegisteredModel) -> bool:
    """Whether the caller may know of a model: its owner, whom it is shared with, who sees everything."""
    caller = onlooker.caller
    changes = judge(caller, Action.CHANGE_MODEL, Target(person=model.person)) is None
    uses = onlooker.is_known and may_use_model(model, caller.person, caller.authority.groups)
    return onlooker.sees_all or changes or uses


def own_model(plane: ControlPlane, caller: Caller, name: str, version: str) -> RegisteredModel:
    """A model that the caller may change.

    Raises:
        NotShared, NotPermitted: why not.
    """
    model = known_model(plane, caller, name, version)
    require(caller, Action.CHANGE_MODEL, Target(person=model.person))
    return model
