"""Times as they are written in documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator


def _no_number(value: object) -> object:
    """A bare number could be seconds, milliseconds or a mistake."""
    if isinstance(value, int | float):
        message = "expected a time with its zone, such as 2026-11-22T14:02:11Z"
        raise ValueError(message)  # noqa: TRY004 - pydantic tells a ValueError to whoever sent it
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]
"""An aware time; in JSON a text with its zone, never a number."""
