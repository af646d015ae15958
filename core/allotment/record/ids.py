"""Ids of what the record makes."""

from __future__ import annotations

import secrets
from datetime import datetime

from allotment.record.columns import to_stored


def new_id(now: datetime) -> str:
    """A new id that sorts by time: milliseconds since the epoch and 80 random bits, in hexadecimal."""
    return f"{to_stored(now) // 1000:012x}{secrets.token_hex(10)}"
