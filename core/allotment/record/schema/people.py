"""People, their roles, groups and passwords."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import NAME, metadata

roles = Table(
    "roles",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("permissions", Document, nullable=False),
    Column("built_in", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)

people = Table(
    "people",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("role", NAME, ForeignKey("roles.name"), nullable=False),
    Column("onboarded_at", Moment),
    Column("email", String(254), nullable=False, server_default=""),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("confirmed_until", Moment),
    Column("provider_role", NAME),
    Column("left_at", Moment),
)

memberships = Table(
    "memberships",
    metadata,
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), primary_key=True),
    Column("group_name", NAME, ForeignKey("groups.name"), primary_key=True),
    Column("origin", String(20), primary_key=True),
    Column("lead", Boolean, nullable=False),
    Column("until", Moment),
    Index("ix_memberships_group_name", "group_name"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("changed_at", Moment, nullable=False),
)

reset_links = Table(
    "reset_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Index("ix_reset_links_person", "person"),
)
