"""Which cluster a pod is of, and what a server waits for while it starts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Say it of each allotment; of those before it is not known."""
    op.add_column(
        "allotments",
        sa.Column("pod_cluster", sa.String(length=64), server_default="", nullable=False),
    )
    op.add_column("allotments", sa.Column("awaits", sa.Text(), server_default="", nullable=False))
