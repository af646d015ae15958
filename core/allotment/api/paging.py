"""Pages of lists: a cursor names the last item of a page, so that a page never skips or repeats one."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from allotment.api.problems import RequestInvalid

MOST = 20_000
T = TypeVar("T")
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for."""

    limit: int
    after: Key | None


def _page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Items on the page")] = 200,
    cursor: Annotated[
        str | None,
        Query(
            description="What the page before said as next",
            max_length=2000,
            pattern=r"^[A-Za-z0-9_-]+$",
        ),
    ] = None,
) -> Page:
    return Page(limit, None if cursor is None else read_cursor(cursor))


Paged = Annotated[Page, Depends(_page)]
"""The page asked for, in a route's signature."""


def cut(
    items: Sequence[T], key: Callable[[T], Key], page: Page
) -> tuple[tuple[T, ...], str | None]:
    """Cut a page out of items that are sorted by ``key``, and say the next page's cursor."""
    rest = items if page.after is None else [one for one in items if key(one) > page.after]
    chosen = tuple(rest[: page.limit])
    more = len(rest) > page.limit
    return chosen, write_cursor(key(chosen[-1])) if more else None


def write_cursor(key: Key) -> str:
    """A cursor that resumes after this key."""
    text = json.dumps(key, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Key:
    """The key that a cursor resumes after.

    Raises:
        RequestInvalid: it is no cursor of ours.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, binascii.Error, RecursionError):
        key = None
    if not isinstance(key, list) or not all(isinstance(part, str) for part in key):
        message = "The cursor is none that this API gave."
        raise RequestInvalid(message, "Begin at the first page, without a cursor.")
    return tuple(key)
