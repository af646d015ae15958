"""Nodes, devices and pools that are taken out of use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_ID = sa.String(length=40)
_NAME = sa.String(length=128)
_OPEN = sa.text("lifted_at IS NULL")
_ENDING_OPEN = sa.text("withdrawn_at IS NULL AND done_at IS NULL")
_BEFORE = "cause IN ('reclaim','idle','idle-devices','lifetime','budget','stopped')"
_NOW = "cause IN ('reclaim','idle','idle-devices','lifetime','budget','stopped','drain','update')"


def upgrade() -> None:
    """Let operators take things out of use, and servers end for it."""
    op.create_table(
        "cordons",
        sa.Column("id", _ID, nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("drain_at", sa.BigInteger()),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("said_by", _NAME, nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("scope IN ('node','pool','device')", name=op.f("ck_cordons_scope")),
        sa.CheckConstraint(
            "drain_at IS NULL OR drain_at >= begins_at", name=op.f("ck_cordons_drain")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cordons")),
    )
    op.create_index(
        "ix_cordons_open", "cordons", ["begins_at"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    _a_cause_more()


def _a_cause_more() -> None:
    # SQLite changes no constraint in place: there the table is copied, from what 0003 made it.
    with op.batch_alter_table("endings", copy_from=_endings()) as endings:
        endings.drop_constraint(op.f("ck_endings_cause"), type_="check")
        endings.create_check_constraint(op.f("ck_endings_cause"), _NOW)


def _endings() -> sa.Table:
    return sa.Table(
        "endings",
        sa.MetaData(),
        sa.Column("id", _ID, nullable=False),
        sa.Column("allotment", _ID, nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("stop_at", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("extended", sa.Integer(), server_default="0", nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.Column("done_at", sa.BigInteger()),
        sa.CheckConstraint(_BEFORE, name=op.f("ck_endings_cause")),
        sa.CheckConstraint(
            "withdrawn_at IS NULL OR done_at IS NULL", name=op.f("ck_endings_one_end")
        ),
        sa.ForeignKeyConstraint(
            ["allotment"], ["allotments.id"], name=op.f("fk_endings_allotment_allotments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endings")),
        sa.Index("ix_endings_allotment", "allotment"),
        sa.Index(
            "ix_endings_due", "stop_at", sqlite_where=_ENDING_OPEN, postgresql_where=_ENDING_OPEN
        ),
        sa.Index(
            "uq_endings_open",
            "allotment",
            "cause",
            unique=True,
            sqlite_where=_ENDING_OPEN,
            postgresql_where=_ENDING_OPEN,
        ),
    )
