"""Service accounts: tokens of programs, with permissions and an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from allotment.model.people import Permission

LONGEST = timedelta(days=366)
"""For how long a service account can be made; then somebody looks at it again."""
TOKEN_PREFIX = "allotment-sa-"  # noqa: S105 - what a token begins with, no token
"""What their tokens begin with: the hub need not be asked about one, and scanners know it."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A program that may ask the control plane. It has its maker's rights at most, at any time.

    ``effective`` are those of ``permissions`` that its maker's role permits now.
    """

    name: str
    permissions: frozenset[Permission]
    effective: frozenset[Permission]
    note: str
    maker: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    @property
    def actor(self) -> str:
        """How events name it. No person can be called so."""
        return f"service:{self.name}"

    def state(self, now: datetime) -> Literal["active", "ended", "powerless"]:
        """``active``, ``ended``, or ``powerless``: its maker may do nothing of what it was made for."""
        if self.expires_at <= now:
            return "ended"
        return "active" if self.effective else "powerless"
