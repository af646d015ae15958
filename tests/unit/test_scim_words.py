"""Filters and patches of SCIM, as truth tables."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.api.scim.filtering import read_filter
from allotment.api.scim.patching import patched
from allotment.api.scim.problems import ScimProblem

ANN = {
    "id": "a1",
    "userName": "Ann@Example.org",
    "active": True,
    "name": {"familyName": "Smith"},
    "emails": [{"value": "ann@example.org", "type": "work"}, {"value": "a@home", "type": "home"}],
    "meta": {"lastModified": "2026-03-01T12:00:00Z"},
}


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    ("text", "met"),
    [
        ('userName eq "ann@example.org"', True),
        ('USERNAME Eq "ANN@EXAMPLE.ORG"', True),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ann@example.org"', True),
        ('userName ne "ann@example.org"', False),
        ('userName sw "ann" and active eq true', True),
        ('userName sw "bob" or name.familyName co "mit"', True),
        ('not (userName sw "bob")', True),
        ('id eq "A1"', False),
        ('emails[type eq "home" and value co "home"]', True),
        ('emails[type eq "home" and value co "example"]', False),
        ('emails co "example"', True),
        ("title pr", False),
        ("name.familyName pr", True),
        ('meta.lastModified gt "2026-01-01T00:00:00Z"', True),
        ('active eq "true"', False),
        ('userName ew "org" and (title pr or active eq false)', False),
        (r'userName eq "a\"b"', False),
    ],
)
def test_a_filter_means_what_the_protocol_says(text: str, met: bool) -> None:
    assert read_filter(text)(ANN) is met


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    "text",
    [
        "userName",
        "userName eq",
        "userName eq ann",
        'userName like "ann"',
        '(userName eq "ann"',
        'userName eq "ann" userName',
        'emails[type eq "work"',
        'active co true and userName eq "x"',
        "(" * 50 + 'userName eq "a"' + ")" * 50,
        'userName eq "' + "a" * 3000 + '"',
    ],
)
def test_a_filter_that_cannot_be_understood_is_refused(text: str) -> None:
    with pytest.raises(ScimProblem) as refused:
        read_filter(text)
    assert (refused.value.status, refused.value.kind) == (400, "invalidFilter")


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return patched(ANN, {"Operations": list(operations)})


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        ({"op": "replace", "path": "active", "value": False}, "active", False),
        ({"op": "Replace", "value": {"active": "False"}}, "active", "False"),
        ({"op": "add", "path": "title", "value": "Dr"}, "title", "Dr"),
        (
            {"op": "replace", "path": "name.givenName", "value": "Ann"},
            "name",
            {"familyName": "Smith", "givenName": "Ann"},
        ),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, "emails", [ANN["emails"][0]]),
        (
            {"op": "replace", "path": 'emails[type eq "work"].value', "value": "x@y"},
            "emails",
            [{"value": "x@y", "type": "work"}, ANN["emails"][1]],
        ),
        (
            {"op": "add", "path": 'emails[type eq "other"].value', "value": "x@y"},
            "emails",
            [*ANN["emails"], {"type": "other", "value": "x@y"}],
        ),
        ({"op": "remove", "path": "emails"}, "emails", None),
        (
            {"op": "add", "path": "emails", "value": [ANN["emails"][0]]},
            "emails",
            ANN["emails"],
        ),
        ({"op": "replace", "path": "id", "value": "b"}, "id", "a1"),
    ],
)
def test_a_patch_does_what_its_operation_says(
    operation: dict[str, Any], name: str, value: Any
) -> None:
    assert patch(operation).get(name) == value


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({}, "invalidSyntax"),
        ({"Operations": []}, "invalidSyntax"),
        ({"Operations": ["remove"]}, "invalidSyntax"),
        ({"Operations": [{"op": "move", "path": "title"}]}, "invalidSyntax"),
        ({"Operations": [{"op": "remove"}]}, "noTarget"),
        ({"Operations": [{"op": "add", "value": "x"}]}, "invalidValue"),
        ({"Operations": [{"op": "add", "path": "a.b.c.d", "value": 1}]}, "invalidPath"),
        ({"Operations": [{"op": "replace", "path": "groups", "value": []}]}, "mutability"),
        (
            {"Operations": [{"op": "replace", "path": "emails[type pr].value", "value": 1}] * 1001},
            "invalidSyntax",
        ),
    ],
)
def test_a_patch_that_cannot_be_carried_out_is_refused(document: dict[str, Any], kind: str) -> None:
    with pytest.raises(ScimProblem) as refused:
        patched(ANN, document)
    assert refused.value.kind == kind


@pytest.mark.promise("USER-2")
def test_what_is_patched_is_not_changed_itself() -> None:
    patch({"op": "add", "path": "emails", "value": {"value": "new@example.org"}})
    assert len(ANN["emails"]) == 2


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("emails pr", True),
        ("name pr", True),
        ("nested pr", True),
        ("nothing pr", False),
        ("empty pr", False),
        ("title eq null", True),
        ("userName eq null", False),
        ("userName ne null", True),
        ("emails eq null", False),
    ],
)
def test_what_has_a_value_is_told_from_what_has_none(text: str, met: bool) -> None:
    one = {
        "userName": "mei",
        "emails": [{"value": "mei@example.org"}],
        "name": {"value": {"familyName": "Chen"}},
        "nested": [{"value": [1]}],
        "empty": [{"value": []}, {"display": "x"}],
        "title": None,
    }
    assert read_filter(text)(one) is met


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize("value", ["null", "true", "false"])
@pytest.mark.parametrize("operator", ["gt", "ge", "lt", "le"])
def test_what_has_no_order_is_not_compared_by_it(operator: str, value: str) -> None:
    with pytest.raises(ScimProblem) as wrong:
        read_filter(f"emails {operator} {value}")
    assert wrong.value.kind == "invalidFilter"
