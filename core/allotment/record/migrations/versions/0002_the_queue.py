"""Those who wait, how pools are shared, departments above groups, reservations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NAME = sa.String(length=128)
_ID = sa.String(length=40)
_LIVE = sa.text("state IN ('waiting', 'offered')")


def upgrade() -> None:
    """Create the queue's tables, and give pools a policy and groups a department."""
    op.add_column("pools", sa.Column("policy", sa.Text(), server_default="{}", nullable=False))
    op.add_column("groups", sa.Column("department", _NAME))
    _priorities()
    op.add_column("shares", sa.Column("used", sa.Float(), server_default="0", nullable=False))
    op.add_column(
        "shares", sa.Column("used_at", sa.BigInteger(), server_default="0", nullable=False)
    )
    _departments()
    _tickets()
    op.create_table(
        "reservations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("pool", _NAME, nullable=False),
        sa.Column("device_count", sa.Integer(), nullable=False),
        sa.Column("group_name", _NAME),
        sa.Column("person", _NAME),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("ends_at > begins_at", name=op.f("ck_reservations_times")),
        sa.CheckConstraint("device_count > 0", name=op.f("ck_reservations_devices")),
        sa.ForeignKeyConstraint(["pool"], ["pools.name"], name=op.f("fk_reservations_pool_pools")),
        sa.ForeignKeyConstraint(
            ["group_name"], ["groups.name"], name=op.f("fk_reservations_group_name_groups")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["people.name"], name=op.f("fk_reservations_person_people")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )


def _priorities() -> None:
    op.add_column(
        "allotments",
        sa.Column("priority", sa.String(length=12), server_default="dedicated", nullable=False),
    )
    allotments = sa.table("allotments", sa.column("priority"), sa.column("terms"))
    low = allotments.c.terms.like('%"priority":"low"%')
    op.execute(allotments.update().where(low).values(priority="low"))


def _departments() -> None:
    op.create_table(
        "departments",
        sa.Column("name", _NAME, nullable=False),
        sa.Column("title", sa.String(length=200), server_default="", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_departments")),
    )
    op.create_table(
        "department_ceilings",
        sa.Column("department", _NAME, nullable=False),
        sa.Column("pool", _NAME, nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.CheckConstraint("ceiling >= 0", name=op.f("ck_department_ceilings_ceiling")),
        sa.ForeignKeyConstraint(
            ["department"],
            ["departments.name"],
            name=op.f("fk_department_ceilings_department_departments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["pool"], ["pools.name"], name=op.f("fk_department_ceilings_pool_pools")
        ),
        sa.PrimaryKeyConstraint("department", "pool", name=op.f("pk_department_ceilings")),
    )


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", _ID, nullable=False),
        sa.Column("hub", _NAME, nullable=False),
        sa.Column("person", _NAME, nullable=False),
        sa.Column("server", _NAME, nullable=False),
        sa.Column("profile", _NAME, nullable=False),
        sa.Column("group_name", _NAME),
        sa.Column("device_count", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(length=12), nullable=False),
        sa.Column("candidates", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("moved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("display_name", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.Integer()),
        sa.Column("waits_for", sa.Text()),
        sa.Column("allotment", _ID),
        sa.Column("offered_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting','offered','started','cancelled','expired','refused')",
            name=op.f("ck_tickets_state"),
        ),
        sa.ForeignKeyConstraint(
            ["allotment"], ["allotments.id"], name=op.f("fk_tickets_allotment_allotments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_since", "tickets", ["since"])
    op.create_index(
        "ix_tickets_live",
        "tickets",
        ["state", "since"],
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_index(
        "uq_tickets_live_server",
        "tickets",
        ["hub", "person", "server"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_table(
        "estimates",
        sa.Column("ticket", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("half", sa.BigInteger()),
        sa.Column("most", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["ticket"],
            ["tickets.id"],
            name=op.f("fk_estimates_ticket_tickets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("ticket", "at", name=op.f("pk_estimates")),
    )
