"""What may be said at a launch: by a form, by JSON, and by somebody who means no good."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment_spawner.options import LaunchOptions, options_from_form, read_options
from allotment_spawner.refusing import as_html, as_text

HOSTILE = "<img src=x onerror=alert(1)>"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KNOWN = st.sampled_from([*LaunchOptions.model_fields, "voucher", ""])


def test_options_are_read_as_they_are_and_left_out_where_empty() -> None:
    options = read_options({"profile": "gpu", "group": None, "note": "two\nlines"})

    assert options == LaunchOptions(profile="gpu", note="two\nlines")
    assert options.stored() == {"profile": "gpu", "note": "two\nlines"}


def test_all_errors_are_named_at_once() -> None:
    with pytest.raises(Refusal) as refused:
        read_options({"profile": 7, "group": [], "voucher": "T-1"})

    messages = " ".join(reason.message for reason in refused.value.reasons)
    assert "'profile'" in messages
    assert "'group'" in messages
    assert "There is no option 'voucher'." in messages


def test_thousands_of_wrong_options_are_told_in_few_words() -> None:
    with pytest.raises(Refusal) as refused:
        read_options({f"{number}{'x' * 1000}": 1 for number in range(5000)})

    assert "4992 more options are wrong." in str(refused.value)
    assert len(str(refused.value)) < 3000


@given(JSON | st.dictionaries(KNOWN, JSON))
def test_any_json_is_read_or_refused_in_printable_words(given: Any) -> None:
    try:
        read_options(given)
    except Refusal as refusal:
        for reason in refusal.reasons:
            assert reason.rule is Rule.REQUEST
        as_html(refusal.reasons).encode()
        as_text(refusal.reasons).encode()


@given(st.dictionaries(KNOWN, st.text()))
def test_what_was_stored_is_read_again_as_the_same_but_for_its_ticket(
    given: dict[str, str],
) -> None:
    try:
        options = read_options(given)
    except Refusal:
        return
    assert read_options(options.stored()) == options.model_copy(update={"ticket": ""})


def test_a_forms_fields_are_trimmed_and_its_own_are_left_out() -> None:
    form = {"_xsrf": ["token"], "profile": [" gpu "], "group": [""], "note": ["a\r\nb"]}

    assert options_from_form(form) == {"profile": "gpu", "note": "a\nb"}


@pytest.mark.parametrize(
    "form",
    [
        {"profile": ["gpu", "small"]},
        {"profile_file": [{"filename": "x", "body": b"x"}]},
        {"profile": [b"bytes"]},
        {"surprise": ["x"]},
    ],
)
def test_a_form_that_says_something_twice_or_else_is_refused(form: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        options_from_form(form)


def test_a_refusal_is_one_sentence_or_numbered_ones() -> None:
    one, two = (Reason(Rule.REQUEST, f"Message {n}.", remedy=f"Remedy {n}.") for n in (1, 2))

    assert as_text([one]) == "Message 1. Remedy 1."
    assert as_text([one, two]) == "(1) Message 1. Remedy 1. (2) Message 2. Remedy 2."


def test_every_word_of_a_refusal_is_escaped() -> None:
    html = as_html([Reason(Rule.REQUEST, HOSTILE, remedy=HOSTILE)])

    assert "<img" not in html
    assert html.count("&lt;img") == 2


@pytest.mark.promise("QUEUE-2")
def test_what_is_good_for_one_launch_is_not_stored() -> None:
    options = read_options({"profile": "gpu", "wait": True, "ticket": "0123"})

    assert (options.wait, options.ticket) == (True, "0123")
    assert options.stored() == {"profile": "gpu"}


def test_a_form_agrees_to_wait() -> None:
    assert options_from_form({"profile": ["gpu"], "wait": ["true"]}) == {
        "profile": "gpu",
        "wait": True,
    }
    assert "wait" not in options_from_form({"profile": ["gpu"], "wait": ["false"]})
