"""Tickets that stand aside while a limit of their person does not let them start."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Let tickets stand aside."""
    op.add_column("tickets", sa.Column("aside_at", sa.BigInteger()))
