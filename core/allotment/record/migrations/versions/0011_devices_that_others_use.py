"""What others than the platform use of a device, and what an operator took out of use."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nothing yet."""
