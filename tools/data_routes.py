"""Routes of sources, datasets, versions, targets and models, and who is served; see route_rows.

bob owns what there is, in the group vision that ann leads; everything is shared with vision.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from allotment.data.datasets import attachments
from allotment.data.versions.kept_files import Keeping, new_key
from allotment.model.datasets import Attachment, Dataset, FileFormat
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import datasets, registered_models, sources, targets, versions
from allotment.work.committing import Committing
from route_rows import Row, any_revision, body, edit

VISION = Audience(groups=("vision",))
SHARED = {"groups": ["vision"]}


def furnish(lab: Any, api: Any, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files to register, a target, and commits that are begun only: their work is tested elsewhere."""
    api.held["root"] = str(root)
    lab.root, lab.data = root, api.plane.data
    (root / "sales.csv").write_text("id,price\n1,9.5\n")
    monkeypatch.setattr(Committing, "_carry_out", lambda *_: None)
    monkeypatch.setattr(Committing, "check", lambda *_: "Reached.")
    monkeypatch.setattr(Committing, "label", lambda *_: None)
    monkeypatch.setattr(api.plane.data.committing, "_files", lambda _version: ())
    with lab.write() as writing:
        targets.create(writing, _target("history", root), {})


def _target(name: str, root: Path) -> VersionTarget:
    kept = {"path": str(root / f"kept-{name}")}
    return VersionTarget(name, MetadataKind.FOLDER, ContentsKind.FOLDER, "", kept, kept)


def _source(lab: Any, number: int, verdict: Verdict) -> None:
    place = {"path": str(lab.root)}
    name = f"source-{number}"
    with lab.write() as writing:
        source = Source(name, SourceKind.FOLDER, fields=place, audience=VISION, group="vision")
        sources.create(writing, source, {})
        possible = ("writing",) if verdict is Verdict.WRITABLE else ()
        sources.proven(writing, name, Proof(writing.now, verdict, possible=possible))


def a_source(lab: Any, number: int) -> None:
    """Proven read-only."""
    _source(lab, number, Verdict.READ_ONLY)


def a_writable_source(lab: Any, number: int) -> None:
    """One that its users can write to."""
    _source(lab, number, Verdict.WRITABLE)


def a_dataset(lab: Any, number: int) -> None:
    """One CSV file, with a document beside it."""
    name = f"dataset-{number}"
    with lab.write("bob") as writing:
        dataset = Dataset(
            name,
            (str(lab.root / "sales.csv"),),
            FileFormat.CSV,
            audience=VISION,
            group="vision",
            target="history",
            created_by="bob",
        )
        datasets.create(writing, dataset)
        folder = lab.data.attachments
        key, size, digest = attachments.save(folder, name, "notes.txt", [b"notes"])
        beside = Attachment("notes.txt", size, digest, "bob", writing.now, key)
        datasets.attach(writing, name, beside)


def a_version(lab: Any, number: int) -> None:
    """Two committed versions of a dataset, the first tagged."""
    a_dataset(lab, number)
    name = f"dataset-{number}"
    with lab.write("bob") as writing:
        for _ in range(2):
            one = versions.begin(writing, name, "history", "So far", "bob")
            versions.finish(writing, name, one.number, commit="c" * 40, files=0, size=0)
        versions.tag(writing, name, 1, ("first",))


def a_target(lab: Any, number: int) -> None:
    """One that keeps nothing."""
    with lab.write() as writing:
        targets.create(writing, _target(f"target-{number}", lab.root), {})


def a_model(lab: Any, number: int) -> None:
    """One with a file."""
    name = f"model-{number}"
    opened, key = lab.data.committing.opened("history"), new_key(name, "1")
    with closing(Keeping(opened, lab.data.opening.door, lab.data.folder)) as keeping:
        keeping.write(b"weights")
        keeping.keep(key)
    with lab.write("bob") as writing:
        model = RegisteredModel(name, "1", "bob", target="history", audience=VISION)
        model = registered_models.create(writing, model)
        registered_models.coming(writing, model, key, keeping.size)
        more: dict[str, Any] = {
            "file": "weights",
            "size": keeping.size,
            "sha256": keeping.sha256,
            "key": key,
        }
        registered_models.kept(writing, model, **more)


def _of_source(rest: str = "") -> str:
    return f"/sources/source-{{number}}{rest}"


def _of_dataset(rest: str = "") -> str:
    return f"/datasets/dataset-{{number}}{rest}"


EVERYBODY = "ORCLMZPNWK"
ONBOARDED = "ORCLMZPW"
BOBS = frozenset({"bobs-server"})
_AWAY = {
    "host": "127.0.0.1",
    "port": 1,
    "database": "shop",
    "user": "reader",
    "password": "correct-horse",
    "tls": "off",
}
# No folder: those of this machine have sources already, and a lead registers no other's place.
_NEW_SOURCE = {"kind": "postgresql", "fields": _AWAY, "group": "vision", "audience": SHARED}
_TARGET = {
    "metadata_kind": "folder",
    "metadata": {"path": "{root}/new-{number}/histories"},
    "contents_kind": "folder",
    "contents": {"path": "{root}/new-{number}/contents"},
}
_VERSION = "/versions/{version}"
_ATTACHMENT = "/datasets/{name}/attachments/{attachment}"
_TAGS = "/datasets/{name}/versions/{version}/tags/{tag}"
_MODEL = "/models/{name}/{version}"

DATA_ROWS = [
    Row("GET", "/source-kinds", EVERYBODY),
    Row("GET", "/sources", EVERYBODY),
    Row("POST", "/sources", "OCL", body(name="new-{number}", **_NEW_SOURCE)),
    Row("GET", "/sources/{name}", "ORCLM", at=_of_source(), prepare=a_source),
    Row("PATCH", "/sources/{name}", "OCL", edit(title="Lake"), _of_source(), a_source),
    Row("DELETE", "/sources/{name}", "OCL", any_revision, _of_source(), a_source),
    Row("POST", "/sources/{name}/check", "OCLM", at=_of_source("/check"), prepare=a_source),
    Row("POST", "/sources/{name}/prove", "OCL", at=_of_source("/prove"), prepare=a_source),
    Row(
        "POST", "/sources/{name}/accept", "OC", at=_of_source("/accept"), prepare=a_writable_source
    ),
    Row("POST", "/sources/{name}/revoke", "OCL", at=_of_source("/revoke"), prepare=a_source),
    Row("GET", "/sources/{name}/browse", "OCLM", at=_of_source("/browse"), prepare=a_source),
    Row(
        "POST",
        "/sources/{name}/credentials",
        "",
        at=_of_source("/credentials"),
        prepare=a_source,
        servers=BOBS,
    ),
    Row("GET", "/datasets", EVERYBODY),
    Row("POST", "/datasets", ONBOARDED, body(name="new-{number}", uris=["{root}/sales.csv"])),
    Row("GET", "/datasets/{name}", "ORCLM", at=_of_dataset(), prepare=a_dataset),
    Row("PATCH", "/datasets/{name}", "OCLM", edit(title="Sales"), _of_dataset(), a_dataset),
    Row("DELETE", "/datasets/{name}", "OCLM", any_revision, _of_dataset(), a_dataset),
    Row("POST", "/datasets/{name}/read", "OCLM", at=_of_dataset("/read"), prepare=a_dataset),
    Row("POST", "/datasets/{name}/revoke", "OCLM", at=_of_dataset("/revoke"), prepare=a_dataset),
    Row(
        "POST",
        "/datasets/{name}/access",
        "",
        body(),
        _of_dataset("/access"),
        a_dataset,
        BOBS,
    ),
    Row(
        "PUT",
        _ATTACHMENT,
        "OCLM",
        lambda _: {"content": "notes"},
        _of_dataset("/attachments/more.txt"),
        a_dataset,
    ),
    Row("GET", _ATTACHMENT, "ORCLM", at=_of_dataset("/attachments/notes.txt"), prepare=a_dataset),
    Row("DELETE", _ATTACHMENT, "OCLM", at=_of_dataset("/attachments/notes.txt"), prepare=a_dataset),
    Row(
        "GET", "/datasets/{name}/versions", "ORCLM", at=_of_dataset("/versions"), prepare=a_version
    ),
    Row(
        "POST",
        "/datasets/{name}/versions",
        "OCLM",
        body(message="October"),
        _of_dataset("/versions"),
        a_dataset,
    ),
    Row(
        "GET",
        f"/datasets/{{name}}{_VERSION}",
        "ORCLM",
        at=_of_dataset("/versions/first"),
        prepare=a_version,
    ),
    Row(
        "GET",
        f"/datasets/{{name}}{_VERSION}/difference",
        "ORCLM",
        at=_of_dataset("/versions/2/difference"),
        prepare=a_version,
    ),
    Row("PUT", _TAGS, "OCLM", at=_of_dataset("/versions/2/tags/second"), prepare=a_version),
    Row("DELETE", _TAGS, "OCLM", at=_of_dataset("/versions/1/tags/first"), prepare=a_version),
    Row("GET", "/target-kinds", EVERYBODY),
    Row("GET", "/targets", EVERYBODY),
    Row("GET", "/targets/{name}", EVERYBODY, at="/targets/history"),
    Row("POST", "/targets", "OC", body(name="new-{number}", **_TARGET)),
    Row("PATCH", "/targets/{name}", "OC", edit(title="Kept"), "/targets/target-{number}", a_target),
    Row("DELETE", "/targets/{name}", "OC", any_revision, "/targets/target-{number}", a_target),
    Row("GET", "/targets/{name}/leftovers", "OC", at="/targets/history/leftovers"),
    Row("POST", "/targets/{name}/clean", "OC", at="/targets/history/clean"),
    Row(
        "POST", "/targets/{name}/check", "OC", at="/targets/target-{number}/check", prepare=a_target
    ),
    Row("GET", "/models", EVERYBODY),
    Row("POST", "/models", ONBOARDED, body(name="new-{number}", version="1", uri="s3://m/1")),
    Row("GET", _MODEL, "ORCLM", at="/models/model-{number}/1", prepare=a_model),
    Row("DELETE", _MODEL, "OCM", at="/models/model-{number}/1", prepare=a_model),
    Row(
        "PUT",
        f"{_MODEL}/audience",
        "OCM",
        body(**SHARED),
        "/models/model-{number}/1/audience",
        a_model,
    ),
    Row(
        "PUT",
        f"{_MODEL}/file",
        "OCM",
        lambda _: {"content": "weights"},
        "/models/model-{number}/1/file",
        a_model,
    ),
    Row("GET", f"{_MODEL}/file", "ORCLM", at="/models/model-{number}/1/file", prepare=a_model),
]
