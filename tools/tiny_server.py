"""The smallest single-user server: it answers the hub, tells its environment, and starts processes.

What it can be told by environment variables: ``TINY_IGNORES`` are signals that it does not obey;
with ``TINY_DETACHES`` it leaves behind a process that detached itself and obeys no SIGTERM.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

DETACHED = "import os,time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); print(os.getpid(), flush=True); os.close(1); time.sleep(600)"


class Handler(BaseHTTPRequestHandler):
    """Any path that ends in ``env`` or ``detach`` does what it says; all others are well."""

    def do_GET(self) -> None:
        """Answer the hub, and whoever asks for more."""
        action = urlsplit(self.path).path.rstrip("/").rpartition("/")[2]
        answer: object = {"version": "tiny"}
        if action == "env":
            answer = dict(os.environ)
        elif action == "detach":
            command = [sys.executable, "-c", DETACHED]
            answer = int(subprocess.check_output(command, text=True))
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("X-JupyterHub-Version", os.environ.get("TINY_HUB_VERSION", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until a signal says stop."""
    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    server = ThreadingHTTPServer((address.hostname or "127.0.0.1", address.port or 0), Handler)
    ignored = os.environ.get("TINY_IGNORES", "").split(",")
    for name in ("SIGINT", "SIGTERM"):
        wanted = signal.SIG_IGN if name in ignored else stop_by(server)
        signal.signal(signal.Signals[name], wanted)
    if "TINY_DETACHES" in os.environ:
        stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + DETACHED
        subprocess.check_output([sys.executable, "-c", stubborn])
    server.serve_forever(poll_interval=0.05)


def stop_by(server: ThreadingHTTPServer) -> Callable[..., None]:
    """A signal handler that ends the server."""
    return lambda *_: threading.Thread(target=server.shutdown).start()


if __name__ == "__main__":
    main()
