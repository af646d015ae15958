"""A source as a test registers it: its form filled in, without a record."""

from __future__ import annotations

from typing import Any

from allotment.data.forms import fill
from allotment.data.kinds import KINDS
from allotment.data.kinds.kind import Opened
from allotment.model.sources import SourceKind


def opened(kind: SourceKind, **given: Any) -> Opened:
    """A source of a kind with these fields, defaults and secrets in their places."""
    form = fill(KINDS[kind].fields, given)
    return Opened("lake", form.fields, {k: v for k, v in form.secrets.items() if v is not None})
