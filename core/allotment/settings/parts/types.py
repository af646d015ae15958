"""Instance types."""

from __future__ import annotations

from decimal import Decimal

from allotment.model.instance_types import InstanceType
from allotment.record import Writing, instance_types
from allotment.settings.parts.part import Part, Said, Scene, Words
from allotment.settings.schema import DeclaredInstanceType, Settings


class InstanceTypes(Part):
    """Machines of a cloud that profiles may name."""

    kind = "instance-type"

    def said(self, settings: Settings, scene: Scene) -> dict[str, Said]:  # noqa: ARG002 - the file says all
        """What the settings say, by name."""
        return {
            one.name: Said(_words(one), ("instance_types", index))
            for index, one in enumerate(settings.instance_types)
        }

    def found(self, scene: Scene) -> dict[str, Words]:
        """What the record says, by name."""
        return {
            one.name: instance_types.document(one)
            for one in instance_types.all_types(scene.reading)
        }

    def make(self, writing: Writing, name: str, words: Words) -> None:
        """Make an instance type."""
        instance_types.create(writing, _type(InstanceType(name), words))

    def change(self, writing: Writing, name: str, words: Words) -> None:
        """Change what the words give; the rest stays."""
        instance_types.edit(writing, _type(instance_types.get(writing, name), words))


def _words(one: DeclaredInstanceType) -> Words:
    """What the file gives of a type, an amount as it would be written by hand."""
    words: Words = one.model_dump(mode="json", exclude_unset=True, exclude={"name"})
    if one.price is not None:
        words["price"] = f"{one.price.normalize():f}"
    return words


def _type(before: InstanceType, words: Words) -> InstanceType:
    told = instance_types.document(before) | words
    price = told["price"]
    return InstanceType(
        before.name,
        told["title"],
        None if price is None else Decimal(price),
        told["limit"],
        told["vcpus"],
        told["quota"],
        told["enabled"],
    )
