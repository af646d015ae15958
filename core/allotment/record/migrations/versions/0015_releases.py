"""Software has versions: what each profile named, since when, and what it brought."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Keep them. What is published next is the first release of each profile."""
    op.create_table(
        "releases",
        sa.Column("profile", sa.String(length=128), primary_key=True),
        sa.Column("software", sa.String(length=128), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("image", sa.String(length=500), nullable=False),
        sa.Column("python_environment", sa.String(length=1000), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("update_by", sa.BigInteger(), nullable=True),
    )
