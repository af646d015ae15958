"""Examples of sources, datasets, versions, targets and models."""

from __future__ import annotations

from typing import Any

from allotment.api.examples.things import AT, EARLIER
from allotment.model.documents import Listing

AUDIENCE = {"everyone": False, "groups": ["vision"], "people": []}
TOLD_AUDIENCE = {**AUDIENCE, "words": "group vision"}
FORM: dict[str, Any] = {
    "kind": "postgresql",
    "title": "PostgreSQL",
    "fields": [
        {
            "name": "host",
            "label": "Host",
            "help": "The name or address of the server.",
            "required": True,
        }
    ],
}
PROOF = {
    "at": AT,
    "verdict": "read-only",
    "tried": ["Inserting into sales was refused.", "No privilege to write was found."],
    "possible": [],
    "problem": "",
    "shared": False,
}
FIELDS = {"host": "db.example.org", "port": 5432, "database": "shop", "user": "lender"}
SOURCE: dict[str, Any] = {
    "name": "warehouse",
    "kind": "postgresql",
    "kind_title": "PostgreSQL",
    "title": "Warehouse",
    "description": "Everything that was sold",
    "fields": FIELDS,
    "secrets": ["password"],
    "audience": TOLD_AUDIENCE,
    "group": "vision",
    "enabled": True,
    "proof": PROOF,
    "proven": True,
    "manages": True,
    "usable": True,
    "grounds": "granted",
    "created_by": "custodian-1",
    "created_at": EARLIER,
    "changed_at": EARLIER,
    "revision": 3,
}
CREDENTIAL: dict[str, Any] = {
    "source": "warehouse",
    "kind": "postgresql",
    "fields": {
        **FIELDS,
        "user": "allotment_5f3a9c0d1e2b4a6f7081",
        "password": "Kz0…",
    },
    "expires_at": "2026-11-23T02:02:11Z",
    "shared": False,
    "now": AT,
}
COLUMN = {"name": "price", "type": "decimal128(10, 2)", "nullable": True}
READING = {
    "at": AT,
    "columns": [COLUMN],
    "rows": 6000000,
    "rows_exact": True,
    "size": 187000000,
    "files": 12,
    "options": {},
    "problems": [],
}
ATTACHMENT = {
    "name": "columns.pdf",
    "size": 48211,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "added_by": "analyst-1",
    "added_at": EARLIER,
}
DATASET: dict[str, Any] = {
    "name": "sales",
    "title": "Sales",
    "description": "One row for each item",
    "uris": ["s3://lake/sales/"],
    "format": "parquet",
    "options": {},
    "source": "lake",
    "label": "internal",
    "audience": TOLD_AUDIENCE,
    "group": "vision",
    "enabled": True,
    "reading": READING,
    "target": "history",
    "version": 3,
    "attachments": [ATTACHMENT],
    "manages": True,
    "usable": True,
    "grounds": "granted",
    "created_by": "analyst-1",
    "created_at": EARLIER,
    "changed_at": EARLIER,
    "revision": 4,
}
ACCESS: dict[str, Any] = {
    "dataset": "sales",
    "version": None,
    "format": "parquet",
    "columns": [COLUMN],
    "rows": 6000000,
    "files": [{"path": "1.parquet", "uri": "s3://lake/sales/1.parquet", "size": 15583333}],
    "storage": {
        "kind": "s3",
        "source": "lake",
        "fields": {"bucket": "lake", "prefix": "sales/", "access_key_id": "ASIA…"},
        "expires_at": "2026-11-22T15:02:11Z",
        "shared": False,
        "now": AT,
    },
}
VERSION_FILE = {"path": "1.parquet", "size": 15583333, "md5": "5d41402abc4b2a76b9719d911017c592"}
VERSION: dict[str, Any] = {
    "dataset": "sales",
    "number": 3,
    "state": "committed",
    "message": "October is complete",
    "committed_by": "analyst-1",
    "at": AT,
    "target": "history",
    "space": "sales-5b2c9d01e7f4a836",
    "commit": "1f3a7d0c9b5e4f6a8d2c3b4a5f6e7d8c9b0a1f2e",
    "tags": ["2026-q3"],
    "files": 12,
    "size": 187000000,
    "rows": 6000000,
    "done": 187000000,
    "total": 187000000,
}
TARGET: dict[str, Any] = {
    "name": "history",
    "title": "Versions",
    "metadata_kind": "folder",
    "contents_kind": "s3",
    "metadata": {"path": "/srv/versions"},
    "contents": {"bucket": "versions", "prefix": "", "region": "eu-central-1"},
    "secrets": ["contents.secret_access_key"],
    "enabled": True,
    "tested_at": AT,
    "problem": "",
    "revision": 1,
}
MODEL: dict[str, Any] = {
    "name": "churn",
    "version": "3",
    "person": "analyst-1",
    "target": "history",
    "file": "churn.onnx",
    "size": 1048576,
    "sha256": ATTACHMENT["sha256"],
    "description": "Who leaves",
    "metrics": {"auc": 0.91},
    "datasets": ["sales@3"],
    "audience": TOLD_AUDIENCE,
    "manages": True,
    "created_at": AT,
}
_EMPTY = Listing(sequence=4711).model_dump(mode="json")


def _listing(item: dict[str, Any]) -> dict[str, Any]:
    return {"items": [item], **_EMPTY}


DATA_ANSWERS: dict[str, dict[str, Any]] = {
    "SourceFormListing": _listing(FORM),
    "Source": SOURCE,
    "SourceListing": _listing(SOURCE),
    "SourceCheck": {
        "source": "warehouse",
        "at": AT,
        "reached": True,
        "words": "PostgreSQL 16.2 at db.example.org:5432, database shop.",
    },
    "SourceContents": {
        "source": "warehouse",
        "path": ["public"],
        "entries": [
            {
                "name": "sales",
                "kind": "table",
                "path": ["public", "sales"],
                "holds": True,
                "rows": 6000000,
            }
        ],
        "next": None,
    },
    "SourceCredential": CREDENTIAL,
    "Dataset": DATASET,
    "DatasetListing": _listing(DATASET),
    "DatasetAccess": ACCESS,
    "Version": VERSION,
    "VersionListing": _listing(VERSION),
    "VersionDifference": {
        "dataset": "sales",
        "before": 2,
        "after": 3,
        "added": [VERSION_FILE],
        "removed": [],
        "changed": [],
        "rows": 500000,
    },
    "VersionTarget": TARGET,
    "VersionTargetListing": _listing(TARGET),
    "TargetFormListing": _listing({"part": "metadata", "kind": "folder", "fields": []}),
    "TargetCheck": {
        "target": "history",
        "at": AT,
        "reached": True,
        "words": "Histories and contents (folder and s3) can be written and read.",
    },
    "TargetCleaning": {
        "target": "history",
        "items": [{"label": "dataset prices", "files": 12, "size": 340000000}],
        "complete": True,
    },
    "RegisteredModel": MODEL,
    "RegisteredModelListing": _listing(MODEL),
}
DATA_BODIES: dict[str, dict[str, Any]] = {
    "NewSource": {
        "name": "warehouse",
        "kind": "postgresql",
        "title": "Warehouse",
        "fields": {**FIELDS, "password": "…"},
        "audience": AUDIENCE,
        "group": "vision",
    },
    "SourceEdit": {"title": "The warehouse", "enabled": False},
    "NewDataset": {"name": "sales", "uris": ["s3://lake/sales/"], "audience": AUDIENCE},
    "DatasetEdit": {"label": "personal", "audience": AUDIENCE},
    "Opening": {"version": "2026-10"},
    "NewVersion": {"message": "October is complete"},
    "NewTarget": {
        "name": "history",
        "metadata_kind": "folder",
        "metadata": {"path": "/srv/versions"},
        "contents_kind": "s3",
        "contents": {"bucket": "versions", "access_key_id": "AKIA…", "secret_access_key": "…"},
    },
    "TargetEdit": {"enabled": False},
    "NewModel": {"name": "churn", "version": "3", "target": "history", "datasets": ["sales@3"]},
    "AudienceField": AUDIENCE,
}
