"""A directory on-boards people, keeps their groups, and lets them go: SCIM 2.0."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.model.people import Permission
from allotment.record import events, memberships, people

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
DIRECTORY = {Permission.MANAGE_PEOPLE, Permission.MANAGE_ROLES, Permission.STOP_SERVERS}


class Directory:
    """A directory that has the token of a service account which olga made."""

    def __init__(self, api: Any, lab: Any) -> None:
        self.api = api
        end = lab.now.replace(year=lab.now.year + 1)
        self.token = api.client("olga+").service_accounts.create("directory", DIRECTORY, end).token

    def ask(self, method: str, path: str, document: Any = None, **query: Any) -> Any:
        headers = {"Content-Type": MEDIA_TYPE}
        more = {"json": document} if document is not None else {}
        return self.api.ask(
            method, f"/scim/v2{path}", self.token, headers=headers, params=query, **more
        )

    def add(self, name: str, **more: Any) -> str:
        made = self.ask("POST", "/Users", {"userName": name, **more})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def group(self, name: str, *members: str) -> str:
        document = {"displayName": name, "members": [{"value": one} for one in members]}
        made = self.ask("POST", "/Groups", document)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})

    def set_active(self, key: str, active: Any) -> Any:
        return self.patch(f"/Users/{key}", {"op": "replace", "path": "active", "value": active})


@pytest.fixture
def directory(api: Any, lab: Any) -> Directory:
    return Directory(api, lab)


def person(lab: Any, name: str) -> Any:
    with lab.record.reading() as reading:
        return people.get(reading, name)


def groups_of(lab: Any, name: str) -> set[tuple[str, str]]:
    with lab.record.reading() as reading:
        rows = memberships.all_memberships(reading, person=name)
    return {(row.group, str(row.origin)) for row in rows}


@pytest.mark.promise("USER-2")
def test_a_directory_onboards_somebody(directory: Directory, lab: Any) -> None:
    made = directory.ask(
        "POST",
        "/Users",
        {
            "userName": "Mei@example.org",
            "externalId": "x-1",
            "displayName": "Mei Chen",
            "emails": [{"value": "mei@example.org", "primary": True}],
            "password": "is-left-aside",
        },
    )

    assert made.headers["Content-Type"] == MEDIA_TYPE
    told = made.json()
    assert made.headers["Location"] == told["meta"]["location"]
    assert (told["userName"], told["active"], told["externalId"]) == (
        "Mei@example.org",
        True,
        "x-1",
    )
    assert "password" not in made.text
    known = person(lab, "mei@example.org")
    assert (known.onboarded, known.email) == (True, "mei@example.org")
    assert directory.ask("GET", f"/Users/{told['id']}").json() == told


@pytest.mark.promise("USER-2")
def test_a_directory_finds_who_is_here_already_instead_of_making_them_twice(
    directory: Directory,
) -> None:
    found = directory.ask("GET", "/Users", filter='userName eq "BOB"').json()

    assert (found["totalResults"], found["Resources"][0]["userName"]) == (1, "bob")
    again = directory.ask("POST", "/Users", {"userName": "bob"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


@pytest.mark.promise("USER-2")
def test_lists_come_in_pages_and_with_the_attributes_that_were_asked_for(
    directory: Directory,
) -> None:
    first = directory.ask("GET", "/Users", startIndex=1, count=2, attributes="userName").json()
    rest = directory.ask("GET", "/Users", startIndex=3, count=100).json()

    assert (first["itemsPerPage"], first["totalResults"]) == (2, rest["totalResults"])
    assert set(first["Resources"][0]) == {"schemas", "id", "userName"}
    names = [one["userName"] for one in (*first["Resources"], *rest["Resources"])]
    assert names == ["ann", "bob", "olga", "rita", "zoe"]
    assert directory.ask("GET", "/Users", count=0).json()["Resources"] == []


@pytest.mark.promise("AUTH-5")
@pytest.mark.parametrize("word", [False, "False"])
def test_who_is_not_active_any_more_has_left(directory: Directory, lab: Any, word: Any) -> None:
    allotment = lab.granted("bob", "gpu", "train")
    (bob,) = directory.ask("GET", "/Users", filter='userName eq "bob"').json()["Resources"]

    told = directory.set_active(bob["id"], word)

    assert (told.status_code, told.json()["active"]) == (200, False)
    assert person(lab, "bob").left_at is not None
    assert groups_of(lab, "bob") == set()
    assert ("DELETE", "/users/bob/servers/train") in directory.api.hub.commands()
    with lab.record.reading() as reading:
        (said,) = events.newest(reading, "allotment.stopping")
    assert (said.subject, said.actor) == (allotment, "service:directory")


@pytest.mark.promise("AUTH-5")
def test_who_is_active_again_comes_back_without_what_they_had(
    directory: Directory, lab: Any
) -> None:
    key = directory.add("mei")
    directory.set_active(key, active=False)

    assert directory.set_active(key, active=True).json()["active"] is True
    assert person(lab, "mei").onboarded
    assert person(lab, "mei").left_at is None


@pytest.mark.promise("AUTH-5")
def test_who_is_deleted_in_the_directory_has_left_and_their_id_never_comes_back(
    directory: Directory, lab: Any
) -> None:
    key = directory.add("mei")

    assert directory.ask("DELETE", f"/Users/{key}").status_code == 204
    assert directory.ask("GET", f"/Users/{key}").status_code == 404
    assert person(lab, "mei").left_at is not None
    again = directory.ask("POST", "/Users", {"userName": "mei"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")


@pytest.mark.promise("USER-1")
def test_a_directory_cannot_take_the_last_operator(directory: Directory, lab: Any) -> None:
    (olga,) = directory.ask("GET", "/Users", filter='userName eq "olga"').json()["Resources"]

    refused = directory.set_active(olga["id"], active=False)

    assert refused.status_code in {403, 409}
    assert person(lab, "olga").onboarded


@pytest.mark.promise("GROUP-1")
def test_a_group_of_the_directory_gives_what_the_settings_map_it_to(
    directory: Directory, lab: Any
) -> None:
    key = directory.add("mei")
    group = directory.group("ml-vision", key)
    assert groups_of(lab, "mei") == {("vision", "provider")}

    directory.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{key}"]'})
    assert groups_of(lab, "mei") == set()

    directory.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": key}]})
    assert groups_of(lab, "mei") == {("vision", "provider")}

    directory.ask("PUT", f"/Groups/{group}", {"displayName": "other", "members": [{"value": key}]})
    assert groups_of(lab, "mei") == set()


@pytest.mark.promise("GROUP-1")
def test_a_deleted_group_takes_what_it_gave_and_leaves_other_origins(
    directory: Directory, lab: Any
) -> None:
    (bob,) = directory.ask("GET", "/Users", filter='userName eq "bob"').json()["Resources"]
    group = directory.group("ml-vision", bob["id"])
    assert groups_of(lab, "bob") == {("vision", "console"), ("vision", "provider")}

    assert directory.ask("DELETE", f"/Groups/{group}").status_code == 204
    assert groups_of(lab, "bob") == {("vision", "console")}


@pytest.mark.promise("AUTH-1")
def test_a_group_of_operators_makes_operators(directory: Directory, lab: Any) -> None:
    key = directory.add("mei")
    group = directory.group("platform", key)
    assert person(lab, "mei").role == "operator"

    shown = directory.ask("GET", f"/Users/{key}").json()
    assert [(one["display"], one["value"]) for one in shown["groups"]] == [("platform", group)]
    directory.patch(f"/Groups/{group}", {"op": "remove", "path": "members"})
    assert person(lab, "mei").role == "data-scientist"


@pytest.mark.promise("USER-2")
def test_the_platform_describes_itself_to_directories(directory: Directory) -> None:
    config = directory.ask("GET", "/ServiceProviderConfig").json()
    kinds = directory.ask("GET", "/ResourceTypes").json()
    known = directory.ask("GET", "/Schemas").json()

    assert (config["patch"]["supported"], config["bulk"]["supported"]) == (True, False)
    assert [one["endpoint"] for one in kinds["Resources"]] == ["/Users", "/Groups"]
    ids = [one["id"] for one in known["Resources"]]
    assert [directory.ask("GET", f"/Schemas/{one}").json()["id"] for one in ids] == ids
    assert directory.ask("GET", "/ResourceTypes/Robot").status_code == 404


@pytest.mark.promise("USER-2")
@pytest.mark.parametrize(
    ("method", "path", "document", "status", "kind"),
    [
        ("POST", "/Users", {}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "two words"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "mei", "active": "perhaps"}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "mei", "emails": [{"value": "no"}]}, 400, "invalidValue"),
        ("POST", "/Users", ["mei"], 400, "invalidSyntax"),
        ("POST", "/Groups", {"displayName": "g", "members": [{}]}, 400, "invalidValue"),
        (
            "POST",
            "/Groups",
            {"displayName": "g", "members": [{"value": "nobody"}]},
            400,
            "invalidValue",
        ),
        ("GET", "/Users?filter=userName", None, 400, "invalidFilter"),
        ("GET", f"/Users/{'0' * 32}", None, 404, None),
        ("GET", "/Users/bob", None, 400, "invalidSyntax"),
        ("PATCH", f"/Groups/{'0' * 32}", {"Operations": []}, 404, None),
    ],
)
def test_what_cannot_be_done_is_told_in_the_protocols_own_words(
    directory: Directory,
    method: str,
    path: str,
    document: Any,
    status: int,
    kind: str | None,
) -> None:
    where, _, query = path.partition("?")
    more = dict([query.split("=")]) if query else {}
    told = directory.ask(method, where, document, **more)

    assert told.headers["Content-Type"] == MEDIA_TYPE
    problem = told.json()
    assert (problem["schemas"], problem["status"]) == ([ERROR], str(status))
    assert (told.status_code, problem.get("scimType")) == (status, kind)


@pytest.mark.promise("AUTH-3")
def test_a_directory_without_a_token_is_refused_in_the_protocols_words(api: Any) -> None:
    told = api.ask("GET", "/scim/v2/Users", "allotment-sa-made-up")

    assert (told.status_code, told.headers["Content-Type"]) == (401, MEDIA_TYPE)
    assert told.json()["schemas"] == [ERROR]


@pytest.mark.promise("USER-2")
def test_two_users_of_a_directory_never_have_one_name(directory: Directory) -> None:
    directory.add("mei")
    other = directory.add("tom")

    renamed = directory.patch(
        f"/Users/{other}", {"op": "replace", "path": "userName", "value": "MEI"}
    )

    assert (renamed.status_code, renamed.json()["scimType"]) == (409, "uniqueness")


@pytest.mark.promise("AUTH-4")
def test_a_name_that_changes_in_the_directory_keeps_the_person(
    directory: Directory, lab: Any
) -> None:
    key = directory.add("mei")
    directory.patch(f"/Users/{key}", {"op": "replace", "value": {"userName": "mei.chen"}})

    assert person(lab, "mei").onboarded
    assert directory.ask("GET", f"/Users/{key}").json()["userName"] == "mei.chen"
