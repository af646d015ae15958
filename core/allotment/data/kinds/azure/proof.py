"""Trying to write into a container with what a server is given."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.azure.words import REFUSED, code_of
from allotment.model.sources import Proof, Verdict

MARK = ".allotment-proof-"
"""What a blob is called that a proof could write; it is removed at once."""
_WIDE = (
    "A signature opens one file or the whole container: datasets of several files are loaded by those"
    " who may use the source."
)


def attempt_writes(
    container: Any, prefix: str, now: datetime, last: tuple[timedelta, Any] | None
) -> Proof:
    """List, then try to write, to delete, and to begin a large file.

    Listing comes first: a signature that is not taken at all would be refused everything else, too.

    Args:
        container: a client with the signature that is tried.
        prefix: what of the container is shown.
        now: when this is tried.
        last: how long signatures last, and a client with one whose time is over; None where the
            registered signature itself is handed on.
    """
    next(iter(container.list_blobs(name_starts_with=prefix or None, results_per_page=1)), None)
    blob = container.get_blob_client(f"{prefix}{MARK}{secrets.token_hex(8)}")
    attempts = Attempts()
    problems = [
        # Nothing is there, so to be told so is to be let.
        _attempt(attempts, "delete a file", blob.delete_blob),
        _attempt(attempts, "begin a large file", lambda: blob.stage_block("MQ==", b"1")),
        _attempt(attempts, "write a file", lambda: blob.upload_blob(b"", overwrite=True)),
    ]
    if "write a file" in attempts.possible and not _removed(blob):
        attempts.remark(f"{blob.blob_name} could not be removed again: delete it.")
    if prefix:
        attempts.remark(f"The signature also reads what lies beside {prefix}.")
    if last is not None:
        attempts.remark(_WIDE)
    proof = attempts.proof(now, shared=last is None, ends_within=_ends(attempts, last))
    problem = next(filter(None, problems), "")
    if proof.verdict is Verdict.READ_ONLY and problem:
        return replace(proof, verdict=Verdict.UNPROVEN, problem=problem)
    return proof


def _ends(attempts: Attempts, last: tuple[timedelta, Any] | None) -> int | None:
    """After how many seconds what was lent has ended, None where it does not."""
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    if last is None:
        return None
    try:
        next(iter(last[1].list_blobs(results_per_page=1)), None)
    except ClientAuthenticationError:
        return int(last[0].total_seconds())
    except HttpResponseError as error:
        if code_of(error) not in {*REFUSED, "AuthenticationFailed"}:
            raise
        return int(last[0].total_seconds())
    attempts.remark("A signature whose time is over is still taken: revoking does not end it.")
    return None


def _removed(blob: Any) -> bool:
    again = Attempts()
    _attempt(again, "remove it", blob.delete_blob)
    return bool(again.possible)


def _attempt(attempts: Attempts, what: str, write: Callable[[], Any]) -> str:
    """Try it; says why that showed nothing, if it did not."""
    from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError

    try:
        write()
    except ResourceNotFoundError:
        attempts.succeeded(what)
    except HttpResponseError as error:
        code = code_of(error)
        if code not in REFUSED:
            attempts.undecided(what, code or "another answer")
            return f"Whether users could {what} is not known: the store answered {code}."
        attempts.refused(what)
    except AzureError as error:
        attempts.undecided(what, type(error).__name__)
        return f"Whether users could {what} is not known: {type(error).__name__}."
    else:
        attempts.succeeded(what)
    return ""
