"""Announced ends of servers, and what their people said about them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from allotment.model.documents.document import Document
from allotment.model.endings import Cause


class Ending(Document):
    """An announced end of a server: it is stopped at ``stop_at`` unless it is put off or taken back."""

    cause: Cause
    words: str = Field(description="The cause in a few words", examples=["Idle"])
    message: str = Field(description="Why, for its user")
    said_at: datetime
    stop_at: datetime
    extended: int = Field(description="How often it was put off")
    extensions_left: int = Field(description="How often it can still be put off")
    extend_by: float = Field(description="Seconds by which once puts it off; 0: it cannot be")


class Keep(Document):
    """Somebody's word that a server be left alone until a time, though it looks idle."""

    until: datetime
    said_by: str
    note: str = ""
