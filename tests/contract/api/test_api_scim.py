"""A directory on-boards people, keeps their groups, and lets them go: SCIM 2.0."""

from __future__ import annotations

from typing import Any

import pytest

from allotment.api.scim.keeping import Keeper, check_directory
from allotment.api.scim.resources import read_user
from allotment.model.people import Authority, Permission
from allotment.model.refusals import NotPermitted, Refusal
from allotment.model.sign_on import Admits, GroupMapping, MappedGroup, ProviderIdentity
from allotment.record import credentials, events, leaving, memberships, people, sign_ons
from allotment.record import directory as directory_record
from allotment.rules.permission import Caller, Reach
from allotment.settings.scim import Scim
from allotment.settings.sign_on import ProviderGroup, SignIn

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

MEDIA_TYPE = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PROVISION = {Permission.MANAGE_PEOPLE, Permission.MANAGE_ROLES, Permission.STOP_SERVERS}
ISSUER = "https://login.example.org"
SIGN_IN = SignIn(
    kind="oidc",
    operators=("olga",),
    issuer=ISSUER,
    groups=(
        ProviderGroup(name="ml-vision", group="vision"),
        ProviderGroup(name="platform", role="operator"),
    ),
)


class Directory:
    """A directory that has the token of a service account which olga made."""

    def __init__(
        self, api: Any, lab: Any, permissions: Any = frozenset(Permission), name: str = "directory"
    ) -> None:
        self.api = api
        end = lab.now.replace(year=lab.now.year + 1)
        self.token = api.client("olga+").service_accounts.create(name, permissions, end).token

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
    with lab.write() as writing:
        identity = ProviderIdentity(ISSUER, "s-1", "mei", groups=("platform", "ml-vision"))
        sign_ons.bind(writing, "mei", ISSUER, "s-1", called="mei", brought=True)
        sign_ons.signed_in(writing, identity, SIGN_IN.mapping, admits=Admits.KNOWN)
    assert person(lab, "mei").role == "operator"
    directory.set_active(key, active=False)
    early = directory.set_active(key, active=True)
    assert (early.status_code, person(lab, "mei").onboarded) == (409, False)
    assert "has not yet ended what it had of mei" in early.json()["detail"]
    with lab.write() as writing:
        leaving.said_farewell(writing, "mei", "hub", "")

    assert (person(lab, "mei").role, groups_of(lab, "mei")) == ("data-scientist", set())
    assert directory.set_active(key, active=True).json()["active"] is True
    assert person(lab, "mei").onboarded
    assert person(lab, "mei").left_at is None
    assert (person(lab, "mei").role, groups_of(lab, "mei")) == ("data-scientist", set())


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

    assert refused.status_code == 409
    assert "at least one operator" in refused.json()["detail"]
    assert person(lab, "olga").onboarded


@pytest.mark.promise("AUTH-1", "USER-4")
@pytest.mark.parametrize(("method", "path"), [("GET", "/Users"), ("POST", "/Groups")])
def test_a_directory_gives_nothing_through_groups_that_its_account_is_not_permitted(
    api: Any, lab: Any, method: str, path: str
) -> None:
    small = Directory(api, lab, PROVISION)

    refused = small.ask(method, path, {"displayName": "platform"} if method == "POST" else None)

    assert (refused.status_code, refused.json()["schemas"]) == (403, [ERROR])
    lacking = sorted(set(Permission) - PROVISION)
    assert ", ".join(lacking) in refused.json()["detail"]


@pytest.mark.promise("USER-4")
def test_what_a_directory_may_is_looked_at_anew_at_each_request(
    lab: Any, directory: Directory
) -> None:
    with lab.write() as writing:
        people.set_role(writing, "zoe", "operator")
        people.set_role(writing, "olga", "reader")

    assert directory.ask("GET", "/Users").status_code == 403


@pytest.mark.promise("AUTH-3")
def test_nobodys_own_token_speaks_for_a_directory(api: Any) -> None:
    told = api.ask("GET", "/scim/v2/Users", "olga+")

    assert (told.status_code, told.json()["schemas"]) == (403, [ERROR])
    assert "service account" in told.json()["detail"]


@pytest.mark.promise("USER-4")
def test_leading_that_a_mapping_gives_is_asked_of_the_directory_too(lab: Any) -> None:
    caller = Caller(
        Authority("service:d", "", frozenset(PROVISION), (), ()), Reach.EVERYTHING, program=True
    )
    plain, lead = MappedGroup("x", group="vision"), MappedGroup("y", group="vision", lead=True)
    with lab.record.reading() as reading:
        check_directory(reading, caller, GroupMapping((plain,)))
        with pytest.raises(NotPermitted, match="manage-limits"):
            check_directory(reading, caller, GroupMapping((plain, lead)))


@pytest.mark.promise("AUTH-5")
def test_a_directory_lets_operators_go(directory: Directory, lab: Any) -> None:
    with lab.write() as writing:
        people.set_role(writing, "bob", "operator")
    (bob,) = directory.ask("GET", "/Users", filter='userName eq "bob"').json()["Resources"]

    assert directory.set_active(bob["id"], active=False).status_code == 200
    assert person(lab, "bob").left_at is not None


def keeper(local: tuple[str, ...] = (), permissions: Any = frozenset(Permission)) -> Keeper:
    """A directory whose ids are the provider's subjects."""
    caller = Caller(
        Authority("service:d", "", frozenset(permissions), (), ()), Reach.EVERYTHING, program=True
    )
    sign_in = SIGN_IN.model_copy(update={"local": local})
    return Keeper(caller, Scim(external_id_is_subject=True), sign_in)


def bound(lab: Any, keeping: Keeper, name: str) -> bool:
    """Whether the directory's word makes a subject this person, who was here before it came."""
    sent = read_user({"userName": name, "externalId": "s-1"})
    try:
        with lab.write("service:d") as writing:
            directory_record.ensure(writing)
            found = directory_record.of_person(writing, name)
            assert found is not None
            keeping.put(writing, found.id, read_user({"userName": name}))
            keeping.put(writing, found.id, sent)
    except Refusal:
        pass
    with lab.record.reading() as reading:
        return sign_ons.is_whose(reading, ISSUER, "s-1") == name


@pytest.mark.promise("AUTH-4")
def test_a_directory_makes_no_subject_somebody_who_has_something_here_already(lab: Any) -> None:
    assert bound(lab, keeper(), "ann")
    with lab.write() as writing:
        sign_ons.unlink(writing, "ann")
        credentials.set_password(writing, "bob", "a-hash")
    assert not bound(lab, keeper(), "bob")
    lab.granted("zoe", "cpu", "hers")
    assert not bound(lab, keeper(), "zoe")
    assert not bound(lab, keeper(local=("olga",)), "olga")
    assert not bound(lab, keeper(permissions=PROVISION), "olga")


@pytest.mark.promise("AUTH-4")
def test_whom_the_directory_itself_brought_it_may_name_later(lab: Any) -> None:
    with lab.write("service:d") as writing:
        made = keeper().add(writing, read_user({"userName": "mei"}))
        credentials.set_password(writing, "mei", "a-hash")
        keeper().put(writing, made.id, read_user({"userName": "mei", "externalId": "s-1"}))
        assert sign_ons.is_whose(writing, ISSUER, "s-1") == "mei"


@pytest.mark.promise("AUTH-5")
@pytest.mark.parametrize("clash", [{"userName": "bob"}, {"externalId": "s-of-another"}])
def test_nothing_else_that_a_directory_says_keeps_whom_it_lets_go(
    lab: Any, clash: dict[str, str]
) -> None:
    with lab.write("service:d") as writing:
        directory_record.ensure(writing)
        made = keeper().add(writing, read_user({"userName": "mei", "externalId": "s-1"}))
        sent = {"userName": "mei", "externalId": "s-1", "active": False} | clash
        entry, left = keeper().put(writing, made.id, read_user(sent))
        assert (left, entry.active) == (True, False)
        assert entry.document["userName"] == "mei"
    assert person(lab, "mei").left_at is not None


@pytest.mark.promise("AUTH-4")
def test_a_name_of_letters_that_only_look_alike_is_nobodys(directory: Directory) -> None:
    told = directory.ask("POST", "/Users", {"userName": "\u212aim"})

    assert (told.status_code, told.json()["scimType"]) == (400, "invalidValue")


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
