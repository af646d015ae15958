"""What every document is."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sequence = Annotated[int, Field(ge=0, description="Sequence of the newest event it reflects")]


class Document(BaseModel):
    """A frozen answer. Times are UTC, memory is in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Listing(Document):
    """One page of a list.

    ``next`` asks for the page after this one; None on the last. Where only changes were asked for,
    ``complete`` is false, ``items`` are what changed and ``removed`` are ids that are gone or no
    longer the caller's to see.
    """

    next: str | None = Field(default=None, description="Cursor of the next page")
    sequence: Sequence = 0
    complete: bool = Field(default=True, description="Whether items are all there is, page by page")
    removed: tuple[str, ...] = Field(default=(), description="Ids that are gone since")
