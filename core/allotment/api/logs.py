"""Logs: a line for each message, on standard error, as a JSON document or as words; never a secret."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

FORMAT, LEVEL = "ALLOTMENT_LOG_FORMAT", "ALLOTMENT_LOG_LEVEL"
"""The variables in which the hub tells the control plane how the settings want its log."""
HIDDEN = "[secret]"
_FIELDS = ("method", "route", "status", "seconds", "person")
_SECRETS = (
    # The password in a URL, such as a database's.
    (re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+@"), rf"\1:{HIDDEN}@"),
    # What a header says after its scheme.
    (re.compile(r"(?i)\b(bearer|basic|token)(\s+)[\w.~+/=-]{16,}"), rf"\1\2{HIDDEN}"),
    # JupyterHub says for which session it makes a cookie: the session's id is a cookie of its own.
    (re.compile(r"(?i)(xsrf (?:cookie for|id mismatch) ).*"), rf"\1{HIDDEN}"),
    # Parameters of queries and forms, and keys of documents, that go by a secret's name.
    (
        re.compile(
            r"(?i)(\w*(?:token|password|passwd|secret|api_?key|code_verifier|signature|_xsrf)\w*"
            r"[\"']?\s*[=:]\s*[\"']?)(?!\[secret)[^\s&\"',;})]+"
        ),
        rf"\1{HIDDEN}",
    ),
)


def scrub(text: str) -> str:
    """Hide what looks like a secret. Whoever logs is to leave secrets out; this is the second fence."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class Lines(logging.Formatter):
    """One line of JSON for each message, with its fields as keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one message."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": scrub(record.getMessage()),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["trace"] = scrub(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class Words(logging.Formatter):
    """One line of words for each message; what failed follows it."""

    def __init__(self) -> None:
        super().__init__("[%(levelname)1.1s %(asctime)s %(name)s] %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Write one message."""
        return scrub(super().format(record))


def configure(environment: Mapping[str, str] = os.environ) -> None:
    """Send every log of this process to standard error, in the format that the environment names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Words() if environment.get(FORMAT) == "text" else Lines())
    level = logging.getLevelNamesMapping().get(environment.get(LEVEL, "").upper(), logging.INFO)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These log every request that they send; the hub's answers are told where they matter.
    for name in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
