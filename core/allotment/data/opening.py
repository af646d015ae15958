"""Opening sources: their secrets decrypted for as long as one call lasts, their kind found, their way out checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os.path import normpath
from pathlib import Path

from allotment.data.door import Door
from allotment.data.kinds import KINDS
from allotment.data.kinds.careful import Careful
from allotment.data.kinds.kind import Kind, Opened
from allotment.data.problems import SourceProblem
from allotment.data.vault import Vault
from allotment.model.sources import Source, SourceKind
from allotment.record import Reading, sources
from allotment.record.kept_folders import HERE, kept_folders


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens sources: the keys of their secrets, and what may be reached."""

    vault: Vault
    door: Door

    def source(self, reading: Reading, source: Source) -> Opened:
        """A source with its secrets.

        Raises:
            SourceProblem: a secret cannot be decrypted, or the source has come to lead into another's folder.
        """
        self._must_lead_to_its_own(reading, source)
        sealed = sources.sealed(reading, source.name)
        return Opened(source.name, dict(source.fields), self.unsealed(sealed))

    def unsealed(self, sealed: Mapping[str, bytes]) -> dict[str, str]:
        """Secrets in the clear, by name."""
        return {name: self.vault.decrypt(one) for name, one in sealed.items()}

    def sealed(self, secrets: Mapping[str, str | None]) -> dict[str, bytes | None]:
        """Secrets as they are kept, by name; None is one that is taken away."""
        return {
            name: None if one is None else self.vault.encrypt(one) for name, one in secrets.items()
        }

    def own_door(self, reading: Reading, but: str = "") -> Door:
        """The door to files that no source (but this one) covers: a link to those of one leads nowhere."""
        return replace(self.door, closed_paths=kept_folders(reading, but))

    def _must_lead_to_its_own(self, reading: Reading, source: Source) -> None:
        """Refuse a group's source whose folder was exchanged for a link into another's.

        Where it lies by its name was judged when it was registered, or when the other one was, by those who
        manage all sources.
        """
        if source.group is None or source.kind not in HERE:
            return
        written = Path(normpath(str(source.fields["path"])))
        closed = tuple(
            one for one in kept_folders(reading, source.name) if not _overlap(written, one)
        )
        replace(self.door, closed_paths=closed).path(str(source.fields["path"]))

    @staticmethod
    def kind(source: Source) -> Kind:
        """What knows this kind of source."""
        return known_kind(source.kind)


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def known_kind(kind: SourceKind) -> Kind:
    """What knows a kind of source.

    Raises:
        SourceProblem: nothing here does.
    """
    found = KINDS.get(kind)
    if found is None:
        known = ", ".join(KINDS)
        raise SourceProblem(f"No source can be a {kind.value}.", remedy=f"It can be {known}.")
    return Careful(found)
