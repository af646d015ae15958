"""Passwords of local sign-in: how they are hashed, what a new one must be, and one-time links."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import Refusal

Answer = TypeVar("Answer")

SHORTEST = 10
LONGEST = 200
"""Longer ones would let a stranger make the hub hash for minutes."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Lower-case letters and digits, without those that are taken for one another."""
_GROUPS, _GROUP_LENGTH = 4, 4
_threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")
"""Hashing takes a core for a while: many strangers at once must not take all of them."""
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""Argon2id with the parameters that OWASP's Password Storage Cheat Sheet gives: 19 MiB, two passes.

A first start hashes for everybody whom the settings name, so the costlier ones would take minutes.
"""


def hashed(password: str) -> str:
    """The hash of a password as the record stores it, salt and parameters included. Blocks: use a thread."""
    return _hasher.hash(password)


_nobody = hashed(secrets.token_urlsafe(32))
"""What a password is compared with when there is no such person: it takes as long, and never fits."""


def fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one whose hash is stored. Takes as long for nobody's. Blocks: use a thread."""
    try:
        _hasher.verify(stored or _nobody, password[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


async def in_thread(work: Callable[..., Answer], *arguments: str | None) -> Answer:
    """Run :func:`hashed` or :func:`fits` away from an event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)


def generated() -> str:
    """A password that can be read aloud and typed: 79 bits in four groups of four characters."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


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
