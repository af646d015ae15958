"""Homes are kept for a time without a server, then removed or packed away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.String(length=40)
_NAME = sa.String(length=128)
_PLACE = sa.String(length=253)


def upgrade() -> None:
    """Keep them. Nobody's time has begun: homes are looked for anew."""
    op.create_table(
        "homes",
        sa.Column("hub", _NAME, nullable=False),
        sa.Column("place", _PLACE, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("server", _NAME),
        sa.Column("size", sa.BigInteger()),
        sa.Column("used", sa.BigInteger()),
        sa.Column("measured_at", sa.BigInteger()),
        sa.Column("unused_since", sa.BigInteger()),
        sa.Column("keep_until", sa.BigInteger()),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("warned_at", sa.BigInteger()),
        sa.Column("asked", sa.String(length=12)),
        sa.Column("asked_by", _NAME, server_default="", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("asked IN ('remove','archive')", name=op.f("ck_homes_asked")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_homes_size")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_homes_used")),
        sa.PrimaryKeyConstraint("hub", "place", name=op.f("pk_homes")),
    )
    op.create_index("ix_homes_person", "homes", ["person"])
    op.create_table(
        "home_archives",
        sa.Column("id", _ID, nullable=False),
        sa.Column("hub", _NAME, nullable=False),
        sa.Column("place", _PLACE, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("file", sa.String(length=300), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", _NAME, nullable=False),
        sa.Column("restored_at", sa.BigInteger()),
        sa.Column("asked", sa.String(length=12)),
        sa.Column("asked_by", _NAME, server_default="", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("asked IN ('restore','remove')", name=op.f("ck_home_archives_asked")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_home_archives")),
    )
    op.create_index("ix_home_archives_person", "home_archives", ["person"])


def downgrade() -> None:
    """Forget them: no home was removed by that."""
    op.drop_table("home_archives")
    op.drop_table("homes")
