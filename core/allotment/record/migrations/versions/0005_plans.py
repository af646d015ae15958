"""Instance types, and profiles that follow one another."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema to this version."""
