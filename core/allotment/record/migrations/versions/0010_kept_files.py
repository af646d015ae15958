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
    _know_what_is_left_in_targets()
    _know_what_is_lent_through_datasets()
    _know_through_what_versions_were_read()


def _know_what_is_lent_through_datasets() -> None:
    op.add_column("datasets", sa.Column("opened_by", sa.String(length=128), nullable=True))
    op.add_column("datasets", sa.Column("revoked_by", sa.String(length=128), nullable=True))
    op.add_column("loans", sa.Column("dataset", sa.String(length=128), nullable=True))


def _know_what_is_left_in_targets() -> None:
    op.add_column(
        "datasets", sa.Column("cleanings", sa.Integer(), server_default="0", nullable=False)
    )
    op.create_table(
        "leftovers",
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('space','file')", name=op.f("ck_leftovers_kind")),
        sa.PrimaryKeyConstraint("target", "kind", "name", name=op.f("pk_leftovers")),
    )


def _know_through_what_versions_were_read() -> None:
    op.add_column("versions", sa.Column("source", sa.String(length=128), nullable=True))
    op.add_column("versions", sa.Column("opened_by", sa.String(length=128), nullable=True))
    op.add_column(
        "versions", sa.Column("token", sa.String(length=32), server_default="", nullable=False)
    )
    op.execute(
        "UPDATE versions SET source = "
        "(SELECT datasets.source FROM datasets WHERE datasets.name = versions.dataset)"
    )
