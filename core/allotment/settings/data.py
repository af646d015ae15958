"""What of the data around the platform it may open, and where the keys of its secrets are."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

STATE = "{state}"
"""Stands for the folder that holds everything a hub writes."""


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        message = f"expected a network such as 10.1.0.0/16 or an address, found {text[:60]!r}"
        raise ValueError(message) from None


class DataSettings(BaseModel):
    """What people may open through the platform, and where its keys are: in a file, or a variable.

    ``roots`` are folders below which sources, datasets and versions may lie; ``networks`` are reached
    beside public addresses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    roots: tuple[Path, ...] = (Path(STATE) / "data",)
    networks: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    keys_file: Path | None = None
    keys_variable: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
    accept_secrets: bool = False

    @model_validator(mode="after")
    def _agrees(self) -> DataSettings:
        if self.keys_file is not None and self.keys_variable is not None:
            message = "expected keys_file or keys_variable, one of them"
            raise ValueError(message)
        return self

    @property
    def allowed(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks that are reached beside public addresses."""
        return tuple(map(ip_network, self.networks))

    def placed(self, folder: Path | None, state: Path | None) -> DataSettings:
        """The same, with folders looked for from that of the settings, and ``{state}`` replaced."""
        keys = None if self.keys_file is None else _placed(self.keys_file, folder, state)
        roots = tuple(_placed(one, folder, state) for one in self.roots)
        return self.model_copy(update={"roots": roots, "keys_file": keys})


def _placed(path: Path, folder: Path | None, state: Path | None) -> Path:
    if path.parts[:1] == (STATE,):
        return path if state is None else state.joinpath(*path.parts[1:])
    return path if folder is None else folder / path
