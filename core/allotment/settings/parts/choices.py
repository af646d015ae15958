"""Choices for the whole platform: how groups go together, and which group is proposed for new people."""

from __future__ import annotations

from allotment.model.groups import Mode
from allotment.record import Reading, Writing, platform
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import Settings


class ChosenMode(Part):
    """The mode, where the settings say this one.

    Flexible mode comes before the groups that need it; strict mode after what stands in its way is gone.
    """

    kind = "choice"

    def __init__(self, mode: Mode) -> None:
        self._mode = mode

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """The mode, where the file says this one."""
        if "mode" not in settings.model_fields_set or settings.mode != self._mode:
            return {}
        return {"mode": Said({"mode": str(self._mode)}, ("mode",))}

    def found(self, scene: Scene) -> dict[str, Words]:
        """The mode that somebody chose; strict mode is there without anybody choosing it."""
        chosen = platform.chosen_mode(scene.reading)
        if chosen is None and self._mode is Mode.STRICT:
            chosen = Mode.STRICT
        return {} if chosen is None else {"mode": {"mode": str(chosen)}}

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Choose the mode."""
        self.change(writing, name, words)

    def change(self, writing: Writing, name: str, words: Words) -> None:  # noqa: ARG002 - there is one
        """Choose another mode."""
        platform.set_mode(writing, Mode(words["mode"]))


class DefaultGroup(Part):
    """The group that is proposed for new people."""

    kind = "choice"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """The group, where the file names one."""
        if settings.default_group is None:
            return {}
        return {"default group": Said({"group": settings.default_group}, ("default_group",))}

    def found(self, scene: Scene) -> dict[str, Words]:
        """The group that somebody chose."""
        group = platform.default_group(scene.reading)
        return {} if group is None else {"default group": {"group": group}}

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - there is one
        """The group."""
        return (("group", words["group"]),)

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Choose the group."""
        self.change(writing, name, words)

    def change(self, writing: Writing, name: str, words: Words) -> None:  # noqa: ARG002 - there is one
        """Choose another group."""
        platform.set_default_group(writing, words["group"])


def coming_mode(reading: Reading, settings: Settings, *, restore: bool) -> Mode:
    """The mode that the platform has once the settings are applied."""
    chosen = platform.chosen_mode(reading)
    if "mode" in settings.model_fields_set and (restore or chosen is None):
        return Mode(settings.mode)
    return chosen or Mode.STRICT
