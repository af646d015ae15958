"""Secrets at rest: encrypted with keys that are not in the record.

Fernet (AES-128-CBC with HMAC-SHA256) of the ``cryptography`` library. The first key encrypts, all of
them decrypt, so that a key is exchanged by putting a new one first, encrypting everything anew, and
taking the old one away.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from allotment.data.problems import SourceProblem
from allotment.model.reasons import Rule
from allotment.model.refusals import AllotmentError
from allotment.record import Reading, Record, Writing, platform, sealed_secrets

_CHECK = b"allotment"
"""What is encrypted to tell whether the keys are those of this record."""
_SHOWN = 8


class KeysWrong(AllotmentError):
    """The keys are missing, unreadable or not those that this record's secrets were encrypted with."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts and decrypts. The keys are never shown: each is known by its :func:`fingerprint`.

    ``accepts`` is whether new secrets may be kept at all. ``reread`` reads the keys again, so that a
    control plane that runs while they are exchanged goes on.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    accepts: bool = True
    reread: Callable[[], tuple[bytes, ...]] | None = field(default=None, repr=False)

    def encrypt(self, text: str) -> bytes:
        """Encrypt a secret with the first key.

        Raises:
            SourceProblem: this platform keeps no secrets.
            KeysWrong: the keys were exchanged, and cannot be read.
        """
        if not self.accepts:
            raise SourceProblem(
                "This platform keeps no secrets: everybody's servers run under its own system user, "
                "so its people could read them.",
                remedy="Where they all may know them, an operator sets data.accept_secrets: true in the "
                "settings; else servers.system_users: true.",
                rule=Rule.SETTINGS,
            )
        return self._newest().encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        """A secret in the clear.

        Raises:
            SourceProblem: no key fits: it was encrypted with another, or changed since.
        """
        with suppress(InvalidToken):
            return self._fernet().decrypt(sealed).decode()
        try:
            return self._newest().decrypt(sealed).decode()
        except (InvalidToken, KeysWrong):
            raise SourceProblem(
                "A secret cannot be decrypted with the platform's keys.",
                remedy="Enter it again, or ask an operator for the key that it was encrypted with.",
            ) from None

    def renewed(self, sealed: bytes) -> bytes:
        """The same secret, encrypted with the first key.

        Raises:
            KeysWrong: no key fits.
        """
        try:
            return self._fernet().rotate(sealed)
        except InvalidToken:
            raise KeysWrong(
                "A secret in the record fits none of the keys; nothing was changed. "
                "Add the key that it was encrypted with."
            ) from None

    @property
    def check_value(self) -> bytes:
        """What a record keeps to know these keys by."""
        return self._fernet().encrypt(_CHECK)

    def fits(self, check_value: bytes) -> bool:
        """Whether one of the keys made this check value."""
        with suppress(InvalidToken):
            return self._fernet().decrypt(check_value) == _CHECK
        return False

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """By what each key is known, in their order."""
        return tuple(fingerprint(one) for one in self.keys)

    def _newest(self) -> MultiFernet:
        keys = self.keys if self.reread is None else self.reread()
        return MultiFernet([Fernet(one) for one in keys])

    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(one) for one in self.keys])


def fingerprint(key: bytes) -> str:
    """By what a key is known where it must not be shown: the beginning of its SHA-256."""
    return sha256(key).hexdigest()[:_SHOWN]


def check(reading: Reading, vault: Vault) -> bool:
    """Whether the record knows keys already; it refuses others.

    Raises:
        KeysWrong: the record's secrets were encrypted with others.
    """
    known = platform.key_check(reading)
    if known is None or vault.fits(known):
        return known is not None
    raise KeysWrong(
        "The secrets in the record were encrypted with another key than "
        f"{', '.join(vault.fingerprints)} (the beginnings of the SHA-256 of those given). "
        "Bring the right one back (data.keys_file or data.keys_variable in the settings). Where it is "
        "lost, `allotment keys forget` takes every secret out of the record, to be entered anew."
    )


def meet(record: Record, vault: Vault, actor: str, now: datetime) -> None:
    """Check the keys against the record; the first ones that it meets are its own from then on.

    Raises:
        KeysWrong: the record's secrets were encrypted with others.
    """
    with record.reading() as reading:
        if check(reading, vault):
            return
    with record.writing(actor, now) as writing:
        # Another control plane may have come first.
        if not check(writing, vault):
            platform.set_key_check(writing, vault.check_value)


def rotate(writing: Writing, vault: Vault) -> int:
    """Encrypt every secret with the first key, all or none. Returns how many there are.

    Raises:
        KeysWrong: one fits none of the keys; nothing was changed.
    """
    check(writing, vault)
    number = sealed_secrets.reseal(writing, vault.renewed)
    platform.set_key_check(writing, vault.check_value)
    after = {"secrets": number, "key": vault.fingerprints[0]}
    writing.event("keys.rotated", "platform", after=after)
    return number


def forget(writing: Writing, vault: Vault) -> int:
    """Take every secret out of the record, for the keys are lost, and start with these. Returns how many it were."""
    number = sealed_secrets.clear(writing)
    platform.set_key_check(writing, vault.check_value)
    after = {"secrets": number, "key": vault.fingerprints[0]}
    writing.event("keys.forgotten", "platform", after=after)
    return number
