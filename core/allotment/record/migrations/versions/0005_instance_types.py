"""Instance types, quotas of a cloud, and what homes hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NAME = sa.String(length=128)


def upgrade() -> None:
    """Let there be instance types, and let allotments say theirs."""
    op.create_table(
        "instance_types",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("price", sa.BigInteger()),
        sa.Column("most", sa.Integer()),
        sa.Column("vcpus", sa.Integer()),
        sa.Column("quota", sa.String(length=40)),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_instance_types_price")),
        sa.CheckConstraint("most >= 0", name=op.f("ck_instance_types_most")),
        sa.CheckConstraint("vcpus > 0", name=op.f("ck_instance_types_vcpus")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_instance_types")),
    )
    op.create_table(
        "quotas",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("region", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Integer()),
        sa.Column("used", sa.Integer()),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_quotas")),
    )
    op.create_table(
        "storage",
        sa.Column("person", _NAME, nullable=False),
        sa.Column("hub", _NAME, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("measured_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_storage_used")),
        sa.PrimaryKeyConstraint("person", "hub", name=op.f("pk_storage")),
    )
    op.add_column("allotments", sa.Column("instance_type", _NAME))
    op.create_index(
        "ix_allotments_active_type",
        "allotments",
        ["instance_type"],
        sqlite_where=sa.text("state <> 'released' AND instance_type IS NOT NULL"),
        postgresql_where=sa.text("state <> 'released' AND instance_type IS NOT NULL"),
    )
