"""Software: the versions that profiles name, and which servers run which."""

from __future__ import annotations

from allotment.client.connection import Connection
from allotment.model.documents import SoftwareListing


class SoftwareVersions:
    """``client.software``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> SoftwareListing:
        """The software of published profiles, by profile and name."""
        return self._connection.read_all(SoftwareListing, "/software")
