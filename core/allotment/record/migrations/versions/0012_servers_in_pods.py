"""A server's place is a process or a pod."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Say which pod a server is, where it is one."""
    for name, length in (("pod_namespace", 63), ("pod_name", 253), ("pod_uid", 64)):
        op.add_column(
            "allotments",
            sa.Column(name, sa.String(length=length), server_default="", nullable=False),
        )
