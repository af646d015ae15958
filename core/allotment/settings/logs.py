"""How hub and control plane write their logs, as the settings say it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class LogSettings(BaseModel):
    """The format of a line, and from which level on a message is written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
