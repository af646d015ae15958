"""How each part of the platform is, and what is new in its version."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from allotment.model.documents.document import Document, Listing

PartState = Literal["ok", "off", "unknown", "warning", "failing"]
"""From best to worst. off: the settings do not ask for it; unknown: nobody here can tell."""


class Part(Document):
    """One part of the platform, in words."""

    name: str = Field(examples=["record"])
    title: str = Field(examples=["Record"])
    state: PartState = Field(
        description="off: the settings do not ask for it; unknown: nobody here can tell"
    )
    says: str = Field(description="How it is, and what to do where it is not well, in sentences")
    details: tuple[str, ...] = Field(default=(), description="What else is known, a line each")
    at: datetime | None = Field(
        default=None, description="When it was last known to be well; null: now, or never"
    )


class HealthReport(Listing):
    """Every part of the platform, and the worst of their states."""

    state: PartState
    at: datetime
    items: tuple[Part, ...]


class NewsSection(Document):
    """Changes of one kind."""

    title: str = Field(examples=["Added"])
    notes: tuple[str, ...] = Field(description="A sentence or a few each, in Markdown")


class Release(Document):
    """What a version brought."""

    version: str = Field(examples=["0.1.0"])
    released: str = Field(
        description="Its date, or that it is not released", examples=["2026-11-30"]
    )
    introduction: str = ""
    sections: tuple[NewsSection, ...]


class ReleaseListing(Listing):
    """Versions, the newest first."""

    items: tuple[Release, ...]
