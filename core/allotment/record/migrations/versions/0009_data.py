"""Data: sources, datasets, versions, models, who may use them, and what servers were lent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NAME = sa.String(length=128)


def upgrade() -> None:
    """Let there be data."""
    _make_sources()
    _make_datasets()
    _make_what_belongs_to_datasets()
    _make_versions()
    _make_models_and_loans()
    _let_custodians_into_the_console()


def _make_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("group_name", _NAME),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("proof", sa.Text()),
        sa.Column("accepted_by", _NAME),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("created_by", _NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sources")),
    )
    op.create_table(
        "secrets",
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("field", _NAME, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("what IN ('source','target')", name=op.f("ck_secrets_what")),
        sa.PrimaryKeyConstraint("what", "name", "field", name=op.f("pk_secrets")),
    )
    op.create_table(
        "version_targets",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("metadata_kind", sa.String(length=20), nullable=False),
        sa.Column("contents_kind", sa.String(length=20), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("contents", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("tested_at", sa.BigInteger()),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_version_targets")),
    )


def _make_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("uris", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("source", _NAME),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=20), nullable=False),
        sa.Column("group_name", _NAME),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("reading", sa.Text()),
        sa.Column("space", sa.String(length=100), nullable=False),
        sa.Column("target", _NAME),
        sa.Column("version", sa.Integer()),
        sa.Column("created_by", _NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "label IN ('public','internal','personal')", name=op.f("ck_datasets_label")
        ),
        sa.ForeignKeyConstraint(
            ["source"], ["sources.name"], name=op.f("fk_datasets_source_sources")
        ),
        sa.ForeignKeyConstraint(
            ["target"], ["version_targets.name"], name=op.f("fk_datasets_target_version_targets")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_datasets")),
        sa.UniqueConstraint("space", name=op.f("uq_datasets_space")),
    )
    op.create_index("ix_datasets_source", "datasets", ["source"])


def _make_what_belongs_to_datasets() -> None:
    op.create_table(
        "attachments",
        sa.Column("dataset", _NAME, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("added_by", _NAME, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["datasets.name"],
            name=op.f("fk_attachments_dataset_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset", "name", name=op.f("pk_attachments")),
    )
    op.create_table(
        "audiences",
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("grantee_kind", sa.String(length=10), nullable=False),
        sa.Column("grantee", _NAME, nullable=False),
        sa.CheckConstraint(
            "grantee_kind IN ('everyone','group','person')", name=op.f("ck_audiences_grantee_kind")
        ),
        sa.CheckConstraint("what IN ('source','dataset','model')", name=op.f("ck_audiences_what")),
        sa.PrimaryKeyConstraint(
            "what", "name", "grantee_kind", "grantee", name=op.f("pk_audiences")
        ),
    )
    op.create_index("ix_audiences_grantee", "audiences", ["grantee_kind", "grantee"])


def _make_versions() -> None:
    op.create_table(
        "versions",
        sa.Column("dataset", _NAME, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("committed_by", _NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("target", _NAME, nullable=False),
        sa.Column("commit_id", sa.String(length=200), server_default="", nullable=False),
        sa.Column("files", sa.Integer(), server_default="0", nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("alive_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('committing','committed','failed')", name=op.f("ck_versions_state")
        ),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["datasets.name"],
            name=op.f("fk_versions_dataset_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset", "number", name=op.f("pk_versions")),
    )
    op.create_table(
        "version_tags",
        sa.Column("dataset", _NAME, nullable=False),
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset"],
            ["datasets.name"],
            name=op.f("fk_version_tags_dataset_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset", "tag", name=op.f("pk_version_tags")),
    )


def _make_models_and_loans() -> None:
    op.create_table(
        "registered_models",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("version", _NAME, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("uri", sa.Text(), server_default="", nullable=False),
        sa.Column("target", _NAME),
        sa.Column("file", sa.String(length=200), server_default="", nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.String(length=64), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.Column("datasets", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target"],
            ["version_targets.name"],
            name=op.f("fk_registered_models_target_version_targets"),
        ),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_registered_models")),
    )
    op.create_index("ix_registered_models_person", "registered_models", ["person"])
    op.create_table(
        "loans",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("source", _NAME, nullable=False),
        sa.Column("allotment", sa.String(length=40), nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("account", _NAME),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["allotment"], ["allotments.id"], name=op.f("fk_loans_allotment_allotments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loans")),
    )
    op.create_index("ix_loans_allotment", "loans", ["allotment", "source"])
    op.create_index(
        "ix_loans_open",
        "loans",
        ["source"],
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )


def _let_custodians_into_the_console() -> None:
    """Their forms are there; the console shows nobody more than the role permits."""
    op.execute(
        """UPDATE roles SET permissions = '["manage-sources","use-console"]' """
        "WHERE name = 'data-custodian' AND built_in"
    )
