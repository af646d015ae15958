"""Patches of a directory are worked out while others write, and lose nothing that was said meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from allotment.api.resources import scim
from allotment.model.people import Permission
from allotment.record import directory, people

pytestmark = [pytest.mark.promise("USER-2"), pytest.mark.parametrize("store", ["sqlite"])]

TYPE = "application/scim+json"
Meanwhile = Callable[[Callable[[], None]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen when the first patch is worked out."""

    def arrange(happens: Callable[[], None]) -> None:
        work_out, left = scim.patched, [happens]

        def patched(before: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
            while left:
                left.pop()()
            return work_out(before, document)

        monkeypatch.setattr(scim, "patched", patched)

    return arrange


@pytest.fixture
def ask(api: Any, lab: Any) -> Callable[..., Any]:
    end = lab.now.replace(year=lab.now.year + 1)
    account = api.client("olga+").service_accounts.create("directory", frozenset(Permission), end)

    def send(method: str, path: str, document: Any) -> Any:
        headers = {"Content-Type": TYPE}
        answer = api.ask(method, f"/scim/v2{path}", account.token, headers=headers, json=document)
        assert answer.is_success, answer.text
        return answer.json()

    return send


def added(*keys: str) -> dict[str, Any]:
    values = [{"value": key} for key in keys]
    return {"Operations": [{"op": "add", "path": "members", "value": values}]}


def test_others_write_while_a_patch_is_worked_out(
    lab: Any, ask: Callable[..., Any], meanwhile: Meanwhile
) -> None:
    key = ask("POST", "/Users", {"userName": "mei"})["id"]
    group = ask("POST", "/Groups", {"displayName": "g"})["id"]
    meanwhile(lambda: lab.people("written-meanwhile"))

    ask("PATCH", f"/Groups/{group}", added(key))

    with lab.record.reading() as reading:
        assert people.get(reading, "written-meanwhile").onboarded
        assert directory.group(reading, group).members == ((key, "mei"),)


def test_what_another_patch_said_meanwhile_is_kept(
    lab: Any, ask: Callable[..., Any], meanwhile: Meanwhile
) -> None:
    first, second = (ask("POST", "/Users", {"userName": one})["id"] for one in ("mei", "tom"))
    group = ask("POST", "/Groups", {"displayName": "g"})["id"]

    def another() -> None:
        with lab.write("directory") as writing:
            directory.put_group(writing, group, "g", None, [first])

    meanwhile(another)
    ask("PATCH", f"/Groups/{group}", added(second))

    with lab.record.reading() as reading:
        members = directory.group(reading, group).members
    assert {person for _, person in members} == {"mei", "tom"}


def test_a_group_takes_and_loses_more_people_than_one_statement_holds(
    lab: Any, ask: Callable[..., Any]
) -> None:
    names = [f"p{number:03}" for number in range(450)]
    with lab.write("directory") as writing:
        people.onboard(writing, names)
        directory.ensure(writing)
    with lab.record.reading() as reading:
        keys = [one.id for one in directory.entries(reading) if one.person in names]
    group = ask("POST", "/Groups", {"displayName": "g"})["id"]

    assert len(ask("PATCH", f"/Groups/{group}", added(*keys, *keys))["members"]) == 450
    gone = {"op": "remove", "path": "members", "value": [{"value": key} for key in keys[:420]]}
    left = ask("PATCH", f"/Groups/{group}", {"Operations": [gone]})["members"]
    assert [one["value"] for one in left] == keys[420:]
