"""Software: what profiles name, its versions, and which servers run which."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document, Listing


class SoftwareRelease(Document):
    """One version that a profile has named. ``servers`` run it now, as far as the caller sees them."""

    version: str = Field(examples=["2026.11"], description="Its version, else its image or folder")
    notes: str = Field(default="", description="What it brought")
    published_at: datetime
    update_by: datetime | None = Field(
        default=None, description="From when on servers with an older version are stopped"
    )
    servers: tuple[str, ...] = Field(
        default=(), description="Ids of servers that run it", examples=[["hub~analyst-1~train"]]
    )


class Software(Document):
    """The software of a profile, or one choice of it. ``releases`` begin with what is named now."""

    profile: str
    profile_title: str
    software: str = Field(description="Empty where the profile leaves no choice")
    title: str
    version: str = Field(examples=["2026.11"])
    image: str = ""
    python_environment: str = ""
    update_by: datetime | None = Field(
        default=None, description="When the servers that are behind are stopped; None: never"
    )
    current: int = Field(description="Servers that run what is named now")
    behind: tuple[str, ...] = Field(description="Ids of servers that run something older")
    releases: tuple[SoftwareRelease, ...]


class SoftwareListing(Listing):
    """Software of published profiles, by profile and name."""

    items: tuple[Software, ...]
