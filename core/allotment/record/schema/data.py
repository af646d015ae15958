"""Sources, datasets, versions and models; who may use them, and what servers were lent."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import ID, NAME, metadata

TITLE = String(200)

sources = Table(
    "sources",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("title", TITLE, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("fields", Document, nullable=False),
    Column("group_name", NAME),
    Column("enabled", Boolean, nullable=False),
    Column("revoked_at", Moment),
    Column("proof", Document),
    Column("accepted_by", NAME),
    Column("usable", Boolean, nullable=False),
    Column("created_by", NAME, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)
"""``usable`` repeats what proof and acceptance say, so that an admission reads no proofs."""

version_targets = Table(
    "version_targets",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("title", TITLE, nullable=False, server_default=""),
    Column("metadata_kind", String(20), nullable=False),
    Column("contents_kind", String(20), nullable=False),
    Column("metadata", Document, nullable=False),
    Column("contents", Document, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("tested_at", Moment),
    Column("problem", Text, nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="1"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("what", String(20), primary_key=True),
    Column("name", NAME, primary_key=True),
    Column("field", NAME, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    CheckConstraint("what IN ('source','target')", name="what"),
)
"""Encrypted: what they say is known only to whoever holds the keys, which are not in the record."""

datasets = Table(
    "datasets",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("title", TITLE, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("uris", Document, nullable=False),
    Column("format", String(20), nullable=False),
    Column("source", NAME, ForeignKey("sources.name")),
    Column("options", Document, nullable=False),
    Column("label", String(20), nullable=False),
    Column("group_name", NAME),
    Column("enabled", Boolean, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", NAME),
    Column("reading", Document),
    Column("space", String(100), nullable=False, unique=True),
    Column("cleanings", Integer, nullable=False, server_default="0"),
    Column("target", NAME, ForeignKey("version_targets.name")),
    Column("version", Integer),
    Column("opened_by", NAME),
    Column("created_by", NAME, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
    Index("ix_datasets_source", "source"),
    CheckConstraint("label IN ('public','internal','personal')", name="label"),
)
"""``version`` repeats the number of the newest committed version. ``space`` is made at registration and
never again, so that whoever takes a name that became free does not come by what was kept under it.
``cleanings`` counts when contents were taken out of it: what was known to be there may not be any more."""

audiences = Table(
    "audiences",
    metadata,
    Column("what", String(20), primary_key=True),
    Column("name", String(400), primary_key=True),
    Column("grantee_kind", String(10), primary_key=True),
    Column("grantee", NAME, primary_key=True),
    CheckConstraint("what IN ('source','dataset','model')", name="what"),
    CheckConstraint("grantee_kind IN ('everyone','group','person')", name="grantee_kind"),
    Index("ix_audiences_grantee", "grantee_kind", "grantee"),
)
"""Who may use what. ``grantee`` is empty for everyone; ``name`` of a model is its id."""

attachments = Table(
    "attachments",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.name", ondelete="CASCADE"), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("added_by", NAME, nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("key", String(200), nullable=False, server_default=""),
)
"""``key`` is what its bytes are kept under, made anew for each document that is sent."""

versions = Table(
    "versions",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.name", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(12), nullable=False),
    Column("message", Text, nullable=False),
    Column("committed_by", NAME, nullable=False),
    Column("at", Moment, nullable=False),
    Column("target", NAME, nullable=False),
    Column("commit_id", String(200), nullable=False, server_default=""),
    Column("files", Integer, nullable=False, server_default="0"),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("rows", BigInteger),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("problem", Text, nullable=False, server_default=""),
    Column("alive_at", Moment, nullable=False),
    Column("source", NAME),
    Column("opened_by", NAME),
    Column("token", String(32), nullable=False, server_default=""),
    CheckConstraint("state IN ('committing','committed','failed')", name="state"),
)
"""``alive_at`` is when whoever commits said so last: one that says nothing has died. ``token`` is known to
whoever carries the commit out: a number may be another's by then. ``source`` and ``opened_by`` are those of
the dataset when it was committed: whoever may not read through that source any more reads no version that was.
"""

version_tags = Table(
    "version_tags",
    metadata,
    Column("dataset", NAME, ForeignKey("datasets.name", ondelete="CASCADE"), primary_key=True),
    Column("tag", NAME, primary_key=True),
    Column("number", Integer, nullable=False),
)

registered_models = Table(
    "registered_models",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("version", NAME, primary_key=True),
    Column("person", NAME, nullable=False),
    Column("uri", Text, nullable=False, server_default=""),
    Column("target", NAME, ForeignKey("version_targets.name")),
    Column("file", String(200), nullable=False, server_default=""),
    Column("size", BigInteger),
    Column("sha256", String(64), nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("metrics", Document, nullable=False),
    Column("datasets", Document, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("key", String(200), nullable=False, server_default=""),
    Index("ix_registered_models_person", "person"),
)
"""``key`` is what the target keeps the file under, made anew for each file that is sent."""

leftovers = Table(
    "leftovers",
    metadata,
    Column("target", NAME, primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("label", String(200), nullable=False),
    Column("size", BigInteger, nullable=False, server_default="0"),
    Column("free_at", Moment, nullable=False),
    CheckConstraint("kind IN ('space','file')", name="kind"),
)
"""What lies in targets and may be named by nothing: spaces of deleted datasets, and files of models, each
noted before it is sent. Before ``free_at`` somebody may still be at it."""

loans = Table(
    "loans",
    metadata,
    Column("id", ID, primary_key=True),
    Column("source", NAME, nullable=False),
    Column("dataset", NAME),
    Column("allotment", ID, ForeignKey("allotments.id"), nullable=False),
    Column("person", NAME, nullable=False),
    Column("account", NAME),
    Column("issued_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("problem", Text, nullable=False, server_default=""),
    Index("ix_loans_allotment", "allotment", "source"),
    Index(
        "ix_loans_open",
        "source",
        sqlite_where=text("withdrawn_at IS NULL"),
        postgresql_where=text("withdrawn_at IS NULL"),
    ),
)
"""What servers were lent of sources. ``account`` is what must be dropped there at the end, if anything;
``dataset`` the one whose files it opens and nothing else."""
