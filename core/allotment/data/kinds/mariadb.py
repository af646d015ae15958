"""MariaDB as a source: as MySQL, but for a few words of SQL."""

from __future__ import annotations

from allotment.data.kinds.mysql import MySQL
from allotment.model.sources import SourceKind


class MariaDB(MySQL):
    """MariaDB 10.5 and later."""

    kind = SourceKind.MARIADB
    title = "MariaDB"
    mariadb = True
