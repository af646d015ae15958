"""Data of the example platform: sources in every state, datasets, versions, a target. Nothing of it can be reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from allotment.model.datasets import (
    Dataset,
    DatasetColumn,
    DatasetReading,
    FileFormat,
    FileProblem,
    PrivacyLabel,
)
from allotment.model.registered_models import RegisteredModel
from allotment.model.sources import Audience, Proof, Source, SourceKind, Verdict
from allotment.model.versions import ContentsKind, MetadataKind, VersionTarget
from allotment.record import (
    Record,
    Writing,
    datasets,
    registered_models,
    sources,
    targets,
    versions,
)

_DATABASE = {
    "port": 5432,
    "database": "sales",
    "user": "allotment",
    "accounts": "own",
    "readers": "allotment_readers",
    "tls": "verify",
    "ca": "",
}
_BUCKET = {
    "prefix": "",
    "region": "eu-central-1",
    "endpoint": "",
    "path_style": True,
    "account": "keys",
    "access_key_id": "AKIAEXAMPLE",
    "lending": "role",
    "role": "arn:aws:iam::123456789012:role/allotment-reader",
    "external_id": "",
    "kms_key": "",
    "sts_endpoint": "",
    "ca": "",
}
_TRIED = (
    "insert into sales.orders: refused",
    "create table in schema sales: refused",
    "a temporary copy to a file of the server: refused",
    "privileges read: SELECT on 214 tables, nothing else",
)
SOURCES = (
    Source(
        "warehouse",
        SourceKind.POSTGRESQL,
        "Warehouse",
        "Orders, customers and stock; loaded each night at three.",
        {"host": "db.example.com", **_DATABASE},
        audience=Audience(groups=("nlp", "vision")),
    ),
    Source(
        "lake",
        SourceKind.S3,
        "Data lake",
        "Raw files of all products.",
        {"bucket": "example-lake", **_BUCKET},
        audience=Audience(everyone=True),
    ),
    Source(
        "crm",
        SourceKind.MARIADB,
        "Customer relations",
        "",
        {"host": "crm.example.com", **_DATABASE, "port": 3306, "accounts": "registered"},
        audience=Audience(groups=("nlp",), people=("bob",)),
        group="nlp",
    ),
    Source(
        "sensors",
        SourceKind.S3,
        "Sensors of the test field",
        "",
        {"bucket": "example-sensors", **_BUCKET},
        audience=Audience(groups=("robotics",)),
    ),
    Source(
        "archive",
        SourceKind.POSTGRESQL,
        "Archive until 2019",
        "",
        {"host": "old.example.com", **_DATABASE},
        audience=Audience(groups=("vision",)),
        enabled=False,
    ),
)
_COLUMNS = (
    ("order_id", "int64", False),
    ("ordered_at", "timestamp[us, tz=UTC]", False),
    ("customer", "string", True),
    ("region", "dictionary<values=string, indices=int32>", True),
    ("amount", "decimal128(12, 2)", True),
)


def add_data(record: Record, now: datetime) -> None:
    """Register everything, as if that had been done over the last months."""
    with record.writing("operator", now - timedelta(days=40)) as writing:
        add_sources(writing, now)
        add_datasets(writing, now)
    add_versions(record, now)


def add_sources(writing: Writing, now: datetime) -> None:
    """Two that are proven, one that was accepted, one that nothing was shown of, one that is disabled."""
    for one in SOURCES:
        secret = "password" if one.kind is not SourceKind.S3 else "secret_access_key"
        sources.create(writing, replace(one, secrets=(secret,)), {secret: b"never opened"})
    good = Proof(now - timedelta(minutes=12), Verdict.READ_ONLY, _TRIED, ends_within=60)
    for name, hours in (("warehouse", 0), ("lake", 5), ("archive", 30)):
        lasts = 900 if name == "lake" else 60
        at = good.at - timedelta(hours=hours)
        sources.proven(writing, name, replace(good, at=at, ends_within=lasts))
    possible = ("insert into crm.contact", "create temporary tables")
    sources.proven(
        writing,
        "crm",
        replace(good, verdict=Verdict.WRITABLE, possible=possible, shared=True, ends_within=None),
    )
    sources.accept(writing, "crm", "operator")
    problem = "The store did not answer within ten seconds."
    sources.proven(writing, "sensors", Proof(good.at, Verdict.UNPROVEN, problem=problem))


def add_datasets(writing: Writing, now: datetime) -> None:
    """Four datasets, one of them with files that are missing, and the target of their versions."""
    targets.create(
        writing,
        VersionTarget(
            "history",
            MetadataKind.FOLDER,
            ContentsKind.FOLDER,
            "Versions, shared disk",
            {"path": "/data/history"},
            {"path": "/data/versions"},
            tested_at=now - timedelta(hours=3),
        ),
        {},
    )
    for one in _datasets(reading(now, 6_001_215, 187_000_000, 24)):
        datasets.create(writing, one)


def _datasets(read: DatasetReading) -> tuple[Dataset, ...]:
    return (
        Dataset(
            "sales",
            ("s3://example-lake/sales/",),
            FileFormat.PARQUET,
            "Sales, daily",
            "One row for each line of an order.",
            "lake",
            audience=Audience(groups=("nlp", "vision")),
            reading=read,
            target="history",
            created_by="operator",
        ),
        Dataset(
            "clicks",
            ("s3://example-lake/clicks/*.csv.gz",),
            FileFormat.CSV,
            "Clicks",
            source="lake",
            audience=Audience(everyone=True),
            label=PrivacyLabel.PUBLIC,
            created_by="mei",
            reading=replace(
                read,
                rows=48_200_000,
                rows_exact=False,
                size=9_400_000_000,
                files=365,
                options={"delimiter": ";", "header": True, "encoding": "utf-8", "decimal": ","},
            ),
        ),
        Dataset(
            "patients",
            ("s3://example-lake/patients.parquet",),
            FileFormat.PARQUET,
            "Patients, pseudonyms",
            source="lake",
            audience=Audience(people=("bob", "carla")),
            label=PrivacyLabel.PERSONAL,
            reading=replace(read, rows=12_408, size=3_100_000, files=1),
            created_by="operator",
        ),
        Dataset(
            "telemetry",
            ("s3://example-sensors/2026/",),
            FileFormat.PARQUET,
            "Telemetry",
            source="sensors",
            audience=Audience(groups=("robotics",)),
            created_by="farid",
            reading=replace(read, files=96, problems=_PROBLEMS),
        ),
    )


def dataset(now: datetime, name: str) -> Dataset:
    """One of the datasets, as it is registered."""
    read = reading(now, 6_001_215, 187_000_000, 24)
    return next(one for one in _datasets(read) if one.name == name)


_PROBLEMS = (
    FileProblem(
        "s3://example-sensors/2026/03/17.parquet", "its footer is cut off: the file is 1,024 bytes"
    ),
    FileProblem("s3://example-sensors/2026/03/18.parquet", "column 'speed' is string, not double"),
)


def reading(now: datetime, rows: int, size: int, files: int) -> DatasetReading:
    """What was read of files an hour ago."""
    columns = tuple(DatasetColumn(*one) for one in _COLUMNS)
    return DatasetReading(
        now - timedelta(hours=1), columns, rows, rows_exact=True, size=size, files=files
    )


def add_versions(record: Record, now: datetime) -> None:
    """Three committed versions of the sales, and one under way."""
    commits: tuple[tuple[int, str, tuple[str, ...]], ...] = (
        (33, "August is complete", ("2026-08",)),
        (12, "September is complete", ("2026-09",)),
        (2, "October is complete", ("2026-10", "latest-audited")),
    )
    for number, (days, message, tags) in enumerate(commits, start=1):
        with record.writing("operator", now - timedelta(days=days)) as writing:
            begun = versions.begin(writing, "sales", "history", message, "operator")
            done: dict[str, Any] = {"files": 22 + number, "size": 170_000_000 + number * 6_000_000}
            versions.finish(
                writing,
                "sales",
                begun.number,
                commit=f"{number:040x}",
                rows=5_400_000 + number * 200_000,
                **done,
            )
            versions.tag(writing, "sales", begun.number, tags)
    with record.writing("mei", now) as writing:
        begun = versions.begin(writing, "sales", "history", "November so far", "mei")
        versions.progress(writing, "sales", begun.number, 81_000_000, 187_000_000)


def add_models(record: Record, now: datetime, more: int = 0) -> None:
    """Versions of models: one kept, one elsewhere, one whose file was not sent; and ``more`` of one person."""
    kept = RegisteredModel(
        "churn",
        "3",
        "mei",
        target="history",
        description="Who will leave within three months; for the weekly call list.",
        metrics={"auc": 0.914, "recall at 5 %": 0.41},
        datasets=("sales@3",),
        audience=Audience(groups=("nlp", "vision")),
    )
    given = (
        kept,
        RegisteredModel(
            "demand",
            "2026-10",
            "farid",
            uri="s3://example-models/demand/2026-10/",
            description="Pieces per shop and week.",
            metrics={"mape": 7.2},
            datasets=("sales@3", "sales@2"),
        ),
        RegisteredModel("churn", "4", "mei", target="history", metrics={"auc": 0.921}),
    )
    for number, one in enumerate(given):
        with record.writing(one.person, now - timedelta(days=9 - 3 * number)) as writing:
            made = registered_models.create(writing, one)
            if one is kept:
                key, size = "churn/3-5b2c9d01e7f4a836", 148_000_000
                registered_models.coming(writing, made, key, size)
                registered_models.kept(
                    writing, made, file="churn.onnx", size=size, sha256="9f" * 32, key=key
                )
    with record.writing("farid", now) as writing:
        for number in range(more):
            uri = f"s3://example-models/sweep/{number:04d}.onnx"
            metrics = {"loss": 1 / (number + 1), "epoch": number % 40}
            one = RegisteredModel("sweep", f"{number:04d}", "farid", uri=uri, metrics=metrics)
            registered_models.create(writing, one)
