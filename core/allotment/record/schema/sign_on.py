"""People as a provider and its directory know them, service accounts, and who has left."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import ID, NAME, metadata

identities = Table(
    "identities",
    metadata,
    Column("issuer", String(400), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person", NAME, nullable=False),
    Column("name", String(255), nullable=False),
    Column("groups", Document, nullable=False),
    Column("confirmed_at", Moment, nullable=False),
    Column("ended", Boolean, nullable=False),
    UniqueConstraint("issuer", "person"),
)
"""Whose a subject is. It outlives the person: a name that was somebody's is not handed to another.

``ended``: the person was removed, so the subject is not whoever has the name next.
"""

links = Table(
    "links",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), nullable=False),
    Column("until", Moment, nullable=False),
)
"""An operator's word: whom the provider calls ``name`` is this person."""

directory_people = Table(
    "directory_people",
    metadata,
    Column("id", ID, primary_key=True),
    Column(
        "person", NAME, ForeignKey("people.name", ondelete="CASCADE"), nullable=False, unique=True
    ),
    Column("external_id", String(255)),
    Column("document", Document, nullable=False),
    Column("brought", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)
"""People as a directory finds them. ``brought``: it on-boarded them itself, nobody else did before."""

directory_groups = Table(
    "directory_groups",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("external_id", String(255)),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("revision", Integer, nullable=False, server_default="1"),
)

directory_members = Table(
    "directory_members",
    metadata,
    Column(
        "directory_group",
        ID,
        ForeignKey("directory_groups.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("member", ID, ForeignKey("directory_people.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_directory_members_member", "member"),
)

service_accounts = Table(
    "service_accounts",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("permissions", Document, nullable=False),
    Column("note", String(300), nullable=False),
    Column("maker", NAME, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)
"""Programs' own tokens, as SHA-256; what was revoked is not here any more, only in the events."""

leavings = Table(
    "leavings",
    metadata,
    Column("person", NAME, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("why", String(300), nullable=False),
    Column("heir", NAME),
)

farewells = Table(
    "farewells",
    metadata,
    Column("person", NAME, ForeignKey("leavings.person", ondelete="CASCADE"), primary_key=True),
    Column("hub", NAME, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("note", String(300), nullable=False),
)
"""Which hub has ended what it had of somebody who left."""
