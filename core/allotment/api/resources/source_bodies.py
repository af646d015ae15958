"""What is sent to register and change sources, datasets and models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from allotment.api.fields import Body, NameField, PersonField, Title
from allotment.model.sources import Audience, SourceKind

Text = Annotated[
    str, StringConstraints(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$", max_length=10_000)
]
Fields = Annotated[
    dict[Annotated[str, StringConstraints(max_length=80)], JsonValue],
    Field(
        max_length=100,
        description="Fields of its kind's form, secrets among them; see /source-kinds",
        repr=False,
    ),
]


class AudienceField(Body):
    """Who may use something: everyone, or some groups and people."""

    everyone: bool = Field(default=False, strict=True)
    groups: Annotated[tuple[NameField, ...], Field(max_length=500)] = ()
    people: Annotated[tuple[PersonField, ...], Field(max_length=5000)] = ()

    def audience(self) -> Audience:
        """The audience, each named once."""
        return Audience(
            self.everyone,
            tuple(sorted(dict.fromkeys(self.groups))),
            tuple(sorted(dict.fromkeys(self.people))),
        )


class NewSource(Body):
    """A source that is to be registered."""

    name: NameField
    kind: SourceKind
    title: Title = ""
    description: Text = ""
    fields: Fields = Field(default_factory=dict)
    audience: AudienceField = AudienceField()
    group: NameField | None = Field(default=None, description="The group whose leads manage it")
    enabled: bool = Field(default=True, strict=True)


class SourceEdit(Body):
    """What is to change of a source; what is left out stays.

    Of ``fields`` those that are left out stay, secrets among them, and null takes one away. Where
    an address changes, its secrets must be entered again.
    """

    title: Title = ""
    description: Text = ""
    fields: Fields = Field(default_factory=dict)
    audience: AudienceField = AudienceField()
    group: NameField | None = Field(default=None, description="null: none")
    enabled: bool = Field(default=True, strict=True)

    def given(self) -> dict[str, Any]:
        """What was sent."""
        return {key: getattr(self, key) for key in self.model_fields_set}
