"""Every route, asked by every role with every kind of token.

One row a route: how to ask it, and who is served. A route without a row fails the first test, and
whoever is refused must have changed nothing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from allotment.api.identity import hash_token
from allotment.api.sessions import COOKIE
from allotment.model.budgets import BudgetScope, BudgetTerms
from allotment.model.cordons import Cordon, Scope
from allotment.model.documents import Simulation
from allotment.model.endings import Cause
from allotment.model.homes import Home, Packed
from allotment.model.instance_types import InstanceType
from allotment.model.people import Permission
from allotment.model.reservations import Reservation
from allotment.record import (
    allotments,
    budgets,
    cordons,
    departments,
    endings,
    events,
    home_archives,
    instance_types,
    memberships,
    people,
    reservations,
    roles,
    schema,
)
from allotment.record.schema import tickets
from data_routes import DATA_ROWS, furnish
from route_rows import Row, any_revision, body, edit
from sign_on_routes import SIGN_ON_ROWS

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

ACCESS = "access:services!service=allotment"
OPERATE = "custom:allotment:operate"

# Who asks, each with a token that reaches as far as their role, but for W and K:
#   O operator   R reader   C data custodian   L lead of vision   M member of vision   Z in no group
#   P own role that manages pools   N known to the hub only
#   W an operator's token without the scope   K an operator's cookie
EVERYBODY = "ORCLMZPNWK"
TOKENS = {
    "O": "olga+",
    "R": "rita+",
    "C": "carl+",
    "L": "ann+",
    "M": "bob+",
    "Z": "zoe+",
    "P": "pia+",
    "N": "nina+",
    "W": "olga",
}
# Other tokens, each of which must be served exactly as the letter says.
LIKE = {
    "the-console": "O",
    "made-by-hand-with-the-consoles-scopes": "O",
    "olgas-ordinary-server": "W",
    "olgas-ordinary-server-given-the-scope": "W",
    "made-by-hand-with-a-servers-scopes": "W",
    "bobs-server": "M",
    "of-another-user": "Z",
    "zoes-server": "Z",
}
REFUSED = {401, 403, 404}
NOBODY = {None: 401, "unknown": 401, "without-access": 403, "of-a-service": 403}


def a_pool(lab: Any, number: int) -> None:
    lab.pool(f"pool-{number}", [])


def an_instance_type(lab: Any, number: int) -> None:
    with lab.write() as writing:
        instance_types.create(writing, InstanceType(f"type-{number}"))


def a_group(lab: Any, number: int) -> None:
    lab.group(f"group-{number}")


def a_day_to_reserve(number: int) -> dict[str, Any]:
    """A body that reserves one device for vision, on a day of its own."""
    day = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=number)
    until = day + timedelta(days=1)
    times = {"begins_at": day.isoformat(), "ends_at": until.isoformat()}
    return {"json": {"pool": "a100", "devices": 1, "group": "vision", **times}}


def a_reservation(lab: Any, number: int) -> None:
    """Of one device in a day of its own, with the number as its id."""
    day = lab.now + timedelta(days=number)
    with lab.write() as writing:
        made = reservations.create(
            writing, Reservation("", "a100", 1, day, day + timedelta(days=1), "vision")
        )
        rows = schema.reservations
        writing.run(rows.update().where(rows.c.id == made.id).values(id=f"{number:x}"))


def a_cordon(lab: Any, number: int) -> None:
    """Of the node, with the number as its id."""
    with lab.write() as writing:
        wanted = Cordon("", Scope.NODE, ("n1",), "Dust.", lab.now, "olga", lab.now)
        made = cordons.create(writing, wanted)
        rows = schema.cordons
        writing.run(rows.update().where(rows.c.id == made.id).values(id=f"{number:x}"))


def a_home(lab: Any, number: int) -> None:
    """One that nobody uses, with the number in its name."""
    with lab.write() as writing:
        row = {"hub": "hub", "place": f"h{number}", "person": "dora", "unused_since": lab.now}
        writing.run(schema.homes.insert().values(**row))


def an_archive(lab: Any, number: int) -> None:
    """One with the number as its id."""
    with lab.write() as writing:
        home = Home("hub", f"h{number}", "dora")
        home_archives.made(writing, f"{number:x}", home, "h.tar.gz", Packed(1, 1), "olga")


def a_replay(lab: Any, number: int) -> None:
    """One that has ended, with the number as its id."""
    one = {"question": "compare", "state": "done", "progress": 1.0, "own": True}
    known = Simulation.model_validate(
        {"id": f"{number:x}", "asked_by": "olga", "asked_at": lab.now, **one}
    )
    lab.simulations._kept[known.id] = known


def a_department(lab: Any, number: int) -> None:
    with lab.write() as writing:
        departments.create(writing, f"department-{number}")


def a_person(lab: Any, number: int) -> None:
    lab.people(f"person-{number}")


def a_member(lab: Any, number: int) -> None:
    lab.people(f"person-{number}", group="vision")


def a_budget(lab: Any, _number: int) -> None:
    with lab.write() as writing:
        budgets.put(writing, BudgetScope.PERSON, "bob", BudgetTerms(amount=Decimal(50)))


def a_role(lab: Any, number: int) -> None:
    with lab.write() as writing:
        roles.put(writing, f"role-{number}", {Permission.MANAGE_POOLS})


def an_announced_end(lab: Any, _number: int) -> None:
    """Of bob's server, not put off yet."""
    with lab.write("endings") as writing:
        (bobs,) = (one for one in allotments.active(writing, person="bob") if one.server == "train")
        endings.withdraw(writing, bobs.id, Cause.IDLE)
        endings.say(writing, bobs.id, Cause.IDLE, writing.now + timedelta(minutes=15), "Idle.")


def a_free_device(lab: Any, number: int) -> None:
    """In the default pool, which people without a group use."""
    lab.devices(1, prefix=f"free-{number}")


def a_ticket(lab: Any, number: int) -> None:
    """Bob waits with a server."""
    with lab.write("bob") as writing:
        row = {
            "id": f"{number:032x}",
            "hub": "hub",
            "person": "bob",
            "server": f"waits-{number}",
            "profile": "gpu",
            "group_name": "vision",
            "device_count": 1,
            "priority": "dedicated",
            "candidates": [["a100", "A100"]],
            "state": "waiting",
            "since": writing.now,
        }
        writing.run(tickets.insert().values(**row))


REPORT = {
    "kernels": 1,
    "kernels_busy": 0,
    "terminals": 0,
    "last_activity": "2026-03-01T12:00:00Z",
    "devices": [],
}
BOBS = "hub~bob~train"
ROWS = [
    Row("GET", "/about", EVERYBODY),
    Row("PATCH", "/about", "O", edit(mode="strict")),
    Row("GET", "/me", EVERYBODY),
    Row("GET", "/about/news", EVERYBODY),
    Row("GET", "/work", "OR"),
    Row("GET", "/health/parts", "OR"),
    Row("GET", "/overview", "OR"),
    Row("GET", "/use", "OR"),
    Row("GET", "/metrics", "OR"),
    Row("GET", "/waiting", "OR"),
    Row("GET", "/devices", EVERYBODY),
    Row("GET", "/devices/{device}", "ORLM", at="/devices/gpu-0"),
    Row("GET", "/pools", EVERYBODY),
    Row("GET", "/pools/{name}", "ORLM", at="/pools/a100"),
    Row("GET", "/nodes", "OR"),
    Row("GET", "/nodes/{node}", "OR", at="/nodes/n1"),
    Row("POST", "/pools", "OP", body(name="new-{number}", devices=[])),
    Row("PATCH", "/pools/{name}", "OP", edit(devices=[]), "/pools/pool-{number}", a_pool),
    Row(
        "POST",
        "/pools/{name}/consequences",
        "OP",
        body(policy={"sharing": True}),
        "/pools/a100/consequences",
    ),
    Row("DELETE", "/pools/{name}", "OP", any_revision, "/pools/pool-{number}", a_pool),
    Row("GET", "/groups", EVERYBODY),
    Row("GET", "/groups/{name}", "ORLM", at="/groups/vision"),
    Row("POST", "/groups", "O", body(name="new-{number}")),
    Row("PATCH", "/groups/{name}", "O", edit(title="Seeing"), "/groups/vision"),
    Row(
        "POST",
        "/groups/{name}/consequences",
        "O",
        body(shares=[]),
        "/groups/vision/consequences",
    ),
    Row("DELETE", "/groups/{name}", "O", any_revision, "/groups/group-{number}", a_group),
    Row(
        "PUT",
        "/groups/{name}/members/{person}",
        "OL",
        body(),
        "/groups/vision/members/person-{number}",
        a_person,
    ),
    Row(
        "DELETE",
        "/groups/{name}/members/{person}",
        "OL",
        at="/groups/vision/members/person-{number}",
        prepare=a_member,
    ),
    Row("GET", "/software", "OR"),
    Row("GET", "/instance-types", "OR"),
    Row("GET", "/instance-types/{name}", "OR", at="/instance-types/g5.xlarge"),
    Row("POST", "/instance-types", "O", body(name="new-{number}.large")),
    Row("PATCH", "/instance-types/{name}", "O", edit(limit=3), "/instance-types/g5.xlarge"),
    Row(
        "DELETE",
        "/instance-types/{name}",
        "O",
        any_revision,
        "/instance-types/type-{number}",
        an_instance_type,
    ),
    Row(
        "POST",
        "/instance-types/{name}/revoke",
        "O",
        body(reason="Too dear."),
        "/instance-types/type-{number}/revoke",
        an_instance_type,
    ),
    Row("POST", "/instance-types/read", "O"),
    Row("GET", "/reservations", EVERYBODY),
    Row(
        "POST",
        "/reservations",
        "OP",
        a_day_to_reserve,
    ),
    Row(
        "PATCH",
        "/reservations/{key}",
        "OP",
        edit(note="Course"),
        "/reservations/{number:x}",
        a_reservation,
    ),
    Row(
        "DELETE",
        "/reservations/{key}",
        "OP",
        any_revision,
        "/reservations/{number:x}",
        a_reservation,
    ),
    Row("GET", "/homes", EVERYBODY),
    Row("POST", "/homes/{home}/keep", "O", body(until=None), "/homes/hub~h{number}/keep", a_home),
    Row("POST", "/homes/{home}/end", "O", body(what="remove"), "/homes/hub~h{number}/end", a_home),
    Row(
        "POST",
        "/homes/archives/{key}",
        "O",
        body(what="restore"),
        "/homes/archives/{number:x}",
        an_archive,
    ),
    Row("GET", "/cordons", "OR"),
    Row("POST", "/cordons", "OP", body(scope="node", names=["n1"], reason="Dust.")),
    Row("POST", "/cordons/consequences", "OP", body(scope="node", names=["n1"], reason="Dust.")),
    Row(
        "PATCH", "/cordons/{key}", "OP", edit(reason="More dust."), "/cordons/{number:x}", a_cordon
    ),
    Row("DELETE", "/cordons/{key}", "OP", any_revision, "/cordons/{number:x}", a_cordon),
    Row("GET", "/departments", "OR"),
    Row("GET", "/departments/{name}", "OR", at="/departments/research"),
    Row("POST", "/departments", "O", body(name="new-{number}")),
    Row("PATCH", "/departments/{name}", "O", edit(title="Seeing"), "/departments/research"),
    Row(
        "POST",
        "/departments/{name}/consequences",
        "O",
        body(ceilings={"a100": 1}),
        "/departments/research/consequences",
    ),
    Row(
        "DELETE",
        "/departments/{name}",
        "O",
        any_revision,
        "/departments/department-{number}",
        a_department,
    ),
    Row("GET", "/users", EVERYBODY),
    Row("GET", "/users/{name}", "ORLM", at="/users/bob"),
    Row("GET", "/users/{name}/email", "OM", at="/users/bob/email"),
    Row("PUT", "/users/{name}/email", "OM", body(email=""), "/users/bob/email"),
    Row("POST", "/users", "O", body(names=["new-{number}"])),
    Row("POST", "/users/delete", "O", body(names=["person-{number}"]), prepare=a_person),
    Row("PATCH", "/users/{name}", "O", edit(role="reader"), "/users/person-{number}", a_person),
    Row(
        "POST",
        "/users/{name}/move",
        "O",
        body(group=None),
        "/users/person-{number}/move",
        a_member,
    ),
    Row(
        "POST",
        "/users/{name}/reset-link",
        "O",
        at="/users/person-{number}/reset-link",
        prepare=a_person,
    ),
    Row("GET", "/roles", "OR"),
    Row("GET", "/roles/{name}", "OR", at="/roles/operator"),
    Row("POST", "/roles", "O", body(name="new-{number}", permissions=["manage-pools"])),
    Row("PATCH", "/roles/{name}", "O", edit(permissions=[]), "/roles/role-{number}", a_role),
    Row("DELETE", "/roles/{name}", "O", any_revision, "/roles/role-{number}", a_role),
    Row("GET", "/limits", EVERYBODY),
    Row("PUT", "/limits", "OL", body(scope="person", subject="bob", kind="devices", value=1)),
    Row(
        "POST",
        "/limits/consequences",
        "OL",
        body(scope="person", subject="bob", kind="devices", value=1),
    ),
    Row("GET", "/profiles", EVERYBODY),
    Row("GET", "/profiles/{name}", EVERYBODY, at="/profiles/gpu"),
    Row("PATCH", "/profiles/{name}", "O", edit(enabled=True), "/profiles/gpu"),
    Row(
        "POST", "/profiles/{name}/revoke", "O", body(reason="No more."), "/profiles/two-gpu/revoke"
    ),
    Row("GET", "/servers", EVERYBODY),
    Row("GET", "/servers/{server}", "ORLM", at=f"/servers/{BOBS}"),
    Row(
        "POST",
        "/servers/{server}/extend",
        "OLM",
        at=f"/servers/{BOBS}/extend",
        prepare=an_announced_end,
    ),
    Row(
        "POST",
        "/servers/{server}/keep",
        "OLM",
        body(until="2026-03-01T14:00:00Z"),
        at=f"/servers/{BOBS}/keep",
    ),
    Row("POST", "/servers/stop", "OLM", body(servers=[BOBS], reason="Maintenance.")),
    Row("POST", "/servers/start", "OLM", body(servers=[BOBS])),
    Row("GET", "/tickets", EVERYBODY),
    Row("GET", "/tickets/{ticket}", "ORLM", at="/tickets/{number:032x}", prepare=a_ticket),
    Row(
        "POST",
        "/tickets",
        "ORCLMZPW",
        body(profile="gpu", server="wait-{number}"),
        prepare=a_free_device,
    ),
    Row("DELETE", "/tickets/{ticket}", "OLM", at="/tickets/{number:032x}", prepare=a_ticket),
    Row(
        "POST",
        "/tickets/{ticket}/move",
        "O",
        body(to="front"),
        "/tickets/{number:032x}/move",
        a_ticket,
    ),
    Row("GET", "/events", EVERYBODY),
    Row("GET", "/refusals", EVERYBODY),
    Row("GET", "/drift", "OR"),
    Row("GET", "/usage", EVERYBODY),
    Row("GET", "/capacity-plan", "OR"),
    Row("GET", "/simulations", "OR"),
    Row("GET", "/simulations/policy", "OR"),
    Row("GET", "/simulations/{simulation}", "OR", at="/simulations/{number:x}", prepare=a_replay),
    Row("POST", "/simulations", "OR", body(begin="2020-01-01", end="2020-01-02")),
    Row(
        "DELETE", "/simulations/{simulation}", "OR", at="/simulations/{number:x}", prepare=a_replay
    ),
    Row("GET", "/budgets", EVERYBODY),
    Row("GET", "/budgets/{scope}/{subject}", "ORLM", at="/budgets/person/bob", prepare=a_budget),
    Row(
        "PUT",
        "/budgets/{scope}/{subject}",
        "OL",
        edit(amount="100"),
        "/budgets/person/bob",
        a_budget,
    ),
    Row(
        "DELETE", "/budgets/{scope}/{subject}", "OL", any_revision, "/budgets/person/bob", a_budget
    ),
    Row(
        "POST",
        "/budgets/{scope}/{subject}/consequences",
        "OL",
        body(amount="1"),
        "/budgets/person/bob/consequences",
    ),
    Row("GET", "/explain", "ORLM", lambda _: {"params": {"person": "bob", "profile": "gpu"}}),
    Row("POST", "/reports", "", lambda _: {"json": REPORT}),
    Row("GET", "/configuration", "OR"),
    Row("POST", "/configuration/plan", "O", body(yaml="groups: [{name: vision}]\n")),
    Row("POST", "/configuration/apply", "O", body(yaml="groups: [{name: made-{number}}]\n")),
    *DATA_ROWS,
    *SIGN_ON_ROWS,
]
API = "/api/v1"
OPEN = {
    ("GET", f"{API}/health"),
    ("GET", f"{API}/ready"),
    ("GET", f"{API}/openapi.json"),
    ("GET", "/"),
    ("GET", "/login"),
    ("GET", "/oauth_callback"),
}


@pytest.fixture
def everybody(lab: Any, api: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everybody and every kind of token; bob runs a server on gpu-0, olga one without devices and the console."""
    with lab.write() as writing:
        people.onboard(writing, ["carl"], None, "data-custodian")
        departments.create(writing, "research", "Research", {"a100": 2})
        instance_types.create(writing, InstanceType("g5.xlarge"))
        roles.put(writing, "pool-keeper", {Permission.MANAGE_POOLS})
        people.onboard(writing, ["pia"], None, "pool-keeper")
        memberships.set_lead(writing, "ann", "vision", lead=True)
    for name in ("carl", "pia", "nina"):
        api.hub.give(f"{name}+", name, ACCESS, OPERATE)
    lab.simulations = api.plane.simulations
    servers = {
        "bobs-server": ("bob", "gpu", "train"),
        "olgas-ordinary-server": ("olga", "cpu", "plain"),
        "olgas-ordinary-server-given-the-scope": ("olga", "cpu", ""),
        "the-console": ("olga", "operator-console", "console"),
        "zoes-server": ("zoe", "cpu", "plain"),
    }
    for token, (person, profile, server) in servers.items():
        api.held[token] = lab.granted(person, profile, server, token_hash=hash_token(token))
        marked = token == "the-console" or token.endswith("scope")
        api.hub.give(token, person, ACCESS, *([OPERATE] if marked else []))
    api.hub.give("made-by-hand-with-the-consoles-scopes", "olga", ACCESS, OPERATE)
    api.hub.give("made-by-hand-with-a-servers-scopes", "olga", ACCESS)
    api.hub.give("of-another-user", "zoe", ACCESS)
    api.hub.give("without-access", "olga", OPERATE)
    api.hub.give("of-a-service", "robot", ACCESS, OPERATE, kind="service")
    api.hub.give("cookies", "olga", ACCESS, OPERATE)
    furnish(lab, api, tmp_path / "data", monkeypatch)
    return api


def sequence(lab: Any) -> int:
    with lab.record.reading() as reading:
        return events.latest_sequence(reading)


def credentials(api: Any, letter: str) -> dict[str, Any]:
    """How a letter of the table, or one of the tokens like it, proves who it is."""
    if letter == "K":
        return {"headers": {"Cookie": f"{COOKIE}={api.app.state.sessions.seal('cookies')}"}}
    return {"token": TOKENS.get(letter, letter)}


def ask(api: Any, row: Row, number: int, **proof: Any) -> int:
    """Ask a route; returns the status."""
    options = json.loads(json.dumps(row.make(number)).replace("{root}", str(api.held["root"])))
    headers = options.pop("headers", {}) | proof.pop("headers", {})
    answer = api.ask(row.method, row.address(number), headers=headers, **options, **proof)
    return int(answer.status_code)


@pytest.mark.promise("USER-7")
def test_every_route_has_a_row(api: Any) -> None:
    routes = {
        (method, route.path)
        for route in all_routes(api.app)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes == OPEN | {(row.method, f"{API}{row.path}") for row in ROWS}


def all_routes(app: Any) -> list[Any]:
    return [one for one in iter_route_contexts(app.routes) if one.path]


def resource(row: Row) -> str:
    return row.path.split("/")[1]


RESOURCES = sorted({resource(row) for row in ROWS})
Answers = dict[tuple[str, str], int]


def ask_all(lab: Any, api: Any, of: str, who: dict[str, dict[str, Any]]) -> Answers:
    """Ask every route of a resource as everybody; returns the statuses, those refused first.

    Fails where somebody was refused in another way than by permission, or changed something.
    """
    answers: Answers = {}
    number = 0
    for row in [one for one in ROWS if resource(one) == of]:
        for name in sorted(who, key=lambda one: one in row.served):
            number += 1
            row.prepare(lab, number)
            before = sequence(lab)
            status = answers[row.id, name] = ask(api, row, number, **who[name])
            assert status < 400 or (status in REFUSED and sequence(lab) == before), (row.id, name)
    return answers


@pytest.mark.promise("USER-4", "USER-5", "USER-7", "USER-8")
@pytest.mark.parametrize("of", RESOURCES)
def test_each_role_is_served_what_the_table_says_and_a_refusal_changes_nothing(
    lab: Any, everybody: Any, of: str
) -> None:
    who = {letter: credentials(everybody, letter) for letter in EVERYBODY}
    served = {row.id: row.served for row in ROWS}

    answers = ask_all(lab, everybody, of, who)

    wrong = {
        key: status
        for key, status in answers.items()
        if (status < 400) is not (key[1] in served[key[0]])
    }
    assert wrong == {}


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize("of", [one for one in RESOURCES if one != "reports"])
def test_every_kind_of_token_is_served_like_its_owner_as_far_as_it_reaches(
    lab: Any, everybody: Any, of: str
) -> None:
    served = {row.id: row.served for row in ROWS}
    lent = {row.id: row.servers for row in ROWS}

    answers = ask_all(lab, everybody, of, {token: {"token": token} for token in LIKE})

    wrong = {
        key: status
        for key, status in answers.items()
        if (status < 400) is not (LIKE[key[1]] in served[key[0]] or key[1] in lent[key[0]])
    }
    assert wrong == {}


@pytest.mark.promise("USER-7")
def test_nobody_is_served_without_a_token_meant_for_the_control_plane(everybody: Any) -> None:
    answers = {
        (row.id, token): ask(everybody, row, 0, token=token) for row in ROWS for token in NOBODY
    }

    # Whose a token is does not matter for reports: it is no server's.
    of_servers = {token: 403 if token else 401 for token in NOBODY}
    expected = {row.id: of_servers if resource(row) == "reports" else NOBODY for row in ROWS}
    assert answers == {(row.id, token): expected[row.id][token] for row in ROWS for token in NOBODY}


def test_only_a_running_servers_own_token_reports(lab: Any, everybody: Any) -> None:
    report = next(row for row in ROWS if row.path == "/reports")
    own = ["bobs-server", "the-console", "olgas-ordinary-server"]

    assert [ask(everybody, report, 0, token=token) for token in own] == [200, 200, 200]

    lab.end(everybody.held["bobs-server"])
    assert ask(everybody, report, 0, token="bobs-server") == 403
