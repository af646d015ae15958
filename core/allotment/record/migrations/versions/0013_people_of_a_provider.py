"""People whom a provider knows, a directory, service accounts, and leaving."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_NAME = sa.String(length=128)
_ID = sa.String(length=40)


def upgrade() -> None:
    """Let people be known by a provider's subject, and let them leave."""
    op.add_column("people", sa.Column("confirmed_until", sa.BigInteger(), nullable=True))
    op.add_column("people", sa.Column("provider_role", _NAME, nullable=True))
    op.add_column("people", sa.Column("left_at", sa.BigInteger(), nullable=True))
    _identities()
    _directory()
    _service_accounts()
    _leaving()


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("issuer", sa.String(length=400), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "person", name=op.f("uq_identities_issuer_person")),
    )
    op.create_table(
        "links",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"], ["people.name"], ondelete="CASCADE", name=op.f("fk_links_person_people")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_links")),
    )


def _directory() -> None:
    op.create_table(
        "directory_people",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("brought", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["people.name"],
            ondelete="CASCADE",
            name=op.f("fk_directory_people_person_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_people")),
        sa.UniqueConstraint("person", name=op.f("uq_directory_people_person")),
    )
    op.create_table(
        "directory_groups",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_directory_groups_name")),
    )
    op.create_table(
        "directory_members",
        sa.Column("directory_group", _ID, nullable=False),
        sa.Column("member", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["directory_group"],
            ["directory_groups.id"],
            ondelete="CASCADE",
            name=op.f("fk_directory_members_directory_group_directory_groups"),
        ),
        sa.ForeignKeyConstraint(
            ["member"],
            ["directory_people.id"],
            ondelete="CASCADE",
            name=op.f("fk_directory_members_member_directory_people"),
        ),
        sa.PrimaryKeyConstraint("directory_group", "member", name=op.f("pk_directory_members")),
    )
    op.create_index("ix_directory_members_member", "directory_members", ["member"])


def _service_accounts() -> None:
    op.create_table(
        "service_accounts",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("maker", _NAME, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_accounts")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_service_accounts_token_hash")),
    )


def _leaving() -> None:
    op.create_table(
        "leavings",
        sa.Column("person", _NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("heir", _NAME, nullable=True),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_leavings")),
    )
    op.create_table(
        "farewells",
        sa.Column("person", _NAME, nullable=False),
        sa.Column("hub", _NAME, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["person"],
            ["leavings.person"],
            ondelete="CASCADE",
            name=op.f("fk_farewells_person_leavings"),
        ),
        sa.PrimaryKeyConstraint("person", "hub", name=op.f("pk_farewells")),
    )
