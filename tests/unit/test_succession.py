"""Which profile replaces another: for whom, along how long a line, and never in a circle."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from allotment.model.profiles import Profile
from allotment.rules.succession import successor_of


def profile(name: str, **fields: Any) -> Profile:
    return Profile.model_validate({"name": name, "title": name.upper()} | fields)


@pytest.mark.promise("PROFILE-6")
def test_the_first_that_can_be_launched_along_the_line_replaces_it_with_the_first_message() -> None:
    old = profile("a", successor="b", successor_message="CUDA 11 ends in May.")
    between = profile("b", successor="c", successor_message="Never seen.")
    last = profile("c")

    found = successor_of(old, {"a": old, "b": between}, [last])

    assert found is not None
    assert found.name == "c"
    assert found.sentence == "Use C instead. CUDA 11 ends in May."


@pytest.mark.promise("PROFILE-6")
def test_what_cannot_be_launched_and_a_circle_replace_nothing() -> None:
    first, second = profile("a", successor="b"), profile("b", successor="a")

    assert successor_of(first, {"a": first, "b": second}, [first]) is None
    assert successor_of(first, {"a": first}, []) is None
    assert successor_of(profile("x"), {}, [first]) is None


@pytest.mark.promise("PROFILE-6")
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"successor": "a"}, "cannot replace itself"),
        ({"successor_message": "Soon."}, "needs a successor"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_words(fields: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        profile("a", **fields)
