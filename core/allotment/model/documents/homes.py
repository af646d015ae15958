"""People's homes, and those that were packed away."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.homes import ArchiveAsk, HomeEnd


class Home(Document):
    """What is kept of a person's files on a hub."""

    id: str = Field(description="hub~place", examples=["hub~analyst-1"])
    hub: str
    place: str = Field(description="Its folder's name, or that of its claim of storage")
    person: str
    server: str | None = Field(
        default=None, description="The one server whose home it is; null: of all of its person's"
    )
    size: int | None = Field(default=None, description="What its claim of storage has, in bytes")
    used: int | None = Field(default=None, description="What it holds, in bytes; null: not known")
    in_use: bool = Field(description="Whether its person has a server on its hub")
    unused_since: datetime | None = None
    keep_until: datetime | None = Field(default=None, description="Kept until then at least")
    ends_at: datetime | None = Field(
        default=None, description="When it is removed or packed away; null: never"
    )
    warned_at: datetime | None = Field(
        default=None, description="When its person was told, or its heir"
    )
    asked: HomeEnd | None = Field(default=None, description="What is being done with it")
    problem: str = Field(default="", description="Why that could not be done")
    heir: str | None = Field(
        default=None,
        description="Who is to get it, for its person has left; it is kept until it is moved and removed",
    )


class HomeArchive(Document):
    """A home that was packed into a file, which was read back before the home went."""

    id: str
    hub: str
    place: str
    person: str
    file: str = Field(description="Its name where archives are kept")
    size: int = Field(description="The file's, in bytes")
    entries: int = Field(description="Files, folders and links in it")
    made_at: datetime
    made_by: str
    restored_at: datetime | None = None
    asked: ArchiveAsk | None = Field(default=None, description="What is being done with it")
    problem: str = Field(default="", description="Why that could not be done")


class HomeListing(Listing):
    """Homes, by person, hub and place, and every archive that the caller may see, the newest first."""

    items: tuple[Home, ...]
    archives: tuple[HomeArchive, ...] = ()
