"""A git server on loopback, over TLS: git's own ``http-backend``, which runs hooks, behind a token."""

from __future__ import annotations

import base64
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from database_servers import self_signed

REPOSITORY = "versions.git"
GIT = shutil.which("git") or "git"
TOKEN = "a-token-that-may-push"  # noqa: S105 - of this server alone


@dataclass(frozen=True)
class GitServer:
    """A bare repository in ``folder``, reached at ``url``; ``authority`` is the PEM of its certificate."""

    folder: Path
    url: str
    authority: str

    def git(self, *words: str) -> str:
        """What git says in the repository."""
        ran = subprocess.run(
            [GIT, *words], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return ran.stdout.strip()

    def refuse(self, words: str) -> None:
        """Refuse every push with these words, as protected branches do."""
        hook = self.folder / "hooks" / "pre-receive"
        hook.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
        hook.chmod(0o755)


class Handler(BaseHTTPRequestHandler):
    """Runs git's backend for who sends the token."""

    protocol_version = "HTTP/1.1"
    root: Path
    wanted = "Basic " + base64.b64encode(f"git:{TOKEN}".encode()).decode()

    def answer(self) -> None:
        """One request."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != self.wanted:
            self.reply(401, [("WWW-Authenticate", "Basic")], b"")
            return
        ran = subprocess.run(
            [GIT, "http-backend"],
            input=content,
            env=self.environment(),
            check=True,
            capture_output=True,
            timeout=30,
        )
        head, _, body = ran.stdout.partition(b"\r\n\r\n")
        named = [line.partition(": ") for line in head.decode().splitlines()]
        headers = [(name, value) for name, _, value in named if name != "Status"]
        status = next((value for name, _, value in named if name == "Status"), "200 OK")
        self.reply(int(status.split()[0]), headers, body)

    do_GET = do_POST = answer  # noqa: N815 - http.server's names

    def environment(self) -> dict[str, str]:
        """What CGI tells a program of a request."""
        asked = urlsplit(self.path)
        return {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "git",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": asked.path,
            "QUERY_STRING": asked.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }

    def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def git_server(folder: Path) -> Iterator[GitServer]:
    """Serve an empty repository in a folder."""
    place = folder / REPOSITORY
    subprocess.run([GIT, "init", "--quiet", "--bare", "-b", "main", str(place)], check=True)
    certificate, key = self_signed(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    handler = type("Rooted", (Handler,), {"root": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/{REPOSITORY}"
        yield GitServer(place, url, certificate.read_text())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
