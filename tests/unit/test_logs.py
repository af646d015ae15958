"""Lines of logs: what they say, and what they hide."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from traitlets.config import Config

from allotment.api.logs import HIDDEN, Lines, Words, scrub
from allotment.settings import parse_settings
from allotment_hub.logs import Json, Text, log_variables, write_logs

CANARY = "c4n4ry-5f0e2d9a7b6c4d3e"


def record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    """A message that somebody logs."""
    trace: Any = None
    if failed:
        trace = (ValueError, ValueError(message), None)
    return logging.LogRecord("allotment.api", logging.INFO, "file.py", 1, message, arguments, trace)


@pytest.mark.promise("OPS-3")
@pytest.mark.parametrize(
    "line",
    [
        f"connecting to postgresql+psycopg://allotment:{CANARY}@db.example.org/allotment",
        f"Authorization: Bearer {CANARY}",
        f"authorization: token {CANARY}",
        f"GET /hub/api/user?token={CANARY}&x=1",
        f"GET /hub/oauth_callback?state=1&code_verifier={CANARY}",
        f"POST form password={CANARY}&username=ann",
        f"{{'client_secret': '{CANARY}', 'client_id': 'hub'}}",
        f'{{"refresh_token": "{CANARY}"}}',
        f"Setting new xsrf cookie for b'{CANARY}:9b1' {{'path': '/hub/'}}",
        f"xsrf id mismatch b'1' != b'{CANARY}:9b1'",
        f"AWS_SECRET_ACCESS_KEY={CANARY}",
        f"https://store.example.org/key?X-Amz-Signature={CANARY}",
    ],
)
@pytest.mark.parametrize(
    "formatter", [Lines(), Words(), Json(), Text()], ids=lambda one: type(one).__name__
)
def test_what_looks_like_a_secret_is_hidden(formatter: logging.Formatter, line: str) -> None:
    said = formatter.format(record("%s", line)) + formatter.format(record(line, failed=True))

    assert CANARY not in said
    assert HIDDEN in said


@pytest.mark.promise("OPS-3")
@pytest.mark.parametrize(
    "line",
    [
        "GET /users/{person}/tokens 200",
        "The token of ann was revoked.",
        "http://127.0.0.1:8081/hub/api",
        "password of ann changed",
        "ann/train: it waits for a device",
    ],
)
def test_ordinary_words_stay(line: str) -> None:
    assert scrub(line) == line


@pytest.mark.promise("OPS-3")
def test_a_line_is_a_document_with_the_fields_of_its_message() -> None:
    one = record("%s %s %d", "GET", "/pools", 200)
    one.route, one.status = "/pools", 200

    said = json.loads(Lines().format(one))

    assert said["at"].endswith("+00:00")
    del said["at"]
    assert said == {
        "level": "info",
        "from": "allotment.api",
        "message": "GET /pools 200",
        "route": "/pools",
        "status": 200,
    }


@pytest.mark.promise("OPS-3")
@pytest.mark.parametrize(("wanted", "formatter"), [("json", "Json"), ("text", "Text")])
def test_the_settings_say_how_logs_are_written(wanted: str, formatter: str) -> None:
    settings, c = (
        parse_settings(f"logs: {{format: {wanted}, level: warning}}\n", "s.yaml"),
        Config(),
    )

    write_logs(c, settings.logs)

    written = c.Application.logging_config["formatters"]["console"]["class"]
    assert (written, c.Application.log_level) == (f"allotment_hub.logs.{formatter}", "WARNING")
    assert log_variables(settings.logs) == {
        "ALLOTMENT_LOG_FORMAT": wanted,
        "ALLOTMENT_LOG_LEVEL": "warning",
    }
