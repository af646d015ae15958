"""How people get in: what hubs know of the provider, its client's secret, and sessions that are to end."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, String, Table

from allotment.record.columns import Document, Moment
from allotment.record.schema.base import NAME, metadata

known_providers = Table(
    "known_providers",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("endpoints", Document, nullable=False),
    Column("seen_at", Moment, nullable=False),
)
"""Where a provider answered, by the SHA-256 of the settings it was asked with."""

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("issuer", String(400), primary_key=True),
    Column("client_id", String(400), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("instead_of", String(300), nullable=False),
    Column("replaced_at", Moment, nullable=False),
    Column("replaced_by", NAME, nullable=False),
)
"""A client's secret that operators replaced, encrypted. ``instead_of`` is the hash of the one in the settings then."""

sign_in_looks = Table(
    "sign_in_looks",
    metadata,
    Column("hub", NAME, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("succeeded_at", Moment),
    Column("found", Document, nullable=False),
)
"""What each hub found when it last looked whether its provider signs people in."""

session_ends = Table(
    "session_ends",
    metadata,
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), primary_key=True),
    Column("at", Moment, nullable=False),
)
"""Whose sessions of before are to end: a password was set by whoever runs the machine."""

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("person", NAME, ForeignKey("people.name", ondelete="CASCADE"), primary_key=True),
    Column("hub", NAME, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""The word in ``session_ends`` that a hub has carried out."""
