"""The script that grids, charts and plots share, and how it reaches a page.

anywidget sends a widget's script with every instance and again at every reload. Ours is a loader
of one kilobyte; the first widget of a page asks for the rest, once.
"""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from threading import RLock
from typing import NoReturn

import anywidget
import traitlets

from allotment_widgets.transport import Message


class ScriptMissing(RuntimeError):
    """The scripts were not built: a checkout without ``npm run build``."""


@cache
def built(name: str) -> str:
    """The text of a built script.

    Raises:
        ScriptMissing: It was never built; says how to.
    """
    path = files("allotment_widgets") / "static" / name
    if not path.is_file():
        raise ScriptMissing(
            f"The widgets' script {name} is not built. "
            "In a checkout: cd widgets && npm ci && npm run build."
        )
    return path.read_text(encoding="utf-8")


@cache
def shared_script() -> tuple[str, bytes]:
    """Digest and gzipped text of the shared script."""
    text = built("widgets.js").encode()
    # No time of making in it: the same script has the same bytes in every kernel.
    return hashlib.sha256(text).hexdigest()[:16], gzip.compress(text, mtime=0)


class Scripted(anywidget.AnyWidget):
    """A widget drawn by the shared script. Its methods may be called from any thread."""

    part = traitlets.Unicode().tag(sync=True)
    digest = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode(help="What it is called; read out by screen readers.").tag(sync=True)
    empty = traitlets.Unicode("Nothing here.", help="Said when there is nothing.").tag(sync=True)
    problem = traitlets.Unicode(help="What went wrong, above what is still shown.").tag(sync=True)

    def __init__(self, part: str, **options: object) -> None:
        self._esm = built("loader.js")
        self._lock = RLock()
        # Until a page has asked, nothing is sent: there is nobody to read it.
        self._asked = False
        super().__init__(part=part, digest=shared_script()[0], **options)
        self.on_msg(self._receive)

    def failed(self, problem: str) -> None:
        """Says above the content what went wrong; the content stays. An empty text takes it away."""
        self.problem = problem

    def _receive(self, _widget: object, message: Message, _buffers: object) -> None:
        kind = message.get("kind")
        if kind == "script":
            digest, script = shared_script()
            self.send({"kind": "script", "digest": digest}, [script])
        elif kind == "ready":
            with self._lock:
                self._asked = True
                self._send_everything()
        else:
            self._said(str(kind), message)

    def _send_if_asked(self, sent: tuple[Message, list[bytes]] | None) -> None:
        if sent is not None and self._asked:
            message, buffers = sent
            self.send(message, buffers)

    def _send_everything(self) -> None:
        """Sends a snapshot, if there is anything to show yet."""
        raise NotImplementedError

    def _said(self, kind: str, message: Message) -> None:
        """Takes a message from the page that only some widgets have."""
        _unknown(kind, message)


def _unknown(kind: str, message: Message) -> NoReturn:
    raise ValueError(f"The page sent a message of unknown kind {kind!r}: {sorted(message)}.")
