"""A bucket of very many objects, all of one content: S3's listing and ranges, served from memory, for tests and figures."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 1_000
BUCKET = "many"
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass
class ManyObjects:
    """Objects ``part-0000000.parquet`` and so on. ``asked`` counts listings and reads; ``moved`` bytes of objects."""

    count: int
    content: bytes
    endpoint: str = ""
    listings: int = 0
    reads: int = 0
    moved: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fields(self) -> dict[str, Any]:
        """What a server would be lent to read it."""
        return {
            "bucket": BUCKET,
            "prefix": "",
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "path_style": True,
            "ca": "",
            "access_key_id": "AKIAMANY",
            "secret_access_key": "of no use elsewhere",
            "session_token": "",
        }

    def page(self, after: int) -> bytes:
        """A page of the listing, as S3 writes it."""
        end = min(after + PAGE, self.count)
        entries = "".join(
            f"<Contents><Key>part-{number:07}.parquet</Key>"
            "<LastModified>2026-10-01T00:00:00.000Z</LastModified>"
            f'<ETag>"{number:032x}"</ETag><Size>{len(self.content)}</Size></Contents>'
            for number in range(after, end)
        )
        more = "true" if end < self.count else "false"
        token = f"<NextContinuationToken>{end}</NextContinuationToken>" if more == "true" else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><Prefix></Prefix><KeyCount>{end - after}</KeyCount>"
            f"<MaxKeys>{PAGE}</MaxKeys><IsTruncated>{more}</IsTruncated>{token}{entries}"
            "</ListBucketResult>"
        ).encode()

    def asked(self, *, moved: int | None = None) -> None:
        """Count a listing, or a read of so many bytes."""
        with self._lock:
            self.listings += moved is None
            self.reads += moved is not None
            self.moved += moved or 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    objects: ManyObjects

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        if "list-type" in query:
            self.objects.asked()
            return self._answer(
                200, self.objects.page(int(query.get("continuation-token", "0")[0]))
            )
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted is None:
            return self._answer(400, b"")
        content = self.objects.content[int(wanted[1]) : int(wanted[2]) + 1]
        self.objects.asked(moved=len(content))
        return self._answer(206, content)

    def _answer(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} .\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def many_objects(count: int, content: bytes) -> Iterator[ManyObjects]:
    """Serve so many objects on a port of this machine until the block ends."""
    objects = ManyObjects(count, content)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (_Handler,), {"objects": objects})
    )
    server.daemon_threads = True
    objects.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=partial(server.serve_forever, 0.02))
    thread.start()
    try:
        yield objects
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
