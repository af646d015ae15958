"""Forms of sources: what somebody entered is checked, and secrets are never shown elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.data.forms import Filled, fill
from allotment.data.kinds.kind import FormField
from allotment.model.refusals import Refusal

FORM = (
    FormField("host", "Host", "Where it is.", required=True),
    FormField("port", "Port", "Which.", "number", default=5432),
    FormField("tls", "TLS", "Whether.", "choice", default="on", choices=(("on", ""), ("off", ""))),
    FormField("own", "Own accounts", "Whether.", "switch", default=True),
    FormField("ca", "Authority", "Whose.", "long", when=("tls", "on")),
    FormField("prefix", "Prefix", "What keys begin with."),
    FormField("password", "Password", "Of the account.", "secret", required=True),
    FormField("token", "Token", "Instead.", "secret", when=("tls", "off")),
)
ENTERED = {"host": "db", "password": "one"}


def refused(given: dict[str, Any], *more: Any) -> dict[str, str]:
    """The fields that are wrong, each with what is said."""
    with pytest.raises(Refusal) as error:
        fill(FORM, given, *more)
    return {reason.details[0]: reason.message for reason in error.value.reasons}


def test_what_is_left_out_takes_its_default_and_secrets_are_kept_apart() -> None:
    filled = fill(FORM, ENTERED)

    assert filled.fields == {
        "host": "db",
        "port": 5432,
        "tls": "on",
        "own": True,
        "ca": "",
        "prefix": "",
    }
    assert (filled.secrets, filled.names) == ({"password": "one"}, ("password",))
    assert "one" not in repr(filled)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "no number"),
        ("port", -1),
        ("port", True),
        ("port", 1.5),
        ("host", 5),
        ("host", "two\nlines"),
        ("host", "x" * 2001),
        ("host", "\ud800"),
        ("tls", "perhaps"),
        ("tls", ["on"]),
        ("own", "perhaps"),
        ("own", 1),
        ("password", ["one"]),
        ("password", "\0"),
        ("unknown", "x"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_its_field(name: str, value: Any) -> None:
    assert list(refused({**ENTERED, name: value})) in ([name], [name, "password"])


def test_a_refusal_names_every_field_and_repeats_no_secret() -> None:
    wrong = refused({"port": "x", "password": "hunter2\0"})

    assert set(wrong) == {"host", "port", "password"}
    assert "hunter2" not in str(wrong)


@pytest.mark.parametrize(("text", "number"), [("5433", 5433), (" 5433 ", 5433), ("", "")])
def test_numbers_may_be_written_as_texts(text: str, number: int | str) -> None:
    assert fill(FORM, {**ENTERED, "port": text}).fields["port"] == number


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("off", False), (False, False)])
def test_switches_may_be_written_in_words(text: Any, value: bool) -> None:
    assert fill(FORM, {**ENTERED, "own": text}).fields["own"] is value


def test_fields_that_are_not_asked_for_are_not_kept() -> None:
    filled = fill(FORM, {**ENTERED, "tls": "off", "ca": "left over", "token": "t"})
    assert filled.fields["ca"] == ""
    assert filled.names == ("password", "token")

    back = fill(FORM, {"tls": "on", "password": "one"}, filled.fields, filled.names)
    assert back.secrets == {"password": "one", "token": None}


def changed(**given: Any) -> Filled:
    """A change of what was entered before."""
    before = fill(FORM, ENTERED)
    return fill(FORM, given, before.fields, before.names, may_widen=True)


def test_what_is_left_out_of_a_change_stays() -> None:
    filled = changed(prefix="a/")

    assert (filled.fields["host"], filled.fields["prefix"]) == ("db", "a/")
    assert (filled.kept, filled.secrets) == (("password",), {})


@pytest.mark.promise("DATA-5")
@pytest.mark.parametrize("moved", [{"host": "of-somebody-else"}, {"port": 1}, {"tls": "off"}])
def test_a_secret_is_entered_again_where_it_would_be_shown_to_another(
    moved: dict[str, Any],
) -> None:
    with pytest.raises(Refusal, match="Password must be entered again"):
        changed(**moved)

    assert changed(**moved, password="new").secrets == {"password": "new"}


@pytest.mark.promise("DATA-5")
def test_what_is_read_with_a_secret_that_stays_changes_only_for_those_who_may_widen_it() -> None:
    before = fill(FORM, ENTERED | {"prefix": "of-vision/"})

    wrong = refused({"prefix": ""}, before.fields, before.names)

    assert wrong == {"password": "Prefix changed, so Password must be entered again."}
    again = fill(FORM, {"prefix": "", "password": "new"}, before.fields, before.names)
    assert (again.fields["prefix"], again.kept) == ("", ())
    same = fill(FORM, {"prefix": "of-vision/"}, before.fields, before.names)
    assert same.kept == ("password",)


def test_a_secret_that_is_needed_cannot_be_taken_away() -> None:
    before = fill(FORM, ENTERED)

    wrong = refused({"password": None}, before.fields, before.names)

    assert wrong == {"password": "Password is missing."}
