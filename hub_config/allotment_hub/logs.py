"""The hub's log: JupyterHub's lines or JSON documents, with what looks like a secret hidden in both."""

from __future__ import annotations

import logging
from typing import Any

from jupyterhub.log import CoroutineLogFormatter
from traitlets.config import Config

from allotment.api.logs import FORMAT, LEVEL, Lines, scrub
from allotment.settings.logs import LogSettings


class Text(CoroutineLogFormatter):
    """JupyterHub's own lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one message."""
        return scrub(super().format(record))


class Json(Lines):
    """A JSON document a line. JupyterHub tells every formatter how its own lines look."""

    def __init__(self, *_args: object, **_options: object) -> None:
        super().__init__()


def write_logs(c: Config, wanted: LogSettings) -> None:
    """Have JupyterHub write its log so."""
    kind = Json if wanted.format == "json" else Text
    formatter: dict[str, Any] = {"class": f"{kind.__module__}.{kind.__name__}"}
    c.Application.logging_config = {"formatters": {"console": formatter}}
    c.Application.log_level = wanted.level.upper()


def log_variables(wanted: LogSettings) -> dict[str, str]:
    """What tells the control plane how its log is to look."""
    return {FORMAT: wanted.format, LEVEL: wanted.level}
