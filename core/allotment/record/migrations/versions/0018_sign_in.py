"""How people get in: known providers, replaced secrets of clients, what hubs found, sessions that end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Keep them. What a hub's own folder remembered of its provider is seen anew at its next start."""
    op.create_table(
        "known_providers",
        sa.Column("digest", sa.String(length=64), primary_key=True),
        sa.Column("endpoints", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "client_secrets",
        sa.Column("issuer", sa.String(length=400), primary_key=True),
        sa.Column("client_id", sa.String(length=400), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("instead_of", sa.String(length=300), nullable=False),
        sa.Column("replaced_at", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.String(length=128), nullable=False),
    )
    op.create_table(
        "sign_in_looks",
        sa.Column("hub", sa.String(length=128), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("succeeded_at", sa.BigInteger(), nullable=True),
        sa.Column("found", sa.Text(), nullable=False),
    )
    op.create_table(
        "session_ends",
        sa.Column("person", sa.String(length=128), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _of_a_person("session_ends"),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("person", sa.String(length=128), primary_key=True),
        sa.Column("hub", sa.String(length=128), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _of_a_person("ended_sessions"),
    )


def _of_a_person(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_person_people")
    return sa.ForeignKeyConstraint(["person"], ["people.name"], ondelete="CASCADE", name=name)
