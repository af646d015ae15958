"""The kinds of sources, one module each, and the list of them."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.data.kinds.azure import Azure
from allotment.data.kinds.folder import Folder
from allotment.data.kinds.gcs import GoogleStorage
from allotment.data.kinds.kind import Kind
from allotment.data.kinds.mariadb import MariaDB
from allotment.data.kinds.mysql import MySQL
from allotment.data.kinds.oracle import Oracle
from allotment.data.kinds.postgresql import PostgreSQL
from allotment.data.kinds.s3 import S3
from allotment.data.kinds.snowflake import Snowflake
from allotment.data.kinds.sqlite import SQLite
from allotment.model.sources import SourceKind

_ALL: tuple[Kind, ...] = (
    PostgreSQL(),
    MySQL(),
    MariaDB(),
    Oracle(),
    Snowflake(),
    SQLite(),
    S3(),
    Azure(),
    GoogleStorage(),
    Folder(),
)

KINDS: Mapping[SourceKind, Kind] = {one.kind: one for one in _ALL}
"""What can be registered, in the order in which forms offer it."""
