"""The process of one commit: ``python -m allotment.data.versions.worker``.

It reads a pickled request from its standard input, from nobody but the control plane that started it,
so that no secret stands among its arguments or in its environment; later come the credentials that it
asks for. It answers in lines of JSON. What libraries print goes nowhere, and it ends when the control
plane does.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import sys
import threading
import time
from dataclasses import asdict
from typing import IO, Any

from allotment.model.refusals import Refusal
from allotment.model.sources import Credential

_BEAT = 0.2
"""Seconds between two words on progress."""


class Channel:
    """What the control plane hears, whatever a library makes of standard output."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        self._told = 0.0
        self._lock = threading.Lock()
        self._lent: queue.Queue[Credential] = queue.Queue()

    def listen(self, stdin: IO[bytes]) -> None:
        """Take credentials as they come, and end with the control plane: it holds the other end open."""
        while True:
            try:
                self._lent.put(pickle.load(stdin))  # noqa: S301 - as the request
            except EOFError:
                os._exit(1)

    def lend(self) -> Credential:
        """Ask for another credential to read with; who cannot give one ends this process."""
        self.say({"lend": True})
        return self._lent.get()

    def progress(self, done: int, total: int) -> None:
        """Tell how far it is, not too often."""
        now = time.monotonic()
        with self._lock:
            if now - self._told < _BEAT and done < total:
                return
            self._told = now
            self._write({"done": done, "total": total})

    def say(self, word: dict[str, Any]) -> None:
        """Tell how it ended, or what is needed."""
        with self._lock:
            self._write(word)

    def _write(self, word: dict[str, Any]) -> None:
        self._out.write(json.dumps(word, default=str) + "\n")
        self._out.flush()


def main() -> None:
    """Commit once."""
    channel = Channel()
    request, renewable = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    threading.Thread(target=channel.listen, args=(sys.stdin.buffer,), daemon=True).start()
    # After the output was led away: dvc_data's libraries may speak when they are imported.
    from allotment.data.versions.committing import commit  # noqa: PLC0415 - see above

    try:
        made = commit(request, channel.progress, channel.lend if renewable else None)
    except Refusal as refusal:
        channel.say({"refused": [reason.document() for reason in refusal.reasons]})
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold a secret: only its kind is told
        place = _place(error)
        channel.say({"broke": f"{type(error).__name__} in {place}"})
    else:
        channel.say({"made": asdict(made)})


def _place(error: BaseException) -> str:
    """Module and line in which an error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "nowhere"
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


if __name__ == "__main__":
    main()
