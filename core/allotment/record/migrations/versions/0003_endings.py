"""The endings of servers: notices before they are stopped, and extensions."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the schema to this version."""
