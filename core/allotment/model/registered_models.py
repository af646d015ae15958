"""Models that people registered: trained, named, versioned, with what they came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from allotment.model.sources import NOBODY, Audience

_UNSEEN = r"\s\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff"
URI_PATTERN = (
    r"^(?:(?:s3|s3a|azure|az|abfs|abfss|gs|gcs|https?)://"
    rf"|(?:models|runs|mlflow-artifacts):/{{1,2}}|(?:file://)?/)[^/{_UNSEEN}][^{_UNSEEN}]*$"
)
"""Where a model may lie: stores, sites, MLflow's registry, folders. Nothing that a browser would run, and
no signs that are not seen."""
_URI = re.compile(URI_PATTERN)


def check_uri(uri: str) -> str:
    """Return the URI of a model unchanged, or refuse it.

    Raises:
        ValueError: it is of no known scheme, or holds a name or a password.
    """
    if _URI.fullmatch(uri) is None:
        message = f"{uri[:80]!r} is not where a model may lie: s3://, azure://, gs://, https://, models:/ or a path"
        raise ValueError(message)
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"} and "@" in parts.netloc:
        message = (
            "a URI is told to everybody whom the model is shared with: leave name and password out"
        )
        raise ValueError(message)
    return uri


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """One version of a model. ``name`` is unique for its owner's eyes and ``version`` within the name.

    ``uri`` is where it lies; or ``target`` keeps its file, of ``size`` bytes. ``datasets`` are the
    dataset versions that it came from, as ``name@number``. ``key`` is what its target keeps the file
    under, and no other file's ever.
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
    key: str = ""
