"""Budgets of everybody and of each member of a group."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NAME = sa.String(length=128)
_SCOPES = "scope IN ('person','group','department','members','everybody')"


def upgrade() -> None:
    """Let budgets be of many people, and say what each of them was told."""
    op.create_table(
        "budget_warnings",
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "subject", "person", name=op.f("pk_budget_warnings")),
    )
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_budgets_scope"), "budgets", type_="check")
        op.create_check_constraint(op.f("ck_budgets_scope"), "budgets", _SCOPES)
        return
    # SQLite changes no condition of a table: it is made anew.
    op.rename_table("budgets", "budgets_before")
    _make_budgets()
    op.execute("INSERT INTO budgets SELECT * FROM budgets_before")
    op.drop_table("budgets_before")


def _make_budgets() -> None:
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
        sa.CheckConstraint(_SCOPES, name=op.f("ck_budgets_scope")),
        sa.CheckConstraint("period IN ('month','quarter','none')", name=op.f("ck_budgets_period")),
        sa.CheckConstraint(
            "at_limit IN ('warn','refuse','stop')", name=op.f("ck_budgets_at_limit")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_budgets_amount")),
        sa.PrimaryKeyConstraint("scope", "subject", name=op.f("pk_budgets")),
    )
