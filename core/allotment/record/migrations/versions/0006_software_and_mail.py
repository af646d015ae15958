"""The software that a ticket waits with, people's e-mail addresses, and mail that is to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NAME = sa.String(length=128)


def upgrade() -> None:
    """Let tickets name software, people have an address, and notices wait to be sent."""
    op.add_column("tickets", sa.Column("software", _NAME, server_default="", nullable=False))
    op.add_column(
        "people", sa.Column("email", sa.String(length=254), server_default="", nullable=False)
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("given_up_at", sa.BigInteger()),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name=op.f("ck_mails_one_end")),
        sa.ForeignKeyConstraint(
            ["person"], ["people.name"], name=op.f("fk_mails_person_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("uq_mails_about", "mails", ["person", "about"], unique=True)
    op.create_index("ix_mails_made_at", "mails", ["made_at"])
    waiting = sa.text("sent_at IS NULL AND given_up_at IS NULL")
    op.create_index(
        "ix_mails_due", "mails", ["due_at"], sqlite_where=waiting, postgresql_where=waiting
    )
