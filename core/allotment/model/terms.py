"""What an allotment's terms promise about the end of its server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from allotment.model.idleness import ExtendRule, IdleRule
from allotment.model.profiles import Profile


@dataclass(frozen=True, slots=True)
class EndTerms:
    """Idleness, lifetime and extensions as promised at admission. None: there is no such rule."""

    idle: IdleRule | None = None
    lifetime: timedelta | None = None
    extend: ExtendRule | None = None

    @classmethod
    def of(cls, terms: Mapping[str, Any]) -> EndTerms:
        """Read the terms of an allotment. One that is older than these rules was promised none of them."""
        document = terms.get("profile", {})
        if "idle" not in document:
            return cls()
        profile = Profile.model_validate(document)
        return cls(profile.idle, profile.lifetime, profile.extend)
