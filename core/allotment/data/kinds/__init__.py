"""The kinds of sources, one module each, and the list of them."""

from __future__ import annotations

from collections.abc import Mapping

from allotment.data.kinds.kind import Kind
from allotment.data.kinds.postgresql import PostgreSQL
from allotment.model.sources import SourceKind

_ALL: tuple[Kind, ...] = (PostgreSQL(),)

KINDS: Mapping[SourceKind, Kind] = {one.kind: one for one in _ALL}
"""What can be registered, in the order in which forms offer it."""
