"""The mail server, as the settings name it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from allotment.model.mail import check_address

PORTS = {"starttls": 587, "tls": 465, "none": 25}


def _sender(text: str) -> str:
    name, address = parseaddr(text)
    if not text.isprintable() or not address:
        message = "expected an address such as Allotment <allotment@example.org>"
        raise ValueError(message)
    check_address(address)
    return f"{name} <{address}>" if name else address


class MailServer(BaseModel):
    """Where mail is handed over. The password itself is never here: a file or a variable holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    host: str = Field(min_length=1, max_length=253, pattern=r"^\S+$")
    sender: Annotated[str, AfterValidator(_sender)] = Field(max_length=320)
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = Field(default=None, min_length=1, max_length=320)
    password_file: Path | None = None
    password_variable: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
    certificate_authority: Path | None = None

    @model_validator(mode="after")
    def _agrees(self) -> MailServer:
        held = [self.password_file, self.password_variable]
        if self.user is not None and held.count(None) != 1:
            message = (
                "a user needs a password: expected password_file or password_variable, one of them"
            )
            raise ValueError(message)
        if self.user is None and held.count(None) != 2:  # noqa: PLR2004 - both
            message = "a password needs a user"
            raise ValueError(message)
        if self.user is not None and self.security == "none" and not _loopback(self.host):
            message = "a password is sent only encrypted: expected security starttls or tls"
            raise ValueError(message)
        return self

    @property
    def port_number(self) -> int:
        """The port; left out it is the usual one of the chosen security."""
        return PORTS[self.security] if self.port is None else self.port

    def beside(self, folder: Path) -> MailServer:
        """The same, with its files looked for from a folder: that of the settings."""
        files = {
            "password_file": self.password_file,
            "certificate_authority": self.certificate_authority,
        }
        found = {key: folder / file for key, file in files.items() if file is not None}
        return self.model_copy(update=found)

    def password(self, environment: Mapping[str, str] = os.environ) -> str:
        """Read the password; empty where none is needed.

        Raises:
            OSError: its file cannot be read.
            ValueError: its variable is not set.
        """
        if self.password_file is not None:
            return self.password_file.read_text().strip()
        if self.password_variable is None:
            return ""
        if self.password_variable not in environment:
            message = f"the variable {self.password_variable}, which holds the password, is not set"
            raise ValueError(message)
        return environment[self.password_variable]


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
