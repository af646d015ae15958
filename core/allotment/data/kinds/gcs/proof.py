"""Trying to write into a bucket with what a server is given."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from allotment.data.kinds.attempts import Attempts
from allotment.data.outgoing import CONNECT_SECONDS, READ_SECONDS
from allotment.model.sources import Proof, Verdict

MARK = ".allotment-proof-"
"""What a file is called that a proof could write; it is removed at once."""
ONCE: dict[str, Any] = {"timeout": (CONNECT_SECONDS, READ_SECONDS), "retry": None}
"""No call is repeated: by itself the library tries for two minutes."""


def attempt_writes(
    client: Any, place: tuple[str, str], now: datetime, lasts: timedelta, remark: str = ""
) -> Proof:
    """List, then try to write, to delete, to begin a large file, and to look beside the prefix.

    Listing comes first: a token that is not taken at all would be refused everything else, too.

    Args:
        client: sends the token that is tried.
        place: bucket and prefix.
        now: when this is tried.
        lasts: the token's life.
        remark: what else a reader of the proof should know.
    """
    name, prefix = place
    next(iter(client.list_blobs(name, prefix=prefix or None, max_results=1, **ONCE)), None)
    blob = client.bucket(name).blob(f"{prefix}{MARK}{secrets.token_hex(8)}")
    attempts = Attempts()
    problems = [
        # Nothing is there, so to be told so is to be let.
        _attempt(attempts, "delete a file", lambda: blob.delete(**ONCE)),
        _attempt(
            attempts,
            "begin a large file",
            lambda: blob.create_resumable_upload_session(size=1, **ONCE),
        ),
        _attempt(attempts, "write a file", lambda: blob.upload_from_string(b"", **ONCE)),
    ]
    if "write a file" in attempts.possible and not _removed(blob):
        attempts.remark(f"{blob.name} could not be removed again: delete it.")
    if remark:
        attempts.remark(remark)
    proof = attempts.proof(now, ends_within=int(lasts.total_seconds()))
    if proof.verdict is not Verdict.READ_ONLY:
        return proof
    problem = next(filter(None, problems), "")
    if prefix and _lists(client, name):
        problem = f"Its token sees more than {prefix}: the store does not keep to its boundary."
    return replace(proof, verdict=Verdict.UNPROVEN, problem=problem) if problem else proof


def _attempt(attempts: Attempts, what: str, write: Callable[[], Any]) -> str:
    """Try it; says why that showed nothing, if it did not."""
    import requests
    from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound
    from google.auth.exceptions import GoogleAuthError

    try:
        write()
    except Forbidden:
        attempts.refused(what)
    except NotFound:
        attempts.succeeded(what)
    except (GoogleAPICallError, GoogleAuthError, requests.RequestException) as error:
        attempts.undecided(what, type(error).__name__)
        return f"Whether users could {what} is not known: {type(error).__name__}."
    else:
        attempts.succeeded(what)
    return ""


def _removed(blob: Any) -> bool:
    again = Attempts()
    _attempt(again, "remove it", lambda: blob.delete(**ONCE))
    return bool(again.possible)


def _lists(client: Any, name: str) -> bool:
    """Whether the whole bucket can be listed."""
    from google.api_core.exceptions import Forbidden

    try:
        next(iter(client.list_blobs(name, max_results=1, **ONCE)), None)
    except Forbidden:
        return False
    return True
