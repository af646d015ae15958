"""Files that are kept have keys of their own: whatever happens at once, none takes another's place."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Say where each kept file lies. An attachment without a key lies where its name and hash say."""
    for table in ("attachments", "registered_models"):
        op.add_column(
            table, sa.Column("key", sa.String(length=200), server_default="", nullable=False)
        )
    op.execute("UPDATE registered_models SET key = name || '/' || version WHERE file <> ''")
