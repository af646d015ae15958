"""What went wrong, in words that say what to do. No secret of a credential is in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from allotment.model.refusals import AllotmentError

_OPEN = frozenset(
    [
        "host",
        "port",
        "database",
        "user",
        "path",
        "uri",
        "bucket",
        "prefix",
        "region",
        "endpoint",
        "account",
        "container",
        "project",
        "dsn",
        "warehouse",
        "schema",
        "role",
        "tls",
        "path_style",
        "protocol",
        "sslmode",
    ]
)
"""Fields of a credential that are no secrets; every other one is."""
_SHORTEST = 6
"""Characters of the shortest text that is looked for: shorter ones stand in ordinary words."""


class DataProblem(AllotmentError):
    """Data could not be read as it was asked for. The message names what, and what would help."""


def scrubbed(text: str, fields: Mapping[str, Any]) -> str:
    """A text without the secrets among these fields of a credential."""
    for name, value in fields.items():
        if name not in _OPEN and isinstance(value, str) and len(value) >= _SHORTEST:
            for written in (value, quote(value, safe=""), quote(value)):
                text = text.replace(written, "…")
    return text


def first_line(error: BaseException, fields: Mapping[str, Any]) -> str:
    """What a library says, as one sentence without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    words = _NOISE.sub("", scrubbed(lines[0] if lines else type(error).__name__, fields))
    words = words.strip() if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


_LONGEST = 400
_NOISE = re.compile(
    r":? *<\?xml.*|; note: .*|^object-store error: | in [\d.]+(ms|µs|s)\b|, after \d+ retries.*?30s *"
)
"""What libraries add that tells a person nothing."""


def missing(package: str, what: str) -> DataProblem:
    """A library that this environment lacks."""
    return DataProblem(
        f"{what} needs the package {package!r}, which is not installed here. "
        f"Install it: %pip install {package}"
    )
