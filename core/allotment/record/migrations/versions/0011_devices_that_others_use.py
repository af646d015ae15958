"""What others than the platform use of a device, what is out of use, and what a cluster says of its nodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_FLAGS = "free AND healthy AND present AND usable"


def upgrade() -> None:
    """Let devices be taken and cordoned, pools be made of nodes, and keep what is known of nodes."""
    for column in ("taken_by", "cordon", "node_cordon"):
        op.add_column("devices", sa.Column(column, sa.Text(), server_default="", nullable=False))
    op.add_column(
        "devices", sa.Column("resource", sa.String(length=200), server_default="", nullable=False)
    )
    # SQLite can only add one that is made when it is read, PostgreSQL before 18 only one that is kept.
    kept = op.get_bind().dialect.name == "postgresql"
    usable = sa.Computed(
        "taken_by = '' AND cordon = '' AND node_cordon = ''", persisted=kept or None
    )
    op.add_column("devices", sa.Column("usable", sa.Boolean(), usable, nullable=False))
    op.drop_index("ix_devices_allottable", table_name="devices")
    op.create_index(
        "ix_devices_allottable",
        "devices",
        ["pool", "node", "model", "id"],
        sqlite_where=sa.text(_FLAGS),
        postgresql_where=sa.text(_FLAGS),
    )
    op.add_column("pools", sa.Column("nodes", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "nodes",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_nodes")),
    )
