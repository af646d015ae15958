"""Passwords as the record keeps them: Argon2id hashes, and first ones that are drawn."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 200
"""Characters. Longer ones would let a stranger make the hub hash for minutes."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Lower-case letters and digits, without those that are taken for one another."""
_GROUPS, _GROUP_LENGTH = 4, 4
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


def generated() -> str:
    """A password that can be read aloud and typed: 79 bits in four groups of four characters."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)
