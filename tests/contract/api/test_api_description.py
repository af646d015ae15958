"""The published description: complete, and what the control plane really does."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from allotment.api import application
from allotment.api.examples import ANSWERS, BODIES
from allotment.api.publish import description
from allotment.model import documents
from allotment.model.reports import ServerReport

PUBLISHED = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_published_description_is_that_of_the_routes() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == description()


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_each_example_of_an_answer_is_such_an_answer(name: str) -> None:
    kind: type[BaseModel] = getattr(documents, name)
    answer = kind.model_validate(ANSWERS[name])
    assert set(ANSWERS[name]) <= set(answer.model_dump())


@pytest.mark.parametrize("name", sorted(BODIES))
def test_each_example_of_a_body_is_such_a_body(name: str) -> None:
    known = {"ServerReport": ServerReport} | {
        kind.__name__: kind
        for module in application._ROUTERS
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    }
    assert known[name].model_validate(BODIES[name])
