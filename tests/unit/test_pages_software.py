"""Software beside the sizes of the launch page, and what the home page says of it."""

from __future__ import annotations

import pytest

from allotment.model.profiles import Profile
from allotment_spawner.pages_software import software_choices, software_title

STABLE = {"name": "stable", "title": "PyTorch 2.8", "description": "What most people use."}
NEWEST = {"name": "newest", "title": "PyTorch 2.9"}


def size(name: str, *software: dict[str, str]) -> Profile:
    return Profile.model_validate({"name": name, "title": name, "software": software})


ONE = size("one", STABLE, NEWEST)
FOUR = size("four", NEWEST, STABLE)
PLAIN = size("plain")


@pytest.mark.promise("PROFILE-4", "SERVER-1")
def test_software_that_sizes_name_alike_is_one_choice() -> None:
    choices = software_choices([PLAIN, ONE, FOUR], "one", "")

    assert [(one.name, one.profiles, one.proposed_by) for one in choices] == [
        ("stable", ("one", "four"), ("one",)),
        ("newest", ("one", "four"), ("four",)),
    ]


@pytest.mark.promise("PROFILE-4")
def test_software_of_one_name_with_two_titles_stays_two_choices() -> None:
    other = size("other", {"name": "stable", "title": "TensorFlow 2.20"})

    choices = software_choices([ONE, other], "one", "")

    assert [(one.title, one.available) for one in choices] == [
        ("PyTorch 2.8", True),
        ("PyTorch 2.9", True),
        ("TensorFlow 2.20", False),
    ]
    assert len({one.key for one in choices}) == 3


@pytest.mark.promise("PROFILE-4")
@pytest.mark.parametrize(
    ("chosen", "wished", "begins"),
    [
        ("one", "", ["stable"]),
        ("four", "", ["newest"]),
        ("one", "newest", ["newest"]),
        ("one", "gone", ["stable"]),
        ("plain", "newest", []),
    ],
)
def test_the_page_begins_with_what_was_asked_for_else_with_what_the_size_proposes(
    chosen: str, wished: str, begins: list[str]
) -> None:
    choices = software_choices([PLAIN, ONE, FOUR], chosen, wished)

    assert [one.name for one in choices if one.chosen] == begins


@pytest.mark.promise("PROFILE-4")
@pytest.mark.parametrize(
    ("terms", "title"),
    [({"software": NEWEST}, "PyTorch 2.9"), ({}, ""), ({"profile": {}}, "")],
)
def test_the_title_of_what_a_server_runs_is_in_its_terms(
    terms: dict[str, object], title: str
) -> None:
    assert software_title(terms) == title
