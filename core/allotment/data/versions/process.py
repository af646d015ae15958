"""Commits run in a process of their own: what DVC's libraries print, hold and leak ends with it."""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import datetime
from typing import Any

from allotment.data.datasets.stores.renewing import Lend
from allotment.data.problems import SourceProblem
from allotment.data.versions.coming import Progress
from allotment.data.versions.committing import CommitRequest, Committed
from allotment.model.datasets import DatasetColumn, DatasetReading
from allotment.model.reasons import Reason
from allotment.model.refusals import Refusal
from allotment.model.sources import Credential

BEAT = 5.0
"""Seconds after which progress is told again though there was none: the record takes silence for death."""
_COMMAND = (sys.executable, "-P", "-W", "ignore", "-m", "allotment.data.versions.worker")
_WITHHELD = ("JUPYTERHUB_", "ALLOTMENT_")
"""Beginnings of variables that a commit does not need, and that hold tokens and keys."""
_ENDING = 10.0
"""Seconds that a process has to end after its last word."""


def commit_apart(request: CommitRequest, progress: Progress, lend: Lend | None = None) -> Committed:
    """Make a version of a dataset's files as they are now, in a process of its own.

    Args:
        request: what to commit, and all that is needed for it.
        progress: is called with bytes done and bytes in all, every few seconds at least.
        lend: gives another credential to read with, when the request's own comes to its end.

    Raises:
        Refusal: a file cannot be used, or the target refused; nothing was committed.
        SourceProblem: the process died.
    """
    with subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as process:
        try:
            _send(process, (request, lend is not None))
            last = _listen(process, progress, lend)
        except BaseException:
            process.kill()
            raise
        # Its input stays open until here: at its end the process ends itself.
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
    return _outcome(last, process.returncode)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_WITHHELD)}


def _send(process: subprocess.Popen[bytes], thing: tuple[CommitRequest, bool] | Credential) -> None:
    assert process.stdin is not None  # noqa: S101 - for mypy: it is a pipe
    try:
        process.stdin.write(pickle.dumps(thing))
        process.stdin.flush()
    except BrokenPipeError:
        # It has died; that its last word is missing tells it later.
        return


def _listen(
    process: subprocess.Popen[bytes], progress: Progress, lend: Lend | None
) -> dict[str, Any]:
    """Pass on what is told until it ends; answers the last word, empty if there was none."""
    words: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        # Closed while it is read where the process was ended.
        with suppress(ValueError):
            for line in process.stdout or ():
                words.put(line)
        words.put(b"")

    threading.Thread(target=read, daemon=True).start()
    done, total = 0, 0
    while True:
        try:
            line = words.get(timeout=BEAT)
        except queue.Empty:
            progress(done, total)
            continue
        word: dict[str, Any] = json.loads(line) if line else {}
        if "lend" in word and lend is not None:
            _send(process, lend())
        elif "done" in word:
            done, total = int(word["done"]), int(word["total"])
            progress(done, total)
        else:
            return word


def _outcome(word: dict[str, Any], status: int | None) -> Committed:
    if "made" in word:
        made = word["made"]
        return Committed(**{**made, "reading": _reading(made["reading"])})
    if "refused" in word:
        raise Refusal(*(Reason.from_document(one) for one in word["refused"]))
    happened = str(word.get("broke") or f"its process ended with {status}")
    raise SourceProblem(
        f"The commit broke off: {happened}.",
        remedy="Nothing was committed. Commit again; what was sent already is not sent twice.",
    )


def _reading(document: dict[str, Any]) -> DatasetReading:
    columns = tuple(DatasetColumn(**one) for one in document["columns"])
    at = datetime.fromisoformat(document["at"])
    return DatasetReading(**{**document, "at": at, "columns": columns, "problems": ()})
