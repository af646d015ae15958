"""A control plane in a place of its own, as the settings say it. Without this section the hub starts it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _url(text: str) -> str:
    found = urlsplit(text)
    if found.scheme not in {"http", "https"} or not found.hostname or found.query or found.fragment:
        message = f"expected an address such as http://allotment:8787, found {text[:80]!r}"
        raise ValueError(message)
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_url)]


class ControlPlane(BaseModel):
    """Where the hub's proxy finds a control plane that the hub does not start, and how they know each other.

    ``url`` is as the proxy and people's servers reach it; ``public_url`` is what people open in a
    browser. Hub and control plane read the same token: from a file or a variable, never from here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: Address
    public_url: Address
    token_file: Path | None = None
    token_variable: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")

    @model_validator(mode="after")
    def _agrees(self) -> ControlPlane:
        if (self.token_file is None) == (self.token_variable is None):
            message = "expected token_file or token_variable, one of them"
            raise ValueError(message)
        return self

    def beside(self, folder: Path) -> ControlPlane:
        """The same, with its file looked for from a folder: that of the settings."""
        if self.token_file is None:
            return self
        return self.model_copy(update={"token_file": folder / self.token_file})

    def token(self, environment: Mapping[str, str] = os.environ) -> str:
        """Read the token with which the control plane asks the hub.

        Raises:
            OSError: its file cannot be read.
            ValueError: its variable is not set, or there is nothing in either.
        """
        if self.token_file is not None:
            place, found = str(self.token_file), self.token_file.read_text()
        else:
            place = f"the variable {self.token_variable}"
            found = environment.get(self.token_variable or "", "")
        if not found.strip():
            message = f"{place} holds no token"
            raise ValueError(message)
        return found.strip()

    def identity(self, environment: Mapping[str, str] = os.environ) -> str:
        """What tells a hub from another one of its name: both know it by the token that they share.

        Raises:
            OSError, ValueError: as for :meth:`token`.
        """
        return hashlib.sha256(f"identity\0{self.token(environment)}".encode()).hexdigest()[:40]
