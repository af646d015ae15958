"""Models that people registered: trained, named, versioned, with what they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from allotment.model.sources import NOBODY, Audience


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One version of a model. ``name`` is unique for its owner's eyes and ``version`` within the name.

    ``uri`` is where it lies; or ``target`` keeps its file, of ``size`` bytes. ``datasets`` are the
    dataset versions that it came from, as ``name@number``.
    """

    name: str
    version: str
    person: str
    uri: str = ""
    target: str | None = None
    file: str = ""
    size: int | None = None
    sha256: str = ""
    description: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    audience: Audience = NOBODY
    created_at: datetime | None = None
