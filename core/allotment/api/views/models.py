"""Registered models as documents."""

from __future__ import annotations

from allotment.api.views.sources import audience_document
from allotment.model import documents
from allotment.model.registered_models import RegisteredModel
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
