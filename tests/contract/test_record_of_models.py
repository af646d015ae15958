"""What the record keeps of registered models, up to their limit."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from allotment.model.limits import LimitKind, LimitScope
from allotment.model.reasons import Rule
from allotment.model.refusals import AlreadyExists, Refusal
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience
from allotment.record import (
    limits,
    memberships,
    registered_models,
)
from data_records import refused


def _model(name: str = "churn", version: str = "1", person: str = "ann") -> RegisteredModel:
    return RegisteredModel(
        name,
        version,
        person,
        uri="s3://lake/churn",
        metrics={"auc": 0.9},
        datasets=("sales@3",),
        audience=Audience(groups=("vision",)),
    )


def _register(lab: Any, *models: RegisteredModel) -> None:
    for one in models:
        with lab.write() as writing:
            registered_models.create(writing, one)


@pytest.mark.promise("MODEL-1")
def test_a_model_is_read_as_it_was_registered(lab: Any) -> None:
    _register(lab, _model())
    with lab.record.reading() as reading:
        found = registered_models.get(reading, "churn", "1")
        groups = memberships.current_groups(reading, "bob", lab.now)
        assert registered_models.usable_by(reading, "bob", groups) == (found,)
        assert registered_models.usable_by(reading, "zoe", ()) == ()
    assert (found.metrics, found.datasets) == ({"auc": 0.9}, ("sales@3",))


@pytest.mark.promise("MODEL-1", "LIMIT-1")
def test_models_are_registered_up_to_the_limit_that_binds(lab: Any) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.MODELS, 1)
        limits.put(writing, LimitScope.GROUP, "vision", LimitKind.MODELS, 2)
    _register(lab, _model(version="1"), _model(version="2"))
    with pytest.raises(Refusal) as problem:
        _register(lab, _model(version="3"))
    assert refused(problem) is Rule.LIMIT_MODELS


@pytest.mark.promise("MODEL-1", "LIMIT-2")
def test_registrations_at_the_same_moment_do_not_pass_the_limit_together(lab: Any) -> None:
    with lab.write() as writing:
        limits.put(writing, LimitScope.PLATFORM, "", LimitKind.MODELS, 2)
    now, made = lab.later(seconds=1), []

    def register(number: int) -> None:
        try:
            with lab.record.writing("ann", now, configuration=False) as writing:
                registered_models.create(writing, _model(version=str(number)))
        except Refusal:
            return
        made.append(number)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2


@pytest.mark.parametrize(
    "taken", [_model(), _model(version="2", person="bob")], ids=["version", "anothers-name"]
)
def test_a_models_name_and_versions_are_its_owners(lab: Any, taken: RegisteredModel) -> None:
    _register(lab, _model())
    with pytest.raises(AlreadyExists):
        _register(lab, taken)


def test_a_deleted_model_leaves_room_and_no_audience(lab: Any) -> None:
    _register(lab, _model())
    with lab.write() as writing:
        known = registered_models.get(writing, "churn", "1")
        registered_models.delete(writing, known)
    _register(lab, replace(_model(), audience=Audience()))
    with lab.record.reading() as reading:
        assert registered_models.get(reading, "churn", "1").audience == Audience()
