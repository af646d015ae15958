"""What stores that answer by HTTP say when files cannot be listed or read, in words for people."""

from __future__ import annotations

from allotment.data.datasets.stores.store import FileChanged, FileUnreadable
from allotment.data.problems import SourceProblem

_NOT_FOUND, _DENIED, _CHANGED, _FAULT = 404, (401, 403), 412, 400


def reading_failed(status: int, error: Exception, *, gone: str) -> FileUnreadable:
    """Why a file could not be read; ``status`` is 0 where there was no answer, ``gone`` what a 404 means."""
    if status == _CHANGED:
        return FileChanged()
    if status == _NOT_FOUND:
        return FileUnreadable(gone)
    if status in _DENIED:
        return FileUnreadable(f"may not be read with what the source lends (HTTP {status})")
    if status >= _FAULT:
        return FileUnreadable(f"could not be read (HTTP {status})")
    return broken_off(error)


def broken_off(error: Exception) -> FileUnreadable:
    """Why a file could not be read whose answer ended too early, or never came."""
    name = type(error).__name__
    return FileUnreadable(
        f"could not be read: the store broke off or did not answer ({name}); try again"
    )


def listing_failed(
    uri: str, status: int, error: Exception, *, place: str, remedy: str
) -> SourceProblem:
    """Why a place could not be listed; ``place`` is what the store calls it, ``remedy`` what its account needs."""
    if status == _NOT_FOUND:
        return SourceProblem(f"{uri}: there is no such {place}.", remedy="Check its name.")
    if status in _DENIED:
        return SourceProblem(
            f"{uri} may not be listed with what the source lends (HTTP {status}).", remedy=remedy
        )
    name = type(error).__name__
    return SourceProblem(f"{uri} could not be listed ({name}).", remedy="Test the source.")
