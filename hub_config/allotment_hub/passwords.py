"""Passwords of local sign-in: how they are hashed, what a new one must be, and one-time links."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal
from allotment.record.password_hashes import LONGEST, fits, generated, hashed

__all__ = [
    "LONGEST",
    "SHORTEST",
    "check_new",
    "fits",
    "generated",
    "hashed",
    "in_thread",
    "link_hash",
]

Answer = TypeVar("Answer")

SHORTEST = 10
_threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")
"""Hashing takes a core for a while: many strangers at once must not take all of them."""


async def in_thread(work: Callable[..., Answer], *arguments: str | None) -> Answer:
    """Run :func:`hashed` or :func:`fits` away from an event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)


def link_hash(token: str) -> str:
    """The SHA-256 of a one-time link's token: how the record knows the link."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def check_new(person: str, password: str, again: str) -> None:
    """Check a password that somebody chose.

    Raises:
        Refusal: it is too short, too long, too easily guessed, or not typed twice alike.
    """
    reason = _wrong(person, password, again)
    if reason is not None:
        raise Refusal(reason)


def _wrong(person: str, password: str, again: str) -> Reason | None:
    if password != again:
        return _reason("The two new passwords are not the same.", "Type the new one twice.")
    if not SHORTEST <= len(password) <= LONGEST:
        return Reason(
            Rule.REQUEST,
            f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}.",
            limit=SHORTEST,
            asked=len(password),
            remedy="A few words that only you would put together are best.",
        )
    plain = password.casefold()
    if person.casefold() in plain or len(set(plain)) < SHORTEST // 2:
        return _reason(
            "That password is easily guessed.",
            "Leave your name out, and use more different characters.",
        )
    return None


def _reason(message: str, remedy: str) -> Reason:
    return Reason(Rule.REQUEST, message, remedy=remedy)
