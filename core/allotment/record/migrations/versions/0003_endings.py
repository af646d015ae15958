"""The endings of servers: notices before they are stopped, and extensions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.String(length=40)
_NAME = sa.String(length=128)
_OPEN = sa.text("withdrawn_at IS NULL AND done_at IS NULL")


def upgrade() -> None:
    """Bring the schema to this version."""
    op.add_column(
        "allotments",
        sa.Column("stop_cause", sa.String(length=20), server_default="", nullable=False),
    )
    _endings()
    op.create_table(
        "keeps",
        sa.Column("allotment", _ID, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("said_by", _NAME, nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["allotment"], ["allotments.id"], name=op.f("fk_keeps_allotment_allotments")
        ),
        sa.PrimaryKeyConstraint("allotment", name=op.f("pk_keeps")),
    )


def _endings() -> None:
    op.create_table(
        "endings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("allotment", _ID, nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("stop_at", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("extended", sa.Integer(), server_default="0", nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("done_at", sa.BigInteger()),
        sa.CheckConstraint(
            "cause IN ('reclaim','idle','idle-devices','lifetime','budget','stopped')",
            name=op.f("ck_endings_cause"),
        ),
        sa.CheckConstraint(
            "withdrawn_at IS NULL OR done_at IS NULL", name=op.f("ck_endings_one_end")
        ),
        sa.ForeignKeyConstraint(
            ["allotment"], ["allotments.id"], name=op.f("fk_endings_allotment_allotments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endings")),
    )
    op.create_index("ix_endings_allotment", "endings", ["allotment"])
    op.create_index(
        "ix_endings_due", "endings", ["stop_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index(
        "uq_endings_open",
        "endings",
        ["allotment", "cause"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
