"""Trying to write into a bucket with what a server is given."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from allotment.data.kinds.attempts import Attempts
from allotment.data.kinds.s3.words import REFUSED, UNKNOWN_THERE, code_of
from allotment.model.sources import Proof, Verdict

MARK = ".allotment-proof-"
"""What a file is called that a proof could write; it is removed at once."""


def attempt_writes(
    client: Any,
    place: tuple[str, str],
    now: datetime,
    *,
    shared: bool,
    ends_within: int | None = None,
    remarks: tuple[str, ...] = (),
) -> Proof:
    """List, then try to write, to delete, to begin a large file, and to look beside the prefix.

    Listing comes first: credentials that are not taken at all would be refused everything else, too.
    ``place`` is bucket and prefix; ``remarks`` are what else was found.
    """
    bucket, prefix = place
    client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    key = f"{prefix}{MARK}{secrets.token_hex(8)}"
    named = {"Bucket": bucket, "Key": key}
    trial = _Trial(client, named, Attempts())
    trial.of("write a file", lambda: client.put_object(Body=b"", **named), trial.remove)
    # Nothing is there, but who may not delete is refused before that is looked at.
    trial.of("delete a file", lambda: client.delete_object(**named))
    trial.of("begin a large file", lambda: client.create_multipart_upload(**named), trial.abort)
    for remark in remarks:
        trial.attempts.remark(remark)
    if prefix and shared:
        trial.attempts.remark(f"The registered key also reads what lies beside {prefix}.")
    proof = trial.attempts.proof(now, shared=shared, ends_within=ends_within)
    if proof.verdict is not Verdict.READ_ONLY:
        return proof
    problem = trial.problem
    if prefix and not shared and _lists(client, bucket):
        problem = (
            f"Its credentials see more than {prefix}: the store does not keep to their policy."
        )
    return replace(proof, verdict=Verdict.UNPROVEN, problem=problem) if problem else proof


class _Trial:
    """Attempts at one key, and what was left behind."""

    def __init__(self, client: Any, place: dict[str, str], attempts: Attempts) -> None:
        self.client, self.place, self.attempts = client, place, attempts
        self.problem = ""

    def of(
        self,
        what: str,
        write: Callable[[], Any],
        undo: Callable[[Any], None] = lambda _made: None,
    ) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            made = write()
        except ClientError as error:
            code = code_of(error)
            if code in REFUSED | UNKNOWN_THERE:
                self.attempts.refused(what)
            else:
                self._undecided(what, code)
        except BotoCoreError as error:
            self._undecided(what, type(error).__name__)
        else:
            self.attempts.succeeded(what)
            undo(made)

    def remove(self, _made: Any) -> None:
        """Delete what was written."""
        self._undo(lambda: self.client.delete_object(**self.place))

    def abort(self, made: Any) -> None:
        """Give up the large file that was begun."""
        upload = made["UploadId"]
        self._undo(lambda: self.client.abort_multipart_upload(UploadId=upload, **self.place))

    def _undo(self, call: Callable[[], Any]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            call()
        except (BotoCoreError, ClientError):
            self.attempts.remark(f"{self.place['Key']} could not be removed again: delete it.")

    def _undecided(self, what: str, why: str) -> None:
        self.attempts.undecided(what, why)
        self.problem = f"Whether users could {what} is not known: the store answered {why}."


def _lists(client: Any, bucket: str) -> bool:
    """Whether the whole bucket can be listed."""
    from botocore.exceptions import ClientError

    try:
        client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    except ClientError as error:
        if code_of(error) in REFUSED:
            return False
        raise
    return True
