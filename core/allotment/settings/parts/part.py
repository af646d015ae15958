"""What every part of a configuration can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from allotment.model.groups import Mode
from allotment.record import Reading, Writing
from allotment.settings.document import Place
from allotment.settings.schema import Settings

Words = dict[str, Any]
"""What is said of one thing, as plain values. The settings' words hold only what the file gives."""

Key = tuple[str, str]
"""A kind and a name."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the settings say of one thing, and where."""

    words: Words
    place: Place


@dataclass(frozen=True, slots=True)
class Scene:
    """What the parts look at: the record at one moment, and whether operators' changes are undone.

    ``mode`` is the mode that the platform has once the settings are applied.
    """

    reading: Reading
    now: datetime
    restore: bool = False
    mode: Mode = Mode.STRICT


class Part(ABC):
    """One part of a configuration.

    A part reads itself from the settings and from the record, as plain words by name, and makes
    and changes what the words say. Comparing and applying are the same for all parts.
    """

    kind: ClassVar[str]

    @abstractmethod
    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:
        """What the settings say, by name."""

    @abstractmethod
    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name. Keys that are not here are not compared."""

    @abstractmethod
    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Make what is missing."""

    @abstractmethod
    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Make what is there as the words say; what they do not give stays."""

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - for parts that need others
        """What must be there for a thing to be made, as kinds and names."""
        return ()

    def hindrance(self, name: str, scene: Scene) -> str:  # noqa: ARG002 - for parts that have one
        """Why a missing thing is not made, where something that is there stands against it."""
        return ""
