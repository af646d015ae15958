"""The platform's configuration as a file."""

from __future__ import annotations

from allotment.client.connection import Connection
from allotment.model.documents import ConfigurationFile, ConfigurationPlan


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

    def apply(self, yaml: str, *, restore: bool = False) -> ConfigurationPlan:
        """Apply a settings file: all of it or nothing; what exists is left alone, unless ``restore``."""
        return self._send("apply", yaml, restore=restore)

    def _send(self, verb: str, yaml: str, *, restore: bool) -> ConfigurationPlan:
        body = {"yaml": yaml, "restore": restore}
        return self._connection.send(ConfigurationPlan, "POST", f"/configuration/{verb}", body)
