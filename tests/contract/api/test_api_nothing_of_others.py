"""What the API answers to people, and to their servers, says nothing of others' data: every route of its document.

Who is served by which route stands in test_api_who_may_do_what; here it is what the answers hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allotment.model.datasets import Dataset, FileFormat
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.record import datasets, registered_models, sources, versions
from data_routes import furnish

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

NAME, WORDS = "grey-heron", "night-bittern"
"""What is bob's alone is called by the one, and every word that he has written of it is the other."""
NOTHING = "no-bird"
"""As long as nothing is called by it."""
OTHERS = ("zoe+", "zoes-server", "ann+", "anns-server", "nina+")
"""zoe is in no group; ann leads bob's group, which has nothing to do with what is his own; nina is not on-boarded."""
REFUSED = {401, 403, 404}
INVALID = {405, 415, 422, 428}
"""Answers that are given before it is looked who asks for what."""
VALUES = {"version": "1", "attachment": f"{NAME}.txt"}
"""What stands in paths; everything else is called by the name."""
DATA = ("/datasets", "/sources", "/models")


@pytest.fixture
def others(
    lab: Any, data_api: Any, hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """A platform on which bob has one of each that nobody shares, and a server that was promised it."""
    furnish(lab, data_api, tmp_path / "data", monkeypatch)
    only, folder = Audience(people=("bob",)), str(tmp_path / "data")
    with lab.write("bob") as writing:
        source = Source(NAME, SourceKind.FOLDER, WORDS, WORDS, {"path": folder}, audience=only)
        sources.create(writing, source, {})
        sources.proven(writing, NAME, Proof(writing.now, Verdict.READ_ONLY, (WORDS,)))
        dataset = Dataset(
            NAME,
            (f"{folder}/{WORDS}.csv",),
            FileFormat.CSV,
            title=WORDS,
            description=WORDS,
            source=NAME,
            audience=only,
            target="history",
            created_by="bob",
        )
        datasets.create(writing, dataset)
        begun = versions.begin(writing, NAME, "history", WORDS, "bob")
        versions.finish(writing, NAME, begun.number, commit="c" * 40, files=0, size=0)
        versions.tag(writing, NAME, 1, (WORDS,))
        model = RegisteredModel(NAME, "1", "bob", uri=f"s3://{WORDS}/1", description=WORDS)
        registered_models.create(writing, model)
    data_api.client("bob").datasets.attach(NAME, f"{NAME}.txt", WORDS.encode())
    return _with_servers(lab, data_api, hub)


def _with_servers(lab: Any, api: Any, hub: Any) -> Any:
    from allotment.api.identity import hash_token  # noqa: PLC0415 - for this only

    for name in ("bob", "ann"):
        lab.granted(name, "cpu", "promised", token_hash=hash_token(f"{name}s-second"))
    lab.granted("ann", "cpu", "work", token_hash=hash_token("anns-server"))
    hub.give("anns-server", "ann", *hub.tokens["ann"].scopes)
    hub.give("nina+", "nina", *hub.tokens["zoe+"].scopes)
    return api


def routes(api: Any, *methods: str) -> Iterator[tuple[str, str]]:
    """Every route of the API's document, with the name wherever a path names something."""
    for path, operations in sorted(api.app.openapi()["paths"].items()):
        named = path.removeprefix("/api/v1")
        for part in named.split("/"):
            if part.startswith("{"):
                named = named.replace(part, VALUES.get(part.strip("{}"), NAME))
        yield from ((method, named) for method in methods if method.lower() in operations)


def says(answer: Any) -> bool:
    """Whether it says anything of bob's; a refusal says the name that was asked for."""
    return WORDS in answer.text or (answer.is_success and NAME in answer.text)


@pytest.mark.promise("USER-7", "DATA-7", "SET-1")
def test_what_bob_is_told_of_his_own_is_told_to_nobody_else(others: Any) -> None:
    asked = [path for _, path in routes(others, "GET") if path != "/events"]

    told = {(who, path) for path in asked for who in OTHERS if says(others.ask("GET", path, who))}
    own = {path for path in asked if says(others.ask("GET", path, "bob"))}

    assert told == set()
    assert {f"{kind}" for kind in DATA} <= own


@pytest.mark.promise("USER-7", "DATA-7", "SET-1")
def test_others_are_told_the_same_of_it_as_of_what_is_not_there(others: Any) -> None:
    asked = [path for _, path in routes(others, "GET") if path.startswith(DATA) and NAME in path]

    different = {
        (who, path)
        for path in asked
        for who in OTHERS
        if others.ask("GET", path, who).text.replace(NAME, NOTHING)
        != others.ask("GET", path.replace(NAME, NOTHING), who).text
    }

    assert different == set()
    assert len(asked) > len(DATA)


@pytest.mark.promise("USER-7", "DATA-7", "SET-1")
def test_others_change_nothing_of_bobs(others: Any) -> None:
    asked = [
        (method, path)
        for method, path in routes(others, "POST", "PUT", "PATCH", "DELETE")
        if path.startswith(DATA) and NAME in path
    ]
    anyone = {"If-Match": "*"}

    answers = {
        (method, path, who): others.ask(method, path, who, json={}, headers=anyone).status_code
        for method, path in asked
        for who in OTHERS
    }

    assert {one: status for one, status in answers.items() if status not in REFUSED | INVALID} == {}
    assert len(asked) > len(DATA)


@pytest.mark.promise("USER-7", "OPS-4")
def test_events_tell_of_bobs_data_to_none_of_them(others: Any) -> None:
    said = {
        who: NAME in others.ask("GET", "/events?after=0&limit=5000", who).text
        for who in (*OTHERS, "olga+")
    }

    assert {who for who, found in said.items() if found} == {"olga+"}
