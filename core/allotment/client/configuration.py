"""The platform's configuration as a file."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.client.connection import Connection
from allotment.model.documents import ConfigurationFile, ConfigurationPlan

DeclaredSecrets = Mapping[str, Mapping[str, str]]
"""The secrets of declared sources, by source and field."""


class Configuration:
    """``client.configuration``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def export(self) -> str:
        """What is configured, as a settings file."""
        return self._connection.read(ConfigurationFile, "/configuration").yaml

    def plan(self, yaml: str, *, restore: bool = False) -> ConfigurationPlan:
        """What applying this file would change. ``restore``: also what operators changed or deleted since."""
        return self._send("plan", yaml, restore=restore)

    def apply(
        self, yaml: str, *, restore: bool = False, secrets: DeclaredSecrets | None = None
    ) -> ConfigurationPlan:
        """Apply a settings file: all of it or nothing; what exists is left alone, unless ``restore``.

        ``secrets`` are those of declared sources that have to be made, by source and field: the file
        names places that only whoever sends it can read.
        """
        return self._send("apply", yaml, restore=restore, secrets=secrets)

    def _send(
        self, verb: str, yaml: str, *, restore: bool, secrets: DeclaredSecrets | None = None
    ) -> ConfigurationPlan:
        body: dict[str, object] = {"yaml": yaml, "restore": restore}
        if secrets:
            body["secrets"] = {name: dict(given) for name, given in secrets.items()}
        return self._connection.send(ConfigurationPlan, "POST", f"/configuration/{verb}", body)
