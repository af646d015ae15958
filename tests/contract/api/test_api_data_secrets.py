"""Canaries: secrets that are planted everywhere they can be entered appear nowhere that anything is written."""

from __future__ import annotations

import base64
import json
import logging
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from allotment.data.kinds import KINDS
from allotment.model.refusals import AllotmentError
from allotment.model.sources import Audience, Proof, SourceKind, Verdict
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import people, sources, targets
from allotment.settings.mail import MailServer
from allotment.work.loop import Loop
from allotment.work.mailing import Mailing
from inbox import Inbox, listening

pytestmark = pytest.mark.parametrize("store", ["sqlite"])

CLOSED = 9
"""A port at which nobody answers."""
PATHS = (
    "/sources",
    "/datasets",
    "/targets",
    "/models",
    "/source-kinds",
    "/target-kinds",
    "/events?after=0&limit=5000",
    "/overview",
    "/me",
    "/work",
    "/metrics",
    "/configuration",
    "/openapi.json",
)
FILLED: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": CLOSED,
    "database": "shop",
    "user": "lender",
    "tls": "off",
    "service": "shop",
    "bucket": "lake",
    "container": "lake",
    "endpoint": f"http://127.0.0.1:{CLOSED}",
    "sts_endpoint": f"http://127.0.0.1:{CLOSED}",
    "token_endpoint": f"http://127.0.0.1:{CLOSED}/token",
    "authority": f"https://127.0.0.1:{CLOSED}",
    "access_key_id": "AKIAEXAMPLE",
    "role": "arn:aws:iam::123456789012:role/reader",
    "tenant": "example",
    "client_id": "example",
    "account": "lake",
    "warehouse": "small",
}


def canary() -> str:
    """A secret that stands nowhere else; as long as a key, and as one written in base64."""
    return base64.b64encode(secrets.token_bytes(33)).decode().replace("+", "a").replace("/", "b")


def planted(kind: str, field: str) -> tuple[str, str]:
    """A secret as somebody would enter it, and the part of it that nobody may see."""
    if field == "connection_string":
        key = canary()
        place = f"BlobEndpoint=http://127.0.0.1:{CLOSED}/lake"
        return f"DefaultEndpointsProtocol=http;AccountName=lake;AccountKey={key};{place}", key
    if field == "private_key" or kind == "gcs":
        pem = _pem()
        part = pem.splitlines()[5]
        account = {
            "type": "service_account",
            "project_id": "lake",
            "client_email": "reader@lake.iam.gserviceaccount.com",
            "private_key": pem,
            "private_key_id": "1",
            "token_uri": f"http://127.0.0.1:{CLOSED}/token",
        }
        return (json.dumps(account) if kind == "gcs" else pem), part
    secret = canary()
    return secret, secret


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def secret_fields() -> list[tuple[str, str]]:
    """Every secret that a form asks for, with its kind."""
    return [
        (kind.value, field.name)
        for kind, one in KINDS.items()
        for field in one.fields
        if field.type == "secret"
    ]


def everything(api: Any, name: str, tmp_path: Path) -> dict[str, str]:
    """All that the product answers to an operator, and all that lies on the disk."""
    found = {path: api.ask("GET", path, "olga+").text for path in PATHS}
    for method, path in (
        ("GET", f"/sources/{name}"),
        ("POST", f"/sources/{name}/check"),
        ("POST", f"/sources/{name}/prove"),
        ("POST", f"/sources/{name}/accept"),
        ("GET", f"/sources/{name}/browse"),
    ):
        found[f"{method} {path}"] = api.ask(method, path, "olga+").text
    headers = {"Accept": "text/event-stream"}
    with api.http.stream(
        "GET",
        f"{api.url}/events?after=0",
        headers={"Authorization": "Bearer olga+", **headers},
    ) as stream:
        lines = stream.iter_lines()
        found["stream"] = "".join(next(lines) for _ in range(12))
    return found | on_the_disk(tmp_path, api.plane.data.folder)


def on_the_disk(*folders: Path) -> dict[str, str]:
    """All files below these folders."""
    return {
        str(place): place.read_bytes().decode("latin-1")
        for folder in folders
        for place in folder.rglob("*")
        if place.is_file()
    }


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments and environments of every process that this one starts from now on."""
    told: list[str] = []
    begin = subprocess.Popen.__init__

    def watched(process: Any, arguments: Any, **more: Any) -> None:
        told.append(f"{arguments} {more.get('env')}")
        begin(process, arguments, **more)

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    return told


@pytest.mark.promise("DATA-5", "OPS-3")
@pytest.mark.parametrize(("kind", "secret"), secret_fields())
def test_a_sources_secret_appears_nowhere(
    data_api: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    started: list[str],
    kind: str,
    secret: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    form = {field.name: field for field in KINDS[SourceKind(kind)].fields}
    value, hidden = planted(kind, secret)
    fields = {name: one for name, one in FILLED.items() if name in form and _fits(kind, name)}
    chosen = form[secret].when
    fields |= {secret: value} | ({chosen[0]: chosen[1]} if chosen else {})
    body = {"name": "planted", "kind": kind, "fields": fields}

    made = data_api.ask("POST", "/sources", "carl+", json=body)
    assert made.status_code == 201, made.text
    again = {"fields": {secret: value}, "title": "x"}
    anyone = {"If-Match": "*"}
    edited = data_api.ask("PATCH", "/sources/planted", "carl+", json=again, headers=anyone)
    wrong = body | {"name": "not a name", "fields": {secret: value, "unknown": value}}
    refused = data_api.ask("POST", "/sources", "carl+", json=wrong)
    found = everything(data_api, "planted", tmp_path)
    found |= {"answers": made.text + edited.text + refused.text, "log": caplog.text}
    found["log fields"] = "".join(str(vars(one)) for one in caplog.records)
    found["processes"] = "".join(started) + str(dict(os.environ))

    assert [place for place, text in found.items() if hidden in text] == []


def _fits(kind: str, name: str) -> bool:
    """S3 calls its choice of keys ``account``; where Snowflake is, its account says."""
    return not (kind == "s3" and name == "account")


@pytest.mark.promise("DATA-5")
def test_secrets_and_what_is_lent_are_encrypted_or_absent_in_the_record(
    data_api: Any, tmp_path: Path, postgresql_server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shop = postgresql_server.new_database()
    shop.run(
        "DO $$ BEGIN CREATE ROLE allotment_readers; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    fields = {"host": shop.host, "port": shop.port, "database": shop.database, "tls": "off"}
    fields |= {"user": shop.user, "password": shop.password}
    everyone = Audience(everyone=True)
    client = data_api.client("carl+")
    client.sources.create("planted", "postgresql", fields, audience=everyone)
    client.sources.accept("planted") if not client.sources.get("planted").proven else None

    lent = data_api.client("bobs-server").sources.credentials("planted").fields["password"]

    found = everything(data_api, "planted", tmp_path) | {"log": caplog.text}
    for secret in (shop.password, lent):
        assert [place for place, text in found.items() if secret in text] == []


@pytest.mark.promise("DATA-5", "SET-4")
def test_a_targets_secrets_are_in_no_answer_and_no_commits_arguments(
    data_api: Any, tmp_path: Path, started: list[str], s3_store: Any
) -> None:
    root = tmp_path / "data"
    pq.write_table(pa.table({"id": [1]}), root / "one.parquet")
    bucket = s3_store.bucket({})
    contents = {**s3_store.fields(bucket), **s3_store.secrets}
    client = data_api.client("carl+")
    target = client.targets.create(
        "history",
        metadata_kind="folder",
        metadata={"path": str(root / "histories")},
        contents_kind="s3",
        contents=contents,
    )
    client.datasets.create("one", [f"{root}/one.parquet"], target="history")
    client.versions.commit("one", "Once")
    data_api.plane.data.committing.wait(120)

    done = client.versions.get("one", 1)
    assert done.state == "committed", done.problem
    assert started
    found = {path: data_api.ask("GET", path, "olga+").text for path in (*PATHS, "/targets/history")}
    found |= {"arguments": "".join(started), "version": str(done), "target": str(target)}
    found |= on_the_disk(root, data_api.plane.data.folder)
    for secret in s3_store.secrets.values():
        assert [place for place, text in found.items() if secret in text] == []


CALLS = ("validate", "check", "prove", "issue", "withdraw", "browse")


@pytest.mark.promise("DATA-5", "OPS-3")
@pytest.mark.parametrize("chained", [True, False])
def test_what_a_library_says_of_what_nobody_foresaw_is_repeated_nowhere(
    data_api: Any,
    lab: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    chained: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, client = canary(), data_api.client("carl+")
    fields = {**_shop(), "password": secret}
    everyone = Audience(everyone=True)
    client.sources.create("planted", "postgresql", fields, audience=everyone)

    def break_(*_: Any, **__: Any) -> Any:
        connected = f"postgresql://u:{secret}@127.0.0.1"
        cause = ValueError(connected) if chained else None
        raise RuntimeError(f"lost {connected}") from cause

    for call in CALLS:
        monkeypatch.setattr(KINDS[SourceKind.POSTGRESQL], call, break_)
    with lab.write() as writing:
        sources.proven(writing, "planted", Proof(writing.now, Verdict.READ_ONLY))
    answers = [
        data_api.ask(method, path, who, json=body, headers={"If-Match": "*"}).text
        for method, path, who, body in (
            ("POST", "/sources/planted/credentials", "bobs-server", None),
            ("PATCH", "/sources/planted", "carl+", {"fields": {"database": "other"}}),
            ("POST", "/sources", "carl+", _body("again", secret)),
        )
    ]
    work = Loop(data_api.plane.data.steps(), lambda: lab.now)
    for step in data_api.plane.data.steps():
        work.run_once(step)
    found = everything(data_api, "planted", tmp_path)
    found |= {"answers": "".join(answers), "log": caplog.text, "work": str(work.progress())}

    assert [place for place, text in found.items() if secret in text] == []
    assert "broke in a way that nobody foresaw: RuntimeError" in found["answers"]
    assert "break_" in caplog.text


@pytest.mark.promise("DATA-5", "SET-4")
def test_a_git_token_and_googles_key_of_a_target_appear_nowhere(
    data_api: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, started: list[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    token, (account, part) = canary(), planted("gcs", "service_account")
    history = {"url": f"https://127.0.0.1:{CLOSED}/versions.git"}
    kept = {"path": str(tmp_path / "data" / "kept")}
    body = {"metadata_kind": "git", "metadata": {**history, "token": token}}
    body |= {"name": "refused", "contents_kind": "folder", "contents": kept}
    refused = data_api.ask("POST", "/targets", "carl+", json=body)
    seal = data_api.plane.data.opening.vault.encrypt
    secret = {"metadata.token": seal(token), "contents.service_account": seal(account)}
    lake = {"bucket": "lake", "prefix": "", "endpoint": FILLED["endpoint"]}
    with data_api.plane.record.writing("carl", data_api.plane.now()) as writing:
        for name, kind, where in (
            ("one", ContentsKind.FOLDER, kept),
            ("two", ContentsKind.GCS, lake),
        ):
            target = VersionTarget(name, MetadataKind.GIT, kind, "", history, where)
            targets.create(writing, target, secret)
    (tmp_path / "data" / "sales.csv").write_text("id,n\n1,2\n")
    client = data_api.client("carl+")
    client.datasets.create("sales", [f"{tmp_path}/data/sales.csv"], target="one")
    begun = data_api.ask("POST", "/datasets/sales/versions", "carl+", json={"message": "Once"})
    data_api.plane.data.committing.wait(60)
    anyone = {"If-Match": "*"}
    edited = data_api.ask("PATCH", "/targets/two", "carl+", json={"title": "x"}, headers=anyone)

    asked = (*PATHS, "/targets/one", "/targets/two", "/datasets/sales/versions")
    found = {path: data_api.ask("GET", path, "olga+").text for path in asked}
    found |= {"answers": refused.text + begun.text + edited.text, "log": caplog.text}
    found |= {"processes": "".join(started), "fields": str([vars(one) for one in caplog.records])}
    found |= on_the_disk(tmp_path, data_api.plane.data.folder)
    assert (refused.status_code, begun.status_code, edited.status_code) == (409, 202, 200)
    for hidden in (token, part):
        assert [place for place, text in found.items() if hidden in text] == []


@pytest.mark.promise("DATA-5", "OPS-4")
def test_a_notice_of_a_source_holds_none_of_its_secrets(data_api: Any, lab: Any) -> None:
    secret, client = canary(), data_api.client("carl+")
    with listening(Inbox()) as inbox:
        with lab.write() as writing:
            people.set_email(writing, "bob", "bob@example.org")
        fields = {"host": "localhost", "port": inbox.port, "security": "none"}
        server = MailServer.model_validate({"sender": "Allotment <a@example.org>", **fields})
        mailing = Mailing(lab.record, lambda: server, link="", holder="one")
        mailing.round(lab.later(seconds=1))
        everyone = Audience(everyone=True)
        client.sources.create(
            "planted", "postgresql", _body("", secret)["fields"], audience=everyone
        )
        with lab.write() as writing:
            sources.proven(writing, "planted", Proof(writing.now, Verdict.READ_ONLY))
        mailing.round(lab.later(minutes=1))

    assert any("planted" in str(one["Subject"]) for one in inbox.taken)
    assert [one for one in inbox.taken if secret in one.as_string()] == []
    assert secret not in data_api.ask("GET", "/me", "bob").text


@pytest.mark.promise("DATA-5")
def test_a_traceback_of_an_opened_source_does_not_show_its_secrets(data_api: Any) -> None:
    from allotment.data.kinds.kind import Opened  # noqa: PLC0415 - what is looked into

    planted = canary()
    opened = Opened("shop", {"host": "x"}, {"password": planted})

    assert planted not in repr(opened)
    assert planted not in repr(data_api.plane.data.opening)
    assert all(
        key.decode() not in repr(data_api.plane) for key in data_api.plane.data.opening.vault.keys
    )


@pytest.mark.promise("OPS-1", "DATA-5")
def test_the_exported_configuration_can_be_read_and_holds_no_secret(data_api: Any) -> None:
    planted = canary()
    body = {"name": "planted", "kind": "postgresql", "fields": {**_shop(), "password": planted}}
    assert data_api.ask("POST", "/sources", "carl+", json=body).status_code == 201

    answer = data_api.ask("GET", "/configuration", "olga+")

    assert planted not in answer.text
    assert yaml.safe_load(answer.json()["yaml"])


def _body(name: str, secret: str) -> dict[str, Any]:
    return {"name": name, "kind": "postgresql", "fields": {**_shop(), "password": secret}}


def _shop() -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": CLOSED, "database": "d", "user": "u", "tls": "off"}


@pytest.mark.promise("DATA-5")
def test_a_wrong_key_is_refused_in_words_and_says_nothing_of_the_secret(data_api: Any) -> None:
    with pytest.raises(AllotmentError, match="cannot be decrypted"):
        data_api.plane.data.opening.vault.decrypt(b"of another platform")
