"""Budgets, and what they need."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the schema to this version."""
