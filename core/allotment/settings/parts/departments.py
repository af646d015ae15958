"""Departments and their ceilings."""

from __future__ import annotations

from allotment.record import Writing, departments
from allotment.settings.parts.part import Key, Part, Said, Scene, Words
from allotment.settings.schema import DeclaredDepartment, Settings


class Departments(Part):
    """Groups above groups. Which groups are in one, the groups say."""

    kind = "department"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            one.name: Said(_words(one), ("departments", index))
            for index, one in enumerate(settings.departments)
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        return {
            one.name: {"title": one.title, "ceilings": one.ceilings}
            for one in departments.all_departments(scene.reading)
        }

    def needs(self, name: str, words: Words) -> tuple[Key, ...]:  # noqa: ARG002 - its ceilings say it
        """The pools of its ceilings."""
        return tuple(("pool", pool) for pool in words.get("ceilings", ()))

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Make a department."""
        departments.create(writing, name, words.get("title", ""), words.get("ceilings", {}))

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Change what the words give; the rest stays."""
        departments.edit(writing, name, words.get("title"), words.get("ceilings"))


def _words(one: DeclaredDepartment) -> Words:
    words: Words = {"title": one.title, "ceilings": one.ceilings}
    return {key: value for key, value in words.items() if key in one.model_fields_set}
