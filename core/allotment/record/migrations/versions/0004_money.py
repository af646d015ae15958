"""Until when an allotment is charged, and budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NAME = sa.String(length=128)


def upgrade() -> None:
    """Let allotments say until when they are charged, find those of a period, and hold budgets."""
    op.add_column("allotments", sa.Column("charged_until", sa.BigInteger()))
    op.create_index("ix_allotments_stopping_at", "allotments", ["stopping_at"])
    op.create_table(
        "budgets",
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("at_limit", sa.String(length=10), nullable=False),
        sa.Column("grace", sa.Integer(), nullable=False),
        sa.Column("minimum_session", sa.Integer(), nullable=False),
        sa.Column("settled", sa.String(length=40), server_default="0", nullable=False),
        sa.Column("settled_from", sa.BigInteger(), nullable=False),
        sa.Column("settled_until", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "scope IN ('person','group','department')", name=op.f("ck_budgets_scope")
        ),
        sa.CheckConstraint("period IN ('month','quarter','none')", name=op.f("ck_budgets_period")),
        sa.CheckConstraint(
            "at_limit IN ('warn','refuse','stop')", name=op.f("ck_budgets_at_limit")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_budgets_amount")),
        sa.PrimaryKeyConstraint("scope", "subject", name=op.f("pk_budgets")),
    )
