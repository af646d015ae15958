"""Models that people registered."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document, Listing
from allotment.model.documents.sources import Audience


class RegisteredModel(Document):
    """One version of a model: where it lies (``uri``), or the target that keeps its file, of ``size`` bytes."""

    name: str = Field(examples=["churn"])
    version: str = Field(examples=["3"])
    person: str = Field(description="Who registered it")
    uri: str = ""
    target: str | None = None
    file: str = Field(default="", description="The kept file's name; empty: none was sent yet")
    size: int | None = None
    sha256: str = ""
    description: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)
    datasets: tuple[str, ...] = Field(
        default=(), description="Dataset versions it came from", examples=[["sales@3"]]
    )
    audience: Audience | None = Field(default=None, description="Told to its owner")
    manages: bool = Field(description="Whether the caller may delete it")
    created_at: datetime | None = None


class RegisteredModelListing(Listing):
    """Registered models, by name, and by version the newest first."""

    items: tuple[RegisteredModel, ...]
