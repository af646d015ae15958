"""Receiving a large file: piece by piece onto a disk, never into memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyio import current_time, fail_after, to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from allotment.api.problems import RequestInvalid
from allotment.data.versions.kept_files import Keeping
from allotment.work.arrivals import Arrival, Arrivals

SILENT_FOR = 60.0
"""Seconds without a byte after which whoever sends has gone, and others take their turn."""
LEAST = 2**16
"""Bytes a second that must come on the average, once ``SILENT_FOR`` is over: a turn is nobody's to sit on."""
_PIECE = 2**20


async def receive(
    request: Request, keeping: Keeping, arrivals: Arrivals, arrival: Arrival, most: int
) -> None:
    """Write what is sent to a file on its way into a target.

    Raises:
        RequestInvalid: it is larger than ``most`` bytes, or did not come whole.
        SourceProblem: the disk has no room for it.
    """
    told = request.headers.get("content-length", "")
    if told.isdigit():
        _within(int(told), most)
        arrivals.promise(arrival, keeping.descriptor, int(told))
    waiting, size = bytearray(), 0
    async for piece in _pieces(request):
        size += len(piece)
        _within(size, most)
        waiting += piece
        if len(waiting) >= _PIECE:
            arrivals.grow(arrival, keeping.descriptor, len(waiting))
            await to_thread.run_sync(keeping.write, bytes(waiting))
            waiting.clear()
    arrivals.grow(arrival, keeping.descriptor, len(waiting))
    await to_thread.run_sync(keeping.write, bytes(waiting))


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream, begun, size = request.stream(), current_time(), 0
    while True:
        left = begun + SILENT_FOR + size / LEAST - current_time()
        try:
            with fail_after(max(0.0, min(SILENT_FOR, left))):
                piece = await anext(stream, None)
        except TimeoutError:
            raise _slow(left) from None
        except ClientDisconnect:
            raise RequestInvalid("The file did not come whole.", "Send it again.") from None
        if piece is None:
            return
        size += len(piece)
        yield piece


def _slow(left: float) -> RequestInvalid:
    if left > SILENT_FOR / 2:
        message = f"Nothing has come for {SILENT_FOR:.0f} seconds."
        return RequestInvalid(message, "Send the file again.")
    message = f"The file comes with less than {LEAST // 2**10} KiB a second, and others wait."
    return RequestInvalid(message, "Send it over a faster line, or put it into a bucket.")


def _within(size: int, most: int) -> None:
    if size > most:
        raise RequestInvalid(
            f"A model's file has at most {most // 2**30} GiB.",
            "Put it into a bucket, and register its URI.",
        )
