"""The secret of the hub's client at the provider: an operator's word in the record, else the settings'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from allotment.data.vault import Vault
from allotment.record import Reading, sign_in
from allotment.record.sign_in import ReplacedSecret
from allotment.settings.sign_on import SignIn
from allotment_hub import passwords


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What the settings say, and how to read what an operator said since.

    An operator's secret stands for the one that the settings held then. Where they hold another one
    now, that is the newer word.
    """

    settings: SignIn
    said: str = field(repr=False)
    vault: Callable[[], Vault] = field(repr=False)
    refused_at: datetime | None = None
    """When the operator's secret was given that the provider refused at this hub's start; None: none was."""

    def replaced(self, reading: Reading) -> ReplacedSecret | None:
        """An operator's word, newer or not."""
        client = self.settings.client_id or ""
        return sign_in.replaced_secret(reading, self.settings.provider_issuer, client)

    def stands(self, replaced: ReplacedSecret | None) -> bool:
        """Whether an operator's word is the newest. Blocks: it computes a hash."""
        if replaced is None or replaced.at == self.refused_at:
            return False
        return passwords.fits(replaced.instead_of, self.said)

    def refusing(self, replaced: ReplacedSecret) -> ClientSecret:
        """The same without this word of an operator; a later one stands again."""
        return replace(self, refused_at=replaced.at)

    def in_force(self, replaced: ReplacedSecret | None) -> str:
        """The secret with which the provider is asked. Blocks: it computes a hash, and decrypts.

        Raises:
            KeysWrong, SourceProblem: the keys are missing, or are not those that it was encrypted with.
        """
        if replaced is None or not self.stands(replaced):
            return self.said
        return self.vault().decrypt(replaced.sealed)

    @property
    def hash_of_said(self) -> str:
        """By what the record knows the settings' secret of now. Blocks."""
        return passwords.hashed(self.said)
